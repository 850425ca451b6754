//! Faults on purpose: bad records, duplicates and late ones among the good, each with what must become of it.

use std::collections::VecDeque;

use chrono::{DateTime, Duration, Utc};
use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::sensors::SensorReading;
use millrace_domain::usage::{Service, UsageEvent};
use millrace_wire::Topic;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use crate::draws::{Draws, Stream, generator};
use crate::records::{Expected, Record};

/// The kinds of fault, each of which gets the same share.
const KINDS: f64 = 5.0;

/// The largest share of each kind, in percent: with it no record is plain any more.
pub const LARGEST_SHARE_PCT: f64 = 100.0 / KINDS;

/// How many records back a duplicate may reach.
const REMEMBERED: usize = 500;

/// What happens to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    NotJson,
    Missing,
    Wrong,
    Duplicate,
    Late,
}

/// Mixes faults into the records of one topic.
#[derive(Debug, Clone)]
pub struct Faults {
    seed: u64,
    topic: Topic,
    share: f64,
    index: u64,
    recent: VecDeque<Record>,
}

impl Faults {
    /// Mixes `share_pct` percent of each kind into a topic's records: not JSON, a missing field, a wrong field, duplicate, late.
    /// Shares above [`LARGEST_SHARE_PCT`] count as that.
    pub fn new(seed: u64, topic: Topic, share_pct: f64) -> Self {
        let share = share_pct.clamp(0.0, LARGEST_SHARE_PCT) / 100.0;
        Self { seed, topic, share, index: 0, recent: VecDeque::new() }
    }

    /// The record of an event, or a faulty one in its place.
    pub fn usage_event(&mut self, mut event: UsageEvent, sent_at: DateTime<Utc>) -> Record {
        if self.share == 0.0 {
            return Record::usage_event(&event);
        }
        let (fault, mut rng) = self.draw();
        if fault == Some(Fault::Late) {
            event.started_at -= late(&mut rng, 60 * 24 * 60);
        }
        let record = Record::usage_event(&event);
        let mut required = vec!["event_id", "service", "subscriber", "started_at", "usage"];
        let mut wrong = vec![
            ("event_id", json!("4711")),
            ("service", json!("fax")),
            ("subscriber", json!("12345")),
            ("subscriber", json!("+21261234567x")),
            ("started_at", json!("yesterday")),
            ("started_at", time(sent_at + Duration::hours(1))),
            ("started_at", time(sent_at - Duration::days(3650))),
            ("usage", json!(-1)),
            ("usage", json!(1.5)),
            ("usage", json!(1_000_000_000_000_001_u64)),
            ("cell", json!("a-cell-with-a-name-that-is-far-too-long")),
            ("roaming", json!("perhaps")),
        ];
        if event.service != Service::Data {
            required.push("destination");
            wrong.push(("destination", json!("voicemail")));
        }
        self.finish(fault, &mut rng, record, &required, &wrong)
    }

    /// The record of a reading, or a faulty one in its place.
    pub fn sensor_reading(&mut self, mut reading: SensorReading, sent_at: DateTime<Utc>) -> Record {
        if self.share == 0.0 {
            return Record::sensor_reading(&reading);
        }
        let (fault, mut rng) = self.draw();
        if fault == Some(Fault::Late) {
            reading.measured_at -= late(&mut rng, 24 * 60);
        }
        let record = Record::sensor_reading(&reading);
        let wrong = [
            ("sensor_id", json!("")),
            ("sensor_id", json!(" T1")),
            ("measured_at", json!("noon")),
            ("measured_at", time(sent_at + Duration::hours(1))),
            ("temperature_c", json!("warm")),
            ("temperature_c", json!(451)),
            ("humidity_pct", json!(101)),
            ("latitude", json!(91)),
            ("longitude", json!(-181)),
        ];
        self.finish(fault, &mut rng, record, &["sensor_id", "measured_at", "temperature_c"], &wrong)
    }

    /// The record of a snapshot, or a faulty one in its place.
    pub fn customer_snapshot(&mut self, mut snapshot: CustomerSnapshot, sent_at: DateTime<Utc>) -> Record {
        if self.share == 0.0 {
            return Record::customer_snapshot(&snapshot);
        }
        let (fault, mut rng) = self.draw();
        if fault == Some(Fault::Late) {
            snapshot.observed_at -= late(&mut rng, 60 * 24 * 60);
        }
        let record = Record::customer_snapshot(&snapshot);
        let required =
            ["customer_id", "observed_at", "state", "account_length", "total_day_minutes", "customer_service_calls"];
        let wrong = [
            ("customer_id", json!("")),
            ("observed_at", json!(17)),
            ("observed_at", time(sent_at + Duration::hours(1))),
            ("state", json!("a long way off")),
            ("international_plan", json!("sometimes")),
            ("total_day_minutes", json!(-0.1)),
            ("total_eve_charge", json!(1_000_001)),
            ("total_night_calls", json!(2.5)),
            ("customer_service_calls", json!(null)),
            ("churn", json!("soon")),
        ];
        self.finish(fault, &mut rng, record, &required, &wrong)
    }

    fn draw(&mut self) -> (Option<Fault>, ChaCha8Rng) {
        let mut rng = generator(self.seed, Stream::Faults, self.index << 2 | self.topic as u64);
        self.index += 1;
        let kinds = [Fault::NotJson, Fault::Missing, Fault::Wrong, Fault::Duplicate, Fault::Late];
        let kind = (rng.unit() / self.share).min(KINDS) as usize;
        (kinds.get(kind).copied(), rng)
    }

    fn finish(
        &mut self,
        fault: Option<Fault>,
        rng: &mut ChaCha8Rng,
        record: Record,
        required: &[&str],
        wrong: &[(&str, Value)],
    ) -> Record {
        match fault {
            Some(Fault::NotJson) => Record { value: not_json(rng, record.value), expected: Expected::Reject, ..record },
            Some(Fault::Missing) => {
                let field = *rng.pick(required);
                changed(record, |fields| drop(fields.remove(field)))
            }
            Some(Fault::Wrong) => {
                let (field, value) = rng.pick(wrong).clone();
                changed(record, |fields| drop(fields.insert(field.to_owned(), value)))
            }
            Some(Fault::Duplicate) if !self.recent.is_empty() => {
                let again = self.recent[rng.below(self.recent.len())].clone();
                Record { expected: Expected::Duplicate, ..again }
            }
            Some(Fault::Duplicate | Fault::Late) | None => {
                if self.recent.len() == REMEMBERED {
                    self.recent.pop_front();
                }
                self.recent.push_back(record.clone());
                record
            }
        }
    }
}

/// Up to `most` minutes, cut to the millisecond.
fn late(rng: &mut impl Draws, most: u32) -> Duration {
    Duration::milliseconds((rng.between(10.0, f64::from(most)) * 60_000.0) as i64)
}

fn time(at: DateTime<Utc>) -> Value {
    Value::String(at.to_rfc3339())
}

/// Cut off, mangled, or another format altogether.
fn not_json(rng: &mut impl Draws, mut value: Vec<u8>) -> Vec<u8> {
    match rng.below(3) {
        0 => value.truncate(value.len() / 2),
        1 => value.insert(1, 0xff),
        _ => value = b"usage;1;2;3".to_vec(),
    }
    value
}

/// The record with its object changed, which must be refused.
fn changed(record: Record, change: impl FnOnce(&mut Map<String, Value>)) -> Record {
    let mut object = serde_json::from_slice(&record.value).unwrap_or_default();
    change(&mut object);
    Record { value: Value::Object(object).to_string().into_bytes(), expected: Expected::Reject, ..record }
}
