//! Sensor readings: heat that follows the day and the load, drifts a little, and now and then runs away at one site.

use std::collections::HashMap;

use chrono::{DateTime, Duration, NaiveDateTime, Timelike, Utc};
use millrace_domain::identity::SensorId;
use millrace_domain::sensors::SensorReading;
use millrace_domain::time::cut_to_millis;

use crate::draws::{Draws, Stream, generator, round};
use crate::shape::traffic;
use crate::world::World;

/// Seconds between two readings of a sensor.
pub const READING_INTERVAL_S: u32 = 2;

/// Readings among which a site may begin to overheat once: an hour's.
const WINDOW: u64 = 3600 / READING_INTERVAL_S as u64;
/// How likely it does, for each site and window.
const OVERHEATS: f64 = 0.12;
/// The first site to overheat does so soon after the start, so that whoever looks sees an alarm come and go.
const FIRST_TICK: u64 = 15;

/// The readings of every sensor, one tick after another.
#[derive(Debug, Clone)]
pub struct Readings {
    seed: u64,
    tick: u64,
    /// What each sensor's temperature is off from its curve: first-order autoregressive noise.
    drift: HashMap<SensorId, f64>,
}

/// One site's run of heat.
#[derive(Debug, Clone, Copy)]
struct Overheating {
    start: u64,
    rise: f64,
    hold: f64,
    peak_c: f64,
}

impl Readings {
    /// Readings from the first tick on; the seed decides their noise and where it overheats.
    pub fn new(seed: u64) -> Self {
        Self { seed, tick: 0, drift: HashMap::new() }
    }

    /// The next reading of every sensor, each at its own moment of the interval that begins at `from`, in that order. `model` is the
    /// instant whose time of day the heat follows: it differs from `from` when a run is to be repeated at another hour.
    pub fn next(&mut self, world: &World, model: DateTime<Utc>, from: DateTime<Utc>) -> Vec<SensorReading> {
        let tick = self.tick;
        self.tick += 1;
        let local = model.with_timezone(&world.parts.timezone).naive_local();
        let mut sites: HashMap<&str, usize> = HashMap::new();
        for sensor in &world.parts.sensors {
            let next = sites.len();
            sites.entry(&sensor.site).or_insert(next);
        }
        let first = sites.len().checked_sub(1).map_or(0, |_| (self.seed % sites.len() as u64) as usize);
        let count = world.parts.sensors.len() as u64;
        let mut readings = Vec::with_capacity(world.parts.sensors.len());
        for (index, sensor) in world.parts.sensors.iter().enumerate() {
            let site = sites.get(sensor.site.as_str()).copied().unwrap_or(0);
            let mut habits = generator(world.seed, Stream::Habits, u64::MAX - index as u64);
            let mut rng = generator(self.seed, Stream::Readings, tick.wrapping_mul(count).wrapping_add(index as u64));
            let drift = self.drift.entry(sensor.sensor_id.clone()).or_insert(0.0);
            *drift = 0.98 * *drift + 0.12 * rng.normal();
            let usual = habits.between(27.0, 37.0) + ambient(local) + habits.between(4.0, 8.0) * traffic(local);
            let heat =
                overheating(self.seed, site as u64, tick, site == first).map_or(0.0, |run| run.heat(tick, usual));
            let temperature = usual + heat * habits.between(0.92, 1.0) + *drift;
            let humidity = (62.0 - 0.55 * (temperature - 30.0) + 0.8 * rng.normal()).clamp(4.0, 96.0);
            let moment = habits.unit() * f64::from(READING_INTERVAL_S) * 1000.0;
            readings.push(SensorReading {
                sensor_id: sensor.sensor_id.clone(),
                measured_at: cut_to_millis(from + Duration::milliseconds(moment as i64)),
                temperature_c: round(temperature, 2),
                humidity_pct: Some(round(humidity, 1)),
                latitude: Some(sensor.latitude),
                longitude: Some(sensor.longitude),
            });
        }
        readings.sort_by_key(|reading| reading.measured_at);
        readings
    }
}

/// The air around the equipment: coolest at four in the morning, warmest at four in the afternoon.
fn ambient(local: NaiveDateTime) -> f64 {
    let hour = f64::from(local.num_seconds_from_midnight()) / 3600.0;
    5.0 * (std::f64::consts::TAU * (hour - 10.0) / 24.0).sin()
}

/// The run of heat that a site is in, if any.
fn overheating(seed: u64, site: u64, tick: u64, first: bool) -> Option<Overheating> {
    if first && tick < WINDOW / 2 {
        return Some(Overheating { start: FIRST_TICK, rise: 45.0, hold: 45.0, peak_c: 88.0 })
            .filter(|run| run.start <= tick);
    }
    let window = tick / WINDOW;
    // A run may have begun in the window before. In the very first half hour all is quiet but for the first site.
    [Some(window), window.checked_sub(1)].into_iter().flatten().find_map(|window| {
        let mut rng = generator(seed, Stream::Overheating, window.wrapping_mul(1 << 20).wrapping_add(site));
        let run = Overheating {
            start: window * WINDOW + WINDOW / 2 * u64::from(window == 0) + rng.below(WINDOW as usize / 2) as u64,
            rise: rng.between(60.0, 150.0),
            hold: rng.between(20.0, 90.0),
            peak_c: rng.between(72.0, 95.0),
        };
        (rng.chance(OVERHEATS) && run.start <= tick && run.heat(tick, 0.0) > 0.2).then_some(run)
    })
}

impl Overheating {
    /// Degrees above what is usual: rises smoothly to the peak, holds, and falls away as the cooling comes back.
    fn heat(self, tick: u64, usual: f64) -> f64 {
        let since = tick.saturating_sub(self.start) as f64;
        let full = (self.peak_c - usual).max(0.0);
        if since < self.rise {
            let part = since / self.rise;
            full * part * part * (3.0 - 2.0 * part)
        } else if since < self.rise + self.hold {
            full
        } else {
            full * (-(since - self.rise - self.hold) / 40.0).exp()
        }
    }
}
