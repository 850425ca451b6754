//! What is due when: usage events at their pace, each sensor every two seconds, a few customers a minute.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::sensors::SensorReading;
use millrace_domain::time::cut_to_millis;
use millrace_simulation::{Faults, READING_INTERVAL_S, Readings, Record, World, shape};
use millrace_wire::Topic;

/// Between two customers' snapshots.
const SNAPSHOT_INTERVAL: TimeDelta = TimeDelta::seconds(5);

/// Between two ticks of the sensors.
const TICK: TimeDelta = TimeDelta::seconds(READING_INTERVAL_S as i64);

/// What decides a run's records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// The habits of numbers, sensors and customers.
    pub(super) world_seed: u64,
    /// Noise of the readings, and where it overheats.
    readings_seed: u64,
    /// Index of the first event and snapshot.
    first_index: u64,
    /// The instant, in the world's own time, at which the run begins: its time of day moves heat and traffic.
    model_start: DateTime<Utc>,
}

impl Run {
    /// A run that can be repeated: it begins on a Wednesday evening, whatever the clock says.
    pub(super) fn seeded(seed: u64) -> Self {
        let model_start = DateTime::from_timestamp(1_772_647_200, 0).unwrap_or_default();
        Self { world_seed: seed, readings_seed: seed, first_index: 0, model_start }
    }

    /// A run like no other: it follows the clock, and its events have ids of their own. Habits stay from run to run.
    pub(super) fn unseeded(begins: DateTime<Utc>) -> Self {
        let begin = begins.timestamp_micros().unsigned_abs();
        Self { world_seed: super::world::SEED, readings_seed: begin, first_index: begin, model_start: begins }
    }
}

/// The records of a run, in the order in which they are due.
pub(super) struct Schedule {
    run: Run,
    rate: Option<f64>,
    usual_rate: f64,
    only: Option<Topic>,
    usage: Faults,
    next_usage: TimeDelta,
    usage_index: u64,
    readings: Readings,
    reading_faults: Faults,
    next_tick: TimeDelta,
    /// Readings of the last tick that are still to be sent, by when they are due.
    waiting: VecDeque<(TimeDelta, SensorReading)>,
    customers: Faults,
    next_snapshot: TimeDelta,
    snapshot_index: u64,
}

impl Schedule {
    /// Everything from the start. Without a rate the usual one follows the day's shape.
    pub(super) fn new(run: Run, rate: Option<f64>, usual_rate: f64, faulty: f64, only: Option<Topic>) -> Self {
        let faults = |topic| Faults::new(run.world_seed, topic, faulty);
        Self {
            run,
            rate,
            usual_rate,
            only,
            usage: faults(Topic::UsageEvents),
            next_usage: TimeDelta::zero(),
            usage_index: 0,
            readings: Readings::new(run.readings_seed),
            reading_faults: faults(Topic::SensorReadings),
            next_tick: TimeDelta::zero(),
            waiting: VecDeque::new(),
            customers: faults(Topic::Customers),
            next_snapshot: TimeDelta::zero(),
            snapshot_index: 0,
        }
    }

    fn wants(&self, topic: Topic) -> bool {
        self.only.is_none_or(|only| only == topic)
    }

    /// When the next record is due, after the start.
    pub(super) fn next_due(&self) -> Option<TimeDelta> {
        let usage = self.wants(Topic::UsageEvents).then_some(self.next_usage);
        let readings =
            self.wants(Topic::SensorReadings).then(|| self.waiting.front().map_or(self.next_tick, |(due, _)| *due));
        let customers = self.wants(Topic::Customers).then_some(self.next_snapshot);
        [usage, readings, customers].into_iter().flatten().min()
    }

    /// The records that are due next. `now` is the instant at which they are.
    pub(super) fn step(&mut self, world: &World, now: DateTime<Utc>) -> Vec<Record> {
        let Some(due) = self.next_due() else { return Vec::new() };
        // Readings are cut to the millisecond: from a time that is cut too, they are due at the same moments in every run.
        let now = cut_to_millis(now);
        let mut records = Vec::new();
        if self.wants(Topic::UsageEvents) && self.next_usage == due {
            let index = self.run.first_index.wrapping_add(self.usage_index);
            self.usage_index += 1;
            self.next_usage = self.next_event(world, due);
            records.extend(world.usage_event(index, now).map(|event| self.usage.usage_event(event, now)));
        }
        if self.wants(Topic::Customers) && self.next_snapshot == due {
            self.next_snapshot += SNAPSHOT_INTERVAL;
            let index = self.run.first_index.wrapping_add(self.snapshot_index);
            self.snapshot_index += 1;
            records.extend(
                world.customer_snapshot(index, now).map(|snapshot| self.customers.customer_snapshot(snapshot, now)),
            );
        }
        if self.wants(Topic::SensorReadings) {
            if self.waiting.is_empty() && self.next_tick == due {
                let readings = self.readings.next(world, self.run.model_start + due, now);
                self.waiting =
                    readings.into_iter().map(|reading| (due + (reading.measured_at - now), reading)).collect();
                self.next_tick += TICK;
            }
            while self.waiting.front().is_some_and(|(of_front, _)| *of_front <= due) {
                let reading = self.waiting.pop_front().map(|(_, reading)| reading);
                records.extend(reading.map(|reading| self.reading_faults.sensor_reading(reading, now)));
            }
        }
        records
    }

