//! Free units: spent once, in the order in which events are stored, and never beyond their amount.

use crate::support::{Fixture, TOPIC, event, now, values};
use chrono::{DateTime, Duration, Utc};
use millrace_domain::usage::UsageEvent;
use millrace_test_support::batches::batch;
use millrace_wire::usage;
use rate::Rate;

/// `event used amount` of each event, in the order in which they were stored.
async fn spent(fixture: &Fixture) -> Vec<String> {
    fixture
        .database
        .texts(
            "SELECT CONCAT_WS(' ', CONV(RIGHT(HEX(event_id), 3), 16, 10), allowance_used, COALESCE(amount, '-')) \
             FROM usage_events ORDER BY seq",
        )
        .await
}

/// `cycle number service used` of each allowance.
async fn allowances(fixture: &Fixture) -> Vec<String> {
    fixture
        .database
        .texts("SELECT CONCAT_WS(' ', cycle_start, subscriber, service, used) FROM allowance_use ORDER BY 1")
        .await
}

fn at(n: u32, time: &str) -> UsageEvent {
    UsageEvent { started_at: time.parse::<DateTime<Utc>>().unwrap(), ..event(n) }
}

#[tokio::test]
async fn an_allowance_is_spent_over_batches_until_nothing_is_left() {
    let fixture = Fixture::with_allowance(150).await;
    fixture.deliver(0, 0, now(), &values([5])).await;
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 1 60"]);
    fixture.deliver(0, 1, now(), &values([4, 3])).await;
    fixture.deliver(0, 3, now(), &values([2])).await;
    assert_eq!(spent(&fixture).await, ["5 60 0.0000", "4 60 0.0000", "3 30 0.6000", "2 0 1.2000"]);
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 1 150"]);
}

#[tokio::test]
async fn it_is_spent_in_the_order_of_arrival_and_not_of_time_or_identity() {
    let fixture = Fixture::with_allowance(90).await;
    fixture.deliver(0, 0, now(), &values([1, 9, 5])).await;
    assert_eq!(spent(&fixture).await, ["1 60 0.0000", "9 30 0.6000", "5 0 1.2000"]);
    let large = Fixture::with_allowance(60 * 700).await;
    large.deliver(0, 0, now(), &values((0..1300).map(|n| (n * 7) % 1300))).await;
    let spent = spent(&large).await;
    assert!(spent[..700].iter().all(|event| event.ends_with(" 60 0.0000")), "{:?}", &spent[690..700]);
    assert!(spent[700..].iter().all(|event| event.ends_with(" 0 1.2000")));
}

#[tokio::test]
async fn redelivered_and_duplicate_events_spend_nothing() {
    let fixture = Fixture::with_allowance(130).await;
    fixture.deliver(0, 0, now(), &values([9, 9, 8])).await;
    let first = spent(&fixture).await;
    assert_eq!(first, ["9 60 0.0000", "8 60 0.0000"]);
    fixture.deliver(0, 0, now(), &values([9, 9, 8])).await;
    fixture.deliver(2, 0, now(), &values([8, 9])).await;
    assert_eq!(
        (spent(&fixture).await, allowances(&fixture).await),
        (first, vec!["2026-11-01 212600000001 1 120".into()])
    );
    fixture.deliver(2, 0, now(), &values([8, 9, 7])).await;
    assert_eq!(spent(&fixture).await[2], "7 10 1.0000");
}

#[tokio::test]
async fn an_event_without_a_price_spends_nothing_and_has_no_invoice() {
    let fixture = Fixture::with_allowance(100).await;
    let mut abroad = event(1);
    abroad.destination = Some(millrace_domain::identity::Destination::parse("+33123456789").unwrap());
    fixture.deliver(0, 0, now(), &[usage::encode(&abroad)]).await;
    assert!(allowances(&fixture).await.is_empty());
    let rows = fixture.database.texts("SELECT CONCAT_WS(' ', bill_cycle, rating_error) FROM usage_events").await;
    assert_eq!(rows, ["no_rate"]);
}

#[tokio::test]
async fn each_cycle_has_its_own_by_the_day_on_which_the_accounts_cycles_begin() {
    let fixture = Fixture::with_allowance(60).await;
    fixture.database.run("UPDATE accounts SET cycle_day = 15").await;
    // Midnight in Casablanca is 23:00 UTC of the day before.
    let events = [at(1, "2026-11-14T22:59:59Z"), at(2, "2026-11-14T23:00:00Z"), at(3, "2026-10-14T23:00:00Z")];
    fixture.deliver(0, 0, now(), &events.map(|event| usage::encode(&event))).await;
    assert_eq!(spent(&fixture).await, ["1 60 0.0000", "2 60 0.0000", "3 0 1.2000"]);
    assert_eq!(allowances(&fixture).await, ["2026-10-15 212600000001 1 60", "2026-11-15 212600000001 1 60"]);
    let cycles = fixture.database.texts("SELECT CONCAT(bill_cycle) FROM usage_events ORDER BY seq").await;
    assert_eq!(cycles, ["202610", "202611", "202610"]);
}

