//! Usage events with known outcomes: 95 % good, 3 % duplicates, 2 % rejects.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Duration, SecondsFormat, Utc};

/// JSON lines and what must become of them.
pub struct Expected {
    /// One record a line.
    pub lines: String,
    /// Good events.
    pub stored: u64,
    /// Second records of an event.
    pub duplicates: u64,
    /// Refused records by the field that is wrong.
    pub rejects: BTreeMap<&'static str, u64>,
    /// The sum of the good events' usage.
    pub usage_total: u64,
}

impl Expected {
    /// How many are refused.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.stored + self.duplicates + self.rejected()
    }
}

/// Makes `hundreds` × 100 records of the days before `now`; `run` keeps the ids of two sets apart.
pub fn mixed_events(hundreds: u64, run: u32, now: DateTime<Utc>) -> Expected {
    let mut expected =
        Expected { lines: String::new(), stored: 0, duplicates: 0, rejects: BTreeMap::new(), usage_total: 0 };
    for i in 0..hundreds * 100 {
        let line = match i % 100 {
            // A duplicate of a record some way back; one in three comes with another number, so by another partition.
            10 | 40 | 70 => {
                expected.duplicates += 1;
                let original = i - i % 100 + 1 - 100 * ((i / 100).min(i % 7));
                let caller = if i % 100 == 70 { original + 1 } else { original };
                good(original, caller, run, now)
            }
            25 | 85 => {
                let (field, line) = bad(i, run, now);
                *expected.rejects.entry(field).or_default() += 1;
                line
            }
            _ => {
                expected.stored += 1;
                expected.usage_total += usage(i);
                good(i, i, run, now)
            }
        };
        expected.lines.push_str(&line);
        expected.lines.push('\n');
    }
    expected
}

fn usage(i: u64) -> u64 {
    1 + i * 37 % 3_600
}

fn event_id(i: u64, run: u32) -> String {
    // Spread like random ids, so that the store sees them in no order.
    let spread = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    uuid::Uuid::from_u64_pair(spread, (u64::from(run) << 32) | i).to_string()
}

fn started_at(i: u64, now: DateTime<Utc>) -> String {
    (now - Duration::milliseconds(60_000 + (i * 17_041 % 1_700_000_000) as i64))
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn subscriber(i: u64) -> String {
    format!("2126{:08}", i * 7_919 % 400)
}

fn good(i: u64, caller: u64, run: u32, now: DateTime<Utc>) -> String {
    let mut line = format!(
        r#"{{"event_id":"{}","service":"{}","subscriber":"{}","started_at":"{}","usage":{}"#,
        event_id(i, run),
        ["voice", "sms", "data"][(i % 3) as usize],
        subscriber(caller),
        started_at(i, now),
        usage(i),
    );
    if i % 3 != 2 {
        let _ = write!(line, r#","destination":"+2125{:08}""#, i * 104_729 % 100_000_000);
    }
    if !i.is_multiple_of(5) {
        let _ = write!(line, r#","cell":"C{:03}""#, i % 72);
    }
    line.push('}');
    line
}

/// A record that must be refused, and the field that must be named.
fn bad(i: u64, run: u32, now: DateTime<Utc>) -> (&'static str, String) {
    let whole = good(i - i % 3, i, run, now);
    match i / 100 % 6 {
        0 => ("usage", whole.replace(r#""usage":"#, r#""usage":-"#)),
        1 => ("event_id", whole.replace(r#""event_id":""#, r#""event_id":"not-"#)),
        2 => ("service", whole.replace(r#""service":"voice""#, r#""service":"fax""#)),
        3 => ("subscriber", whole.replace(r#""subscriber":"2126"#, r#""subscriber":"+"#)),
        4 => ("started_at", whole.replace(&started_at(i - i % 3, now), "yesterday")),
        _ => ("destination", whole.replace(r#""destination""#, r#""dest""#)),
    }
}
