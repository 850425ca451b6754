//! The documents' rules against a real server, which `MILLRACE_TEST_DOCUMENTS_URL` names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::aggregates::{SensorAlarm, SensorLatest, UsageSum};
use millrace_domain::alarms::Severity;
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::CustomerId;
use millrace_domain::usage::Service;
use millrace_store_documents::{DocumentSettings, DocumentStore, Replaced, UsageGrain, Watermark};
use millrace_test_support::environment;

async fn empty_store() -> DocumentStore {
    let settings = DocumentSettings {
        url: environment::required("MILLRACE_TEST_DOCUMENTS_URL"),
        database: format!("documents_test_{}", uuid::Uuid::new_v4().simple()),
        user: None,
        password: None,
        timeout: Duration::from_secs(20),
    };
    let store = DocumentStore::connect(&settings).await.unwrap();
    store.create_indexes().await.unwrap();
    store
}

fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn sum(cell: Option<&str>, events: u64, version: u64) -> UsageSum {
    UsageSum {
        starts_at: noon(),
        service: Service::Voice,
        cell: cell.map(str::to_owned),
        events,
        usage_total: "1000000000000000000000".parse().unwrap(),
        amount: "12345678901234.5678".parse().unwrap(),
        unrated: 1,
        version,
    }
}

fn sensor(measured_at: DateTime<Utc>, temperature_c: f64) -> SensorLatest {
    SensorLatest {
        sensor_id: "S-1".into(),
        site: "North".into(),
        measured_at,
        temperature_c,
        humidity_pct: Some(40.5),
        latitude: Some(59.3),
        longitude: None,
        state: Some(Severity::Warning),
        alarm: Some(SensorAlarm { alarm_id: 7, severity: Severity::Critical, opened_at: noon() }),
    }
}

fn snapshot(customer: &str, observed_at: DateTime<Utc>, churn: Option<bool>) -> CustomerSnapshot {
    let period = |minutes| PeriodUsage { minutes, calls: 3, charge: 0.25 };
    CustomerSnapshot {
        customer_id: CustomerId::parse(customer).unwrap(),
        observed_at,
        state: "KS".into(),
        account_length: 128,
        area_code: 415,
        international_plan: false,
        voice_mail_plan: true,
        number_vmail_messages: 25,
        day: period(265.1),
        eve: period(197.4),
        night: period(244.7),
        intl: period(10.0),
        customer_service_calls: 1,
        churn,
    }
}

#[tokio::test]
async fn a_document_is_replaced_only_by_a_greater_version_and_twice_changes_nothing() {
    let store = empty_store().await;
    let grain = UsageGrain::HourByCell;
    let written = Replaced { written: 1, superseded: 0 };
    let superseded = Replaced { written: 0, superseded: 1 };
    assert_eq!(store.put_usage(grain, &[sum(Some("C-1"), 10, 5)]).await.unwrap(), written);
    assert_eq!(store.put_usage(grain, &[sum(Some("C-1"), 10, 5)]).await.unwrap(), superseded, "the same again");
    assert_eq!(store.put_usage(grain, &[sum(Some("C-1"), 9, 4)]).await.unwrap(), superseded, "an older one, late");
    assert_eq!(store.usage(grain, noon()).await.unwrap(), [sum(Some("C-1"), 10, 5)]);
    assert_eq!(store.put_usage(grain, &[sum(Some("C-1"), 12, 6)]).await.unwrap(), written);
    assert_eq!(store.usage(grain, noon()).await.unwrap(), [sum(Some("C-1"), 12, 6)]);
    store.clear().await.unwrap();
}

#[tokio::test]
async fn a_batch_with_documents_that_are_newer_in_the_store_writes_the_others() {
    let store = empty_store().await;
    let grain = UsageGrain::HourByCell;
    let name = |n: u64| format!("C-{n:05}");
    let newer: Vec<UsageSum> = (0..2500).filter(|n| n % 7 == 0).map(|n| sum(Some(&name(n)), n, 9)).collect();
    store.put_usage(grain, &newer).await.unwrap();
    let all: Vec<UsageSum> = (0..2500).map(|n| sum(Some(&name(n)), n + 1, 8)).collect();
    let replaced = store.put_usage(grain, &all).await.unwrap();
    assert_eq!(replaced, Replaced { written: 2500 - newer.len() as u64, superseded: newer.len() as u64 });
    let mut found = store.usage(grain, noon()).await.unwrap();
    found.sort_by(|a, b| a.cell.cmp(&b.cell));
    assert_eq!(found.len(), 2500);
    for (n, found) in (0..).zip(found) {
        assert_eq!(found.version, if n % 7 == 0 { 9 } else { 8 });
    }
    store.clear().await.unwrap();
}

