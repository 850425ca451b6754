//! Random tariffs and events, drawn so that edges meet: calls near the edges of timings and the days on which clocks are moved.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use millrace_domain::tariffs::Tariff;
use millrace_domain::usage::{Service, UsageEvent};
use millrace_wire::{tariff, usage};

/// Time zones, each with moments at which its clocks are moved.
const ZONES: [(&str, &[&str]); 7] = [
    (
        "Africa/Casablanca",
        &["2026-02-15T02:00:00Z", "2026-03-22T02:00:00Z", "2025-02-23T02:00:00Z", "2018-10-28T02:00:00Z"],
    ),
    ("Europe/Paris", &["2026-03-29T01:00:00Z", "2025-10-26T01:00:00Z"]),
    ("America/New_York", &["2026-03-08T07:00:00Z", "2025-11-02T06:00:00Z"]),
    ("America/Sao_Paulo", &["2018-11-04T03:00:00Z", "2018-02-18T02:00:00Z"]),
    ("Australia/Lord_Howe", &["2026-04-04T15:00:00Z", "2025-10-04T15:30:00Z"]),
    ("Pacific/Apia", &["2011-12-30T10:00:00Z"]),
    ("UTC", &["2024-02-29T00:00:00Z", "2025-12-31T23:59:00Z"]),
];