    /// When the event after the one that was due at `due` is.
    fn next_event(&self, world: &World, due: TimeDelta) -> TimeDelta {
        if let Some(rate) = self.rate {
            // From the start each time, and never early: no sum of cut pauses makes room for one too many.
            return TimeDelta::nanoseconds((self.usage_index as f64 * 1e9 / rate).ceil() as i64);
        }
        let local = (self.run.model_start + due).with_timezone(&world.parts().timezone).naive_local();
        due + TimeDelta::nanoseconds((1e9 / (self.usual_rate * shape::traffic(local))) as i64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeMap;

    use millrace_simulation::SampleOperator;

    use super::*;

    /// The records of a run that begins at `begins` and lasts `seconds`, with when each was due.
    fn records(mut schedule: Schedule, begins: DateTime<Utc>, seconds: i64) -> Vec<(TimeDelta, Record)> {
        let world = SampleOperator::new(1).unwrap().world(1);
        let mut records = Vec::new();
        while let Some(due) = schedule.next_due().filter(|due| *due < TimeDelta::seconds(seconds)) {
            let step = schedule.step(&world, begins + due);
            records.extend(step.into_iter().map(|record| (due, record)));
        }
        records
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-21T12:00:00.123Z".parse().unwrap()
    }

    fn by_topic(records: &[(TimeDelta, Record)]) -> BTreeMap<Topic, usize> {
        records.iter().fold(BTreeMap::new(), |mut counts, (_, record)| {
            *counts.entry(record.topic).or_default() += 1;
            counts
        })
    }

    #[test]
    fn a_run_has_as_many_records_as_its_rate_and_time_say() {
        let records = records(Schedule::new(Run::seeded(5), Some(50.0), 20.0, 0.0, None), noon(), 20);
        let counts = by_topic(&records);
        assert_eq!(counts[&Topic::UsageEvents], 1_000);
        assert_eq!(counts[&Topic::SensorReadings], 40 * 10);
        assert_eq!(counts[&Topic::Customers], 4);
        for second in 0..20 {
            let events = records.iter().filter(|(due, _)| due.num_seconds() == second).count();
            assert!((65..=80).contains(&events), "no bursts: {events} records in second {second}");
        }
    }

    #[test]
    fn a_rate_that_divides_no_second_is_kept_to_the_record() {
        for (rate, seconds, expected) in [(30.0, 4, 120), (7.0, 3, 21), (0.3, 10, 3), (333.0, 9, 2_997)] {
            let schedule = Schedule::new(Run::seeded(5), Some(rate), 20.0, 0.0, Some(Topic::UsageEvents));
            assert_eq!(records(schedule, noon(), seconds).len(), expected, "{rate} a second for {seconds} s");
        }
    }

    #[test]
    fn a_seeded_run_is_the_same_at_any_time_of_day_but_for_the_times() {
        let run = |begins| records(Schedule::new(Run::seeded(5), None, 20.0, 3.0, None), begins, 30);
        let (noon, night) = (run(noon()), run(noon() + TimeDelta::hours(14)));
        assert_eq!(noon.len(), night.len());
        for ((due, one), (also_due, other)) in noon.iter().zip(&night) {
            assert_eq!((due, one.topic, &one.key, one.expected), (also_due, other.topic, &other.key, other.expected));
            let temperature = |record: &Record| {
                serde_json::from_slice::<serde_json::Value>(&record.value)
                    .ok()
                    .map(|record| record["temperature_c"].clone())
            };
            assert_eq!(temperature(one), temperature(other));
        }
    }

    #[test]
    fn an_unseeded_run_follows_the_day_and_repeats_no_event() {
        let begins = "2026-11-18T03:30:00Z".parse().unwrap();
        let night =
            records(Schedule::new(Run::unseeded(begins), None, 20.0, 0.0, Some(Topic::UsageEvents)), begins, 60);
        let begins = begins + TimeDelta::hours(16);
        let evening =
            records(Schedule::new(Run::unseeded(begins), None, 20.0, 0.0, Some(Topic::UsageEvents)), begins, 60);
        assert!(evening.len() > 5 * night.len(), "{} in the evening, {} at night", evening.len(), night.len());
        let id = |record: &Record| {
            serde_json::from_slice::<serde_json::Value>(&record.value).unwrap()["event_id"].to_string()
        };
        let mut ids: Vec<_> = night.iter().chain(&evening).map(|(_, record)| id(record)).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), night.len() + evening.len());
    }

    #[test]
    fn only_one_topic_is_sent_when_only_that_is_wanted() {
        let records = records(Schedule::new(Run::seeded(5), None, 20.0, 0.0, Some(Topic::SensorReadings)), noon(), 10);
        assert_eq!(by_topic(&records), BTreeMap::from([(Topic::SensorReadings, 40 * 5)]));
    }
}
