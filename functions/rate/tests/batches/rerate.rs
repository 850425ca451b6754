//! Stored events priced again by what is in force now.

mod closed;
mod interrupted;

use std::time::Duration;

use crate::support::{Fixture, event, now, values};
use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::identity::{Destination, Msisdn};
use millrace_domain::usage::UsageEvent;
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::rerate::{self, Outcome, Pace, Period, RerateError};
use millrace_wire::{tariff, usage};

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn at(n: u32, time: &str) -> UsageEvent {
    UsageEvent { started_at: instant(time), ..event(n) }
}

/// All of the world's time.
fn always() -> Period {
    Period { from: instant("2000-01-01T00:00:00Z"), to: instant("2100-01-01T00:00:00Z"), subscriber: None }
}

fn pace(events: usize) -> Pace {
    Pace { events, patience: Duration::from_millis(300) }
}

async fn try_price_again(fixture: &Fixture, period: &Period, pace: Pace) -> Result<Outcome, RerateError> {
    let reference = ReferenceCache::new(tariff::parse_stored);
    rerate::run(&fixture.pool, &reference, period, pace, &mut |_| ()).await
}

async fn price_again(fixture: &Fixture, period: &Period) -> Outcome {
    try_price_again(fixture, period, Pace::default()).await.unwrap()
}

async fn deliver(fixture: &Fixture, first_offset: i64, events: &[UsageEvent]) {
    let values: Vec<_> = events.iter().map(usage::encode).collect();
    fixture.deliver(0, first_offset, now(), &values).await;
}

/// `event account bill_cycle used amount zone reason` of each event, in the order in which they were stored.
async fn rows(fixture: &Fixture) -> Vec<String> {
    fixture
        .database
        .texts(
            "SELECT CONCAT_WS(' ', CONV(RIGHT(HEX(event_id), 3), 16, 10), COALESCE(account_no, '-'), COALESCE(bill_cycle, '-'), \
             allowance_used, COALESCE(amount, '-'), zone, rating_error) FROM usage_events ORDER BY seq",
        )
        .await
}

/// `event old_account/bill_cycle/amount new… credit_account/cycle own_cycle difference` of each adjustment.
async fn adjustments(fixture: &Fixture) -> Vec<String> {
    let dash = |column: &str| format!("COALESCE({column}, '-')");
    let sql = format!(
        "SELECT CONCAT_WS(' ', CONV(RIGHT(HEX(event_id), 3), 16, 10), CONCAT_WS('/', {}, {}, {}), CONCAT_WS('/', {}, {}, {}), \
         CONCAT_WS('/', {}, {}), {}, difference) FROM adjustments ORDER BY seq",
        dash("old_account_no"),
        dash("old_bill_cycle"),
        dash("old_amount"),
        dash("new_account_no"),
        dash("new_bill_cycle"),
        dash("new_amount"),
        dash("credit_account_no"),
        dash("credit_cycle"),
        dash("own_cycle"),
    );
    fixture.database.texts(&sql).await
}

async fn allowances(fixture: &Fixture) -> Vec<String> {
    fixture.database.texts("SELECT CONCAT_WS(' ', cycle_start, subscriber, used) FROM allowance_use ORDER BY 1").await
}

async fn late(fixture: &Fixture) -> Vec<String> {
    fixture
        .database
        .texts("SELECT CONCAT_WS(' ', bill_cycle, account_no, own_cycle) FROM late_charges ORDER BY 1")
        .await
}

#[tokio::test]
async fn unrated_events_get_a_price_once_a_tariff_covers_them() {
    let fixture = Fixture::new().await;
    fixture.import_tariffs(&[("standard", "2025-01-01", Some("2026-11-01"), "1.20")]).await;
    let mut stranger = event(2);
    stranger.subscriber = Msisdn::parse("212600000002").unwrap();
    let mut abroad = event(3);
    abroad.destination = Some(Destination::parse("+33123456789").unwrap());
    deliver(&fixture, 0, &[event(1), stranger, abroad]).await;
    let by_n = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    assert_eq!(by_n(rows(&fixture).await), ["1 1 - 0 -  no_rate", "2 - - 0 -  no_subscription", "3 1 - 0 -  no_rate"]);
    fixture.import_tariffs(&[("standard", "2026-11-01", None, "2.40")]).await;
    fixture.subscribe("212600000002", "2026-01-01", None).await;
    let outcome = price_again(&fixture, &always()).await;
    assert_eq!((outcome.events, outcome.changed, outcome.continued), (3, 2, false));
    let voice = &outcome.services[0];
    assert_eq!((voice.events, voice.newly_rated, voice.no_longer_rated), (2, 2, 0));
    assert_eq!((voice.before.to_string(), voice.after.to_string()), ("0.0000".into(), "4.8000".into()));
    assert_eq!(
        by_n(rows(&fixture).await),
        ["1 1 202611 0 2.4000 national ", "2 1 202611 0 2.4000 national ", "3 1 - 0 -  no_rate"]
    );
    assert_eq!(
        by_n(adjustments(&fixture).await),
        ["1 1/-/- 1/202611/2.4000 -/- 202611 2.4000", "2 -/-/- 1/202611/2.4000 -/- 202611 2.4000"]
    );
    let again = price_again(&fixture, &always()).await;
    assert_eq!((again.events, again.changed, again.services.len()), (3, 0, 0), "nothing is left to change");
    assert!(!again.continued, "a run that has ended is not gone on with");
    assert_eq!(adjustments(&fixture).await.len(), 2);
}