const PREFIXES: [&str; 7] = ["", "2", "21", "212", "2126", "+212", "33"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Draws cases from a seed.
pub(crate) struct Cases(ChaCha8Rng);

/// A tariff and an event, as JSON and as read.
pub(crate) struct Case {
    pub(crate) tariff_json: Value,
    pub(crate) tariff: Tariff,
    pub(crate) event_json: Value,
    pub(crate) event: UsageEvent,
    pub(crate) allowance_left: u64,
}

impl Cases {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.0.random_range(0..list.len())].clone()
    }

    /// A tariff that is right and an event for it.
    pub(crate) fn case(&mut self) -> Case {
        let (tariff_json, tariff) = self.tariff(true);
        let event_json = self.event(&tariff_json);
        let event = read(&event_json);
        let allowance_left = match self.below(4) {
            0 => event.usage.saturating_sub(self.below(3)),
            1 => self.below(event.usage.max(1)),
            _ => 0,
        };
        Case { tariff_json, tariff, event_json, event, allowance_left }
    }

    /// A tariff that is right. Rates that could claim one event are drawn now and then, and drawn again.
    pub(crate) fn tariff(&mut self, limits: bool) -> (Value, Tariff) {
        loop {
            let json = self.tariff_json(limits);
            match tariff::parse(json.to_string().as_bytes()) {
                Ok(tariff) => return (json, tariff),
                Err(errors) => assert!(
                    errors.iter().all(|error| error.reason.starts_with("can hold together")),
                    "{json}: {errors:?}"
                ),
            }
        }
    }

    fn tariff_json(&mut self, limits: bool) -> Value {
        let mut timings = Map::from_iter([("any".to_owned(), json!({}))]);
        for name in ["a", "b", "c"].into_iter().take(self.0.random_range(0..4)) {
            timings.insert(name.to_owned(), self.timing());
        }
        let names: Vec<String> = timings.keys().cloned().collect();
        // Few prefixes, so that rates meet; now and then one that nothing matches.
        let mut prefixes = vec![""];
        prefixes.extend((0..2).map(|_| self.pick(&PREFIXES)));
        let count = self.0.random_range(1..7);
        let rates: Vec<Value> = (0..count).map(|_| self.rate(&names, &prefixes, limits)).collect();
        let allowances: Vec<Value> = ["voice", "sms", "data"]
            .into_iter()
            .filter_map(|service| {
                let amount = self.pick(&[0, 1, 59, 60, 1000, 7200]);
                self.chance(40).then(|| json!({"service": service, "amount": amount}))
            })
            .collect();
        json!({"currency": "MAD", "timezone": self.pick(&ZONES).0, "timings": timings, "rates": rates, "allowances": allowances})
    }

    fn timing(&mut self) -> Value {
        let mut timing = Map::new();
        if self.chance(70) {
            let from = self.pick(&[0, 60, 90, 120, 150, 180, 480, 1140, 1320, 1439]);
            let to = self.pick(&[60, 120, 121, 150, 180, 240, 480, 1140, 1320, 1440]);
            let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
            if from < to {
                timing.insert("from".into(), clock(from).into());
                timing.insert("to".into(), clock(to).into());
            } else if self.chance(50) {
                timing.insert("from".into(), clock(from).into());
            } else {
                timing.insert("to".into(), clock(to).into());
            }
        }
        if self.chance(30) {
            let days: Vec<&str> = WEEKDAYS.into_iter().filter(|_| self.chance(60)).collect();
            timing.insert("weekdays".into(), if days.is_empty() { json!(["sun"]) } else { json!(days) });
        }
        for (key, percent, max) in [("months", 10, 12), ("month_days", 10, 31)] {
            if self.chance(percent) {
                let list: Vec<u64> = (1..=max).filter(|_| self.chance(50)).collect();
                timing.insert(key.into(), if list.is_empty() { json!([1]) } else { json!(list) });
            }
        }
        if self.chance(5) {
            timing.insert("years".into(), json!([2018, 2025, 2026]));
        }
        timing.into()
    }

    fn rate(&mut self, timings: &[String], prefixes: &[&str], limits: bool) -> Value {
        let service = self.pick(&["voice", "voice", "voice", "sms", "data"]);
        let mut steps = Vec::new();
        let mut from = 0;
        for _ in 0..self.0.random_range(1..4) {
            let increment = match service {
                "voice" => self.pick(&[1, 1, 6, 10, 30, 60, 7]),
                "sms" => self.pick(&[1, 1, 2]),
                _ => self.pick(&[1, 1000, 1024, 10_240, 1_048_576]),
            };
            steps.push(json!({"from": from, "price": self.price(), "per": self.pick(&[1, 60, 60, 7, 1024, 1_048_576, 3600]), "increment": increment}));
            from += increment * (1 + self.below(20));
        }
        let mut rate = json!({
            "service": service, "prefix": self.pick(prefixes), "timing": if self.chance(45) { "any".to_owned() } else { self.pick(timings) }, "weight": self.0.random_range(-1..4),
            "connect_fee": if self.chance(50) { "0".to_owned() } else { self.price() }, "steps": steps,
            "rounding": self.pick(&["up", "half_up", "down"]), "decimals": self.below(5),
        });
        if self.chance(20) {
            rate["roaming"] = self.chance(50).into();
        }
        if self.chance(40) {
            rate["zone"] = self.pick(&["national", "zone \"x\"", "№ 1"]).into();
        }
        if limits && self.chance(30) {
            rate["max_cost"] = self.price().into();
            rate["after_max"] = self.pick(&["free", "reject"]).into();
        }
        rate
    }

    fn price(&mut self) -> String {
        let digits = self.pick(&[10, 100, 1000, 100_000]);
        let scale = self.0.random_range(0..7);
        rust_decimal::Decimal::new(self.0.random_range(0..digits), scale).to_string()
    }

    /// An event that the tariff is likely to price.
    pub(crate) fn event(&mut self, tariff: &Value) -> Value {
        let service = tariff["rates"][self.0.random_range(0..tariff["rates"].as_array().unwrap().len())]["service"]
            .as_str()
            .unwrap()
            .to_owned();
        let usage = match (service.as_str(), self.below(10)) {
            (_, 0) => self.below(3),
            ("voice", 1) => self.below(200_000),
            ("voice", 2..4) => self.below(15_000),
            ("voice", _) => self.below(2_000),
            ("sms", _) => self.below(30),
            (_, 1) => self.below(1_000_000_000_000),
            _ => self.below(100_000_000),
        };
        let mut event = json!({
            "event_id": format!("{:08x}-0000-4000-8000-{:012x}", self.below(1 << 32), self.below(1 << 48)),
            "service": service, "subscriber": format!("21260000{:04}", self.below(3)), "usage": usage,
            "started_at": self.start(tariff["timezone"].as_str().unwrap()).to_rfc3339(),
        });
        if service != "data" {
            let destination = self.pick(&["212612345678", "+212612345678", "2125", "+33612345678", "21", "9"]);
            event["destination"] = destination.into();
        } else if self.chance(20) {
            event["destination"] = "212612345678".into();
        }
        if self.chance(40) {
            event["roaming"] = self.chance(60).into();
        }
        event
    }

    fn start(&mut self, zone: &str) -> DateTime<Utc> {
        let parsed = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let near = if self.chance(50) {
            let moves = ZONES.iter().find(|(name, _)| *name == zone).unwrap().1;
            parsed(self.pick(moves))
        } else {
            // A full hour of some day.
            parsed("2015-01-01T00:00:00Z") + TimeDelta::hours(self.below(12 * 365 * 24) as i64)
        };
        let seconds = self.0.random_range(-9_000..9_000);
        let millis = if self.chance(30) { self.below(1000) as i64 } else { 0 };
        let whole = if self.chance(20) { seconds / 60 * 60 } else { seconds };
        near + TimeDelta::seconds(whole) + TimeDelta::milliseconds(millis)
    }
}

/// The event of a line.
pub(crate) fn read(event: &Value) -> UsageEvent {
    usage::decode_untimed(event.to_string().as_bytes()).unwrap_or_else(|error| panic!("{event}: {error}"))
}

/// Units of a service that an event uses, for a test's own events.
pub(crate) fn with_usage(event: &UsageEvent, usage: u64) -> UsageEvent {
    UsageEvent { usage, ..event.clone() }
}

/// Whether usage is time.
pub(crate) fn is_call(event: &UsageEvent) -> bool {
    event.service == Service::Voice
}