#[tokio::test]
async fn after_a_plan_change_the_new_amount_less_what_was_used_is_free() {
    let fixture = Fixture::with_allowance(100).await;
    fixture.import_tariff("generous", "2.40", 130).await;
    fixture.import_tariff("small", "0.60", 20).await;
    fixture.import_plan("more", "generous").await;
    fixture.import_plan("less", "small").await;
    fixture.subscribe_to("212600000001", "2025-01-01", Some("2026-11-10"), "basic").await;
    fixture.subscribe_to("212600000001", "2026-11-10", Some("2026-11-12"), "more").await;
    fixture.subscribe_to("212600000001", "2026-11-12", None, "less").await;
    let events = [
        at(1, "2026-11-05T10:00:00Z"),
        at(2, "2026-11-06T10:00:00Z"),
        at(3, "2026-11-10T10:00:00Z"),
        at(4, "2026-11-13T10:00:00Z"),
    ];
    fixture.deliver(0, 0, now(), &events.map(|event| usage::encode(&event))).await;
    // 60 and 40 of 100; 30 of 130 less 100; nothing of 20 less 130.
    assert_eq!(spent(&fixture).await, ["1 60 0.0000", "2 40 0.4000", "3 30 1.2000", "4 0 0.6000"]);
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 1 130"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_partitions_that_race_for_one_allowance_never_spend_more_than_it() {
    let fixture = Fixture::with_allowance(60 * 100 + 20).await;
    let other = Rate::new(fixture.pool.clone(), Duration::days(400));
    for round in 0..5 {
        fixture.empty().await;
        fixture.database.run("DELETE FROM allowance_use").await;
        let first = batch(TOPIC, 0, 0, now(), &values(0..120));
        let second = batch(TOPIC, 1, 0, now(), &values(120..240));
        let (first, second) = tokio::join!(fixture.rate.handle(&first), other.handle(&second));
        assert_eq!((first.unwrap(), second.unwrap()), Default::default());
        assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 1 6020"], "round {round}");
        let sums = "SELECT CONCAT_WS(' ', COUNT(*), SUM(allowance_used), SUM(amount)) FROM usage_events";
        assert_eq!(fixture.database.texts(sums).await, ["240 6020 167.6000"], "round {round}");
        // In the order of the rows, each is wholly free until nothing is left.
        let spent = spent(&fixture).await;
        assert!(spent[..100].iter().all(|event| event.contains(" 60 ")) && spent[100].contains(" 20 "), "{spent:?}");
    }
}

#[tokio::test]
async fn an_event_that_the_database_refuses_gives_back_what_it_used() {
    let fixture = Fixture::with_allowance(100).await;
    fixture.database.run("ALTER TABLE usage_events MODIFY cell VARCHAR(9) NOT NULL").await;
    let mut long = event(1);
    long.cell = Some(millrace_domain::identity::CellId::parse("CASA-00012345").unwrap());
    fixture.deliver(0, 0, now(), &[usage::encode(&long)]).await;
    fixture.deliver(0, 1, now(), &values([2])).await;
    assert_eq!(spent(&fixture).await, ["2 60 0.0000"]);
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 1 60"]);
}

#[tokio::test]
async fn what_a_refused_event_gives_back_goes_to_the_next_ones_although_they_are_priced_meanwhile() {
    let fixture = Fixture::with_allowance(60 * 1700).await;
    fixture.database.run("ALTER TABLE usage_events MODIFY cell VARCHAR(9) NOT NULL").await;
    let mut events: Vec<_> = (0..2000).map(event).collect();
    for place in [3, 499, 600] {
        events[place].cell = Some(millrace_domain::identity::CellId::parse("CASA-00012345").unwrap());
    }
    let events: Vec<_> = events.iter().map(usage::encode).collect();
    fixture.deliver(0, 0, now(), &events).await;
    let spent = spent(&fixture).await;
    assert_eq!(spent.len(), 1997);
    assert!(spent[..1700].iter().all(|event| event.ends_with(" 60 0.0000")), "{:?}", &spent[1690..1700]);
    assert!(spent[1700..].iter().all(|event| event.ends_with(" 0 1.2000")));
    assert_eq!(allowances(&fixture).await, ["2026-11-01 212600000001 1 102000"]);
}