#[tokio::test]
async fn a_correction_changes_charges_of_open_cycles_in_place_and_only_within_the_period() {
    let fixture = Fixture::new().await;
    fixture.subscribe("212600000002", "2026-01-01", None).await;
    let mut other = at(4, "2026-11-10T12:00:00Z");
    other.subscriber = Msisdn::parse("212600000002").unwrap();
    let events =
        [at(1, "2026-11-10T09:59:59.999Z"), at(2, "2026-11-10T10:00:00Z"), other, at(3, "2026-11-12T00:00:00Z")];
    deliver(&fixture, 0, &events).await;
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "0.60")]).await;
    let mut period = Period {
        from: instant("2026-11-10T10:00:00Z"),
        to: instant("2026-11-12T00:00:00Z"),
        subscriber: Some(Msisdn::parse("212600000001").unwrap()),
    };
    assert_eq!(price_again(&fixture, &period).await.changed, 1);
    let expected = |second: &str, other: &str| {
        vec![
            "1 1 202611 0 1.2000 national ".to_owned(),
            format!("2 1 202611 0 {second} national "),
            format!("4 1 202611 0 {other} national "),
            "3 1 202611 0 1.2000 national ".to_owned(),
        ]
    };
    assert_eq!(rows(&fixture).await, expected("0.6000", "1.2000"));
    assert_eq!(adjustments(&fixture).await, ["2 1/202611/1.2000 1/202611/0.6000 -/- 202611 -0.6000"]);
    period.subscriber = None;
    let outcome = price_again(&fixture, &period).await;
    assert_eq!((outcome.events, outcome.changed), (2, 1));
    assert_eq!(rows(&fixture).await, expected("0.6000", "0.6000"));
    assert!(allowances(&fixture).await.is_empty() && late(&fixture).await.is_empty());
}

#[tokio::test]
async fn allowances_are_given_back_and_spent_in_the_order_of_storing_while_other_events_keep_theirs() {
    let fixture = Fixture::with_allowance(150).await;
    let events = [
        at(5, "2026-11-09T10:00:00Z"),
        at(4, "2026-11-11T10:00:00Z"),
        at(3, "2026-11-10T10:00:00Z"),
        at(2, "2026-11-20T10:00:00Z"),
    ];
    deliver(&fixture, 0, &events).await;
    assert_eq!(
        rows(&fixture).await,
        [
            "5 1 202611 60 0.0000 national ",
            "4 1 202611 60 0.0000 national ",
            "3 1 202611 30 0.6000 national ",
            "2 1 202611 0 1.2000 national "
        ]
    );
    fixture.import_tariff("standard", "1.20", 100).await;
    let period =
        Period { from: instant("2026-11-10T00:00:00Z"), to: instant("2026-11-12T00:00:00Z"), subscriber: None };
    assert_eq!(price_again(&fixture, &period).await.changed, 2);
    // 60 stay with event 5; the other 40 go to event 4, which was stored before event 3.
    assert_eq!(
        rows(&fixture).await,
        [
            "5 1 202611 60 0.0000 national ",
            "4 1 202611 40 0.4000 national ",
            "3 1 202611 0 1.2000 national ",
            "2 1 202611 0 1.2000 national "
        ]
    );
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 100"]);
    fixture.import_tariff("standard", "1.20", 1000).await;
    price_again(&fixture, &always()).await;
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 240"]);
    fixture.import_tariff("standard", "1.20", 0).await;
    price_again(&fixture, &always()).await;
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 0"]);
    assert!(rows(&fixture).await.iter().all(|row| row.contains(" 0 1.2000 ")));
}

#[tokio::test]
async fn pricing_again_what_rate_has_stored_changes_nothing() {
    let fixture = Fixture::with_allowance(60 * 77 + 13).await;
    for number in ["212600000002", "212600000003"] {
        fixture.subscribe(number, "2026-01-01", None).await;
    }
    let events: Vec<UsageEvent> = (0..900)
        .map(|n| {
            let shuffled = (n * 37) % 900;
            let mut event = event(shuffled);
            event.started_at = now() - TimeDelta::minutes(i64::from(shuffled) * 60);
            event.subscriber = Msisdn::parse(&format!("21260000000{}", 1 + n % 4)).unwrap();
            event
        })
        .collect();
    deliver(&fixture, 0, &events).await;
    let (before, used) = (fixture.tables().await, allowances(&fixture).await);
    let outcome = try_price_again(&fixture, &always(), pace(50)).await.unwrap();
    assert_eq!((outcome.events, outcome.changed), (900, 0));
    assert_eq!((fixture.tables().await, allowances(&fixture).await), (before, used));
    assert!(adjustments(&fixture).await.is_empty());
}

#[tokio::test]
async fn a_charge_that_nothing_covers_any_more_is_taken_back() {
    let fixture = Fixture::with_allowance(90).await;
    deliver(&fixture, 0, &[event(2), event(1)]).await;
    fixture.import_tariffs(&[("standard", "2025-01-01", Some("2026-01-01"), "1.20")]).await;
    let outcome = price_again(&fixture, &always()).await;
    assert_eq!((outcome.changed, outcome.services[0].no_longer_rated), (2, 2));
    assert_eq!(rows(&fixture).await, ["2 1 - 0 -  no_rate", "1 1 - 0 -  no_rate"]);
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 0"]);
    assert_eq!(adjustments(&fixture).await[1], "1 1/202611/0.6000 1/-/- -/- 202611 -0.6000");
}

#[tokio::test]
async fn a_period_without_events_changes_nothing() {
    let fixture = Fixture::new().await;
    assert_eq!(price_again(&fixture, &always()).await.events, 0);
    fixture.deliver(0, 0, now(), &values([1])).await;
    let before =
        Period { from: instant("2026-01-01T00:00:00Z"), to: instant("2026-02-01T00:00:00Z"), subscriber: None };
    assert_eq!(price_again(&fixture, &before).await.events, 0);
}
