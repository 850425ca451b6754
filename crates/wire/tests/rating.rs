//! Published and own cases of rating: a tariff file and events in, amounts or errors out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::path::Path;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use millrace_domain::rating::price;
use millrace_wire::{tariff, usage};

#[derive(Deserialize)]
struct Case {
    id: String,
    tariff: Box<RawValue>,
    events: Vec<Box<RawValue>>,
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Amount(Decimal),
    Error { error: String },
}

/// Prices the events of each case in order, allowances by calendar month of the tariff's time zone.
fn check(file: &Path) -> usize {
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let now: DateTime<Utc> = "2030-01-01T00:00:00Z".parse().unwrap();
    let limits = usage::Limits { retention: TimeDelta::MAX };
    for case in &cases {
        let tariff =
            tariff::parse(case.tariff.get().as_bytes()).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.id));
        assert_eq!(case.events.len(), case.expected.len(), "{}", case.id);
        let mut used: HashMap<_, u64> = HashMap::new();
        for (at, (event, expected)) in case.events.iter().zip(&case.expected).enumerate() {
            let event = usage::decode(event.get().as_bytes(), now, &limits).unwrap();
            let local = event.started_at.with_timezone(&tariff.timezone());
            let used = used.entry((event.subscriber.clone(), event.service, local.year(), local.month())).or_default();
            let left = tariff.allowance(event.service).saturating_sub(*used);
            match (price(&tariff, &event, left), expected) {
                (Ok(charge), Expected::Amount(amount)) => {
                    assert_eq!(charge.amount, *amount, "{}, event {at}: {charge:?}", case.id);
                    assert_eq!(charge.spans.iter().map(|span| span.units).sum::<u64>(), event.usage, "{}", case.id);
                    *used += charge.allowance_used;
                }
                (Err(got), Expected::Error { error }) => {
                    assert_eq!(got.as_str(), error, "{}, event {at}", case.id)
                }
                (got, _) => panic!("{}, event {at}: {got:?}", case.id),
            }
        }
    }
    cases.len()
}

#[test]
fn our_own_cases_come_to_their_amounts() {
    assert_eq!(check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/rating.json")), 18);
}

#[test]
fn published_cases_come_to_their_amounts_where_they_are_at_hand() {
    let Some(folder) = std::env::var_os("MILLRACE_SHARED") else {
        return;
    };
    assert!(check(&Path::new(&folder).join("cases/rating.json")) > 0);
}

#[test]
fn a_charge_tells_its_spans_zone_and_fee() {
    let tariff = tariff::parse(include_bytes!("cases/zones.json")).unwrap();
    let event = br#"{"event_id":"00000000-0000-4000-8000-000000000001","service":"voice","subscriber":"212600000001",
        "destination":"+212661","started_at":"2026-03-02T18:59:15Z","usage":90}"#;
    let now = "2026-03-02T19:05:00Z".parse().unwrap();
    let event = usage::decode(event, now, &usage::Limits::default()).unwrap();
    let charge = price(&tariff, &event, 20).unwrap();
    assert_eq!((charge.zone, charge.currency, charge.allowance_used), ("national", "MAD", 20));
    assert_eq!((charge.connect_fee, charge.amount), ("0.1".parse().unwrap(), "1.05".parse().unwrap()));
    let spans: Vec<_> =
        charge.spans.iter().map(|s| (s.timing, s.units, s.charged_units, s.amount.to_string())).collect();
    assert_eq!(spans[0], ("peak", 45, 30, "0.5".to_owned()));
    assert_eq!(spans[1], ("evening", 45, 40, "0.44444444".to_owned()));
}
