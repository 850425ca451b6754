//! Hourly series of the simulator's own records.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Africa::Casablanca;
use millrace_domain::usage::Service;
use millrace_simulation::{Parts, READING_INTERVAL_S, Readings, SampleOperator, World, shape};

/// Usage events of a day: far fewer than a stack sends, so that an hour's sum is the noisier.
const EVENTS_A_DAY: u64 = 8_000;

/// Times and values of one series.
pub(crate) type Observations = Vec<(DateTime<Utc>, f64)>;

/// A series by name, of whole days from a Monday on.
pub(crate) fn series(days: u64, seed: u64) -> Vec<(&'static str, Observations)> {
    let world = SampleOperator::new(seed).unwrap().world(seed);
    let mut all = usage(&world, days, seed);
    all.extend(temperatures(&world, days, seed));
    all
}

fn monday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 1).unwrap()
}

fn hour_of(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(time.timestamp().div_euclid(3600) * 3600, 0).unwrap()
}

/// Events of voice, bytes of data, and a price for each.
fn usage(world: &World, days: u64, seed: u64) -> Vec<(&'static str, Observations)> {
    let mut sums: BTreeMap<DateTime<Utc>, [f64; 3]> = BTreeMap::new();
    for day in 0..days {
        let date = monday() + Duration::days(day as i64);
        for n in 0..EVENTS_A_DAY {
            let index = day * EVENTS_A_DAY + n;
            // Evenly spread shares with a shake: the golden ratio's multiples, by seed.
            let share = ((index + seed) as f64 * 0.618_033_988_749_895 + scatter(index)).fract();
            let ended = shape::instant_of_day(date, Casablanca, share);
            let event = world.usage_event(index, ended).unwrap();
            let sums = sums.entry(hour_of(event.started_at)).or_default();
            match event.service {
                Service::Voice => {
                    sums[0] += event.usage as f64;
                    sums[2] += 0.3 + event.usage as f64 * 0.006;
                }
                Service::Sms => sums[2] += 0.25,
                Service::Data => {
                    sums[1] += 1.0;
                    sums[2] += (event.usage as f64 * 2.0e-8).min(5.0);
                }
            }
        }
    }
    let names = ["voice seconds", "data sessions", "revenue"];
    let of = |place: usize| sums.iter().map(|(hour, sums)| (*hour, sums[place])).collect::<Observations>();
    names.into_iter().enumerate().map(|(place, name)| (name, of(place))).collect()
}

/// A number in `0.0..1.0` of an index (splitmix64).
fn scatter(index: u64) -> f64 {
    let mut bits = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) as f64 / u64::MAX as f64
}

/// The mean temperature of two sites.
fn temperatures(world: &World, days: u64, seed: u64) -> Vec<(&'static str, Observations)> {
    let mut parts: Parts = world.parts().clone();
    parts.sensors = vec![parts.sensors[0].clone(), parts.sensors[parts.sensors.len() - 1].clone()];
    let sensors = parts.sensors.clone();
    let world = World::from_parts(seed, parts);
    let mut readings = Readings::new(seed);
    let start = monday().and_hms_opt(0, 0, 0).unwrap().and_utc();
    let mut sums: [BTreeMap<DateTime<Utc>, (f64, f64)>; 2] = Default::default();
    for tick in 0..days * 86_400 / u64::from(READING_INTERVAL_S) {
        let at = start + Duration::seconds((tick * u64::from(READING_INTERVAL_S)) as i64);
        for reading in readings.next(&world, at, at) {
            let site = usize::from(reading.sensor_id != sensors[0].sensor_id);
            let (sum, count) = sums[site].entry(hour_of(at)).or_default();
            *sum += reading.temperature_c;
            *count += 1.0;
        }
    }
    let of = |site: &BTreeMap<_, (f64, f64)>| site.iter().map(|(hour, (sum, count))| (*hour, sum / count)).collect();
    ["temperature, site 1", "temperature, site 2"].into_iter().zip(&sums).map(|(name, site)| (name, of(site))).collect()
}