#[tokio::test]
async fn of_two_writers_at_once_the_greater_version_stays() {
    let store = empty_store().await;
    let grain = UsageGrain::HourByService;
    for round in 0..20u64 {
        let sums = |version| -> Vec<UsageSum> {
            (0..50).map(|n| UsageSum { starts_at: noon() + TimeDelta::hours(n), ..sum(None, round, version) }).collect()
        };
        let (older, newer) = (sums(2 * round + 1), sums(2 * round + 2));
        let (a, b) = tokio::join!(store.put_usage(grain, &older), store.put_usage(grain, &newer));
        a.unwrap();
        b.unwrap();
        assert_eq!(store.usage(grain, noon()).await.unwrap(), newer);
    }
    store.clear().await.unwrap();
}

#[tokio::test]
async fn money_and_totals_stay_exact() {
    let store = empty_store().await;
    for amount in ["0.0000", "-0.0001", "99999999999999.9999", "0.1000"] {
        let version =
            store.usage(UsageGrain::DayByCell, noon()).await.unwrap().first().map_or(0, |sum| sum.version) + 1;
        let written = UsageSum { amount: amount.parse().unwrap(), ..sum(Some(""), 1, version) };
        store.put_usage(UsageGrain::DayByCell, std::slice::from_ref(&written)).await.unwrap();
        let found = store.usage(UsageGrain::DayByCell, noon()).await.unwrap();
        assert_eq!(found, [written]);
        assert_eq!(found[0].amount.to_string(), amount);
    }
    store.clear().await.unwrap();
}

#[tokio::test]
async fn a_sensor_changes_only_with_a_later_reading() {
    let store = empty_store().await;
    let second = TimeDelta::seconds(1);
    store.put_sensors(&[sensor(noon(), 71.5)]).await.unwrap();
    store.put_sensors(&[sensor(noon() - second, 20.0)]).await.unwrap();
    assert_eq!(store.sensors(10).await.unwrap(), [sensor(noon(), 71.5)]);
    let plain = SensorLatest { humidity_pct: None, alarm: None, state: None, ..sensor(noon() + second, 30.0) };
    store.put_sensors(std::slice::from_ref(&plain)).await.unwrap();
    assert_eq!(store.sensors(10).await.unwrap(), [plain]);
    store.clear().await.unwrap();
}

#[tokio::test]
async fn every_labelled_example_is_kept_and_the_latest_without_a_label() {
    let store = empty_store().await;
    let day = TimeDelta::days(1);
    let all = [
        snapshot("a", noon(), Some(true)),
        snapshot("a", noon() + day, Some(false)),
        snapshot("a", noon() + day, None),
        snapshot("a", noon(), None),
        snapshot("b@1", noon(), None),
    ];
    store.put_features(&all).await.unwrap();
    store.put_features(&all).await.unwrap();
    assert_eq!(store.labelled_features().await.unwrap(), [all[0].clone(), all[1].clone()]);
    assert_eq!(store.unlabelled_features().await.unwrap(), [all[2].clone(), all[4].clone()]);
    store.clear().await.unwrap();
}

#[tokio::test]
async fn watermarks_are_read_back_and_cleared_with_the_documents() {
    let store = empty_store().await;
    assert_eq!(store.watermark("usage-events").await.unwrap(), None);
    let first = Watermark { origin: "o".into(), position: 3, as_of: None };
    let second = Watermark { position: 4, as_of: Some(noon()), ..first.clone() };
    store.set_watermark("usage-events", &first).await.unwrap();
    assert_eq!(store.watermark("usage-events").await.unwrap(), Some(first));
    store.set_watermark("usage-events", &second).await.unwrap();
    store.put_usage(UsageGrain::HourByCell, &[sum(Some("C-1"), 1, 1)]).await.unwrap();
    assert_eq!(store.watermarks().await.unwrap(), [("usage-events".to_owned(), second)]);
    store.clear().await.unwrap();
    assert_eq!(store.watermarks().await.unwrap(), []);
    assert_eq!(store.usage(UsageGrain::HourByCell, noon()).await.unwrap(), []);
    store.clear().await.expect("clearing what is empty is no error");
}
