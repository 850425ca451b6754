//! Which invoice carries a charge: that of its own cycle, or of the next open one when that is closed.

use std::time::Duration;

use crate::support::{Fixture, event, now, values};
use chrono::{DateTime, Utc};
use millrace_domain::usage::UsageEvent;
use millrace_store_mysql::pool;
use millrace_wire::usage;
use sqlx::Connection;

fn at(n: u32, time: &str) -> UsageEvent {
    UsageEvent { started_at: time.parse::<DateTime<Utc>>().unwrap(), ..event(n) }
}

async fn cycles(fixture: &Fixture) -> Vec<String> {
    fixture.database.texts("SELECT CONCAT_WS(' ', started_at, bill_cycle) FROM usage_events ORDER BY seq").await
}

async fn late(fixture: &Fixture) -> Vec<String> {
    fixture
        .database
        .texts("SELECT CONCAT_WS(' ', bill_cycle, account_no, started_at, own_cycle) FROM late_charges ORDER BY 1")
        .await
}

#[tokio::test]
async fn a_charge_is_carried_by_its_own_cycle() {
    let fixture = Fixture::new().await;
    let events = [at(1, "2026-10-31T22:59:59Z"), at(2, "2026-10-31T23:00:00Z")];
    fixture.deliver(0, 0, now(), &events.map(|event| usage::encode(&event))).await;
    assert_eq!(cycles(&fixture).await, ["2026-10-31 22:59:59.000 202610", "2026-10-31 23:00:00.000 202611"]);
    assert!(late(&fixture).await.is_empty());
}

#[tokio::test]
async fn an_event_of_a_closed_cycle_is_late_and_goes_to_the_next_open_one() {
    let fixture = Fixture::new().await;
    fixture.close(&[202_609, 202_610]).await;
    let mut abroad = at(4, "2026-09-11T10:00:00Z");
    abroad.destination = Some(millrace_domain::identity::Destination::parse("+33123456789").unwrap());
    let events = [at(1, "2026-09-10T10:00:00Z"), at(2, "2026-08-10T10:00:00Z"), at(3, "2026-11-10T10:00:00Z"), abroad];
    fixture.deliver(0, 0, now(), &events.map(|event| usage::encode(&event))).await;
    assert_eq!(
        cycles(&fixture).await,
        [
            "2026-08-10 10:00:00.000 202608",
            "2026-09-10 10:00:00.000 202611",
            "2026-09-11 10:00:00.000",
            "2026-11-10 10:00:00.000 202611"
        ],
        "the one before is open, and an event without a price has no invoice"
    );
    assert_eq!(late(&fixture).await, ["202611 1 2026-09-10 10:00:00.000 202609"]);
    fixture.deliver(0, 0, now(), &events_again()).await;
    assert_eq!(late(&fixture).await.len(), 1, "a redelivery adds nothing");
}

fn events_again() -> Vec<Vec<u8>> {
    vec![usage::encode(&at(1, "2026-09-10T10:00:00Z"))]
}

#[tokio::test]
async fn cycles_closed_for_other_accounts_make_no_event_late() {
    let fixture = Fixture::new().await;
    fixture.close(&[202_610]).await;
    fixture.database.run("UPDATE closed_cycles SET account_no = 77").await;
    fixture.deliver(0, 0, now(), &[usage::encode(&at(1, "2026-10-10T10:00:00Z"))]).await;
    assert_eq!(cycles(&fixture).await, ["2026-10-10 10:00:00.000 202610"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_waits_while_a_cycle_is_being_closed_and_then_sees_that_it_is() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, 0, now(), &values([1])).await;
    let closing = pool::with(fixture.database.options());
    let mut connection = closing.acquire().await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query("SELECT latest_closed FROM cycle_gates WHERE cycle_day = 1 FOR UPDATE")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    let events = [usage::encode(&at(5, "2026-10-10T10:00:00Z"))];
    let delivered = fixture.deliver(0, 1, now(), &events);
    let close = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(cycles(&fixture).await.len(), 1, "the batch waits");
        sqlx::query(
            "INSERT INTO closed_cycles (account_no, cycle, starts_at, ends_at, closed_at) \
             VALUES (1, 202610, '2026-09-30 23:00:00', '2026-10-31 23:00:00', UTC_TIMESTAMP(3))",
        )
        .execute(&mut *transaction)
        .await
        .unwrap();
        sqlx::query("UPDATE cycle_gates SET latest_closed = 202610 WHERE cycle_day = 1")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    };
    tokio::join!(delivered, close);
    assert_eq!(cycles(&fixture).await[1], "2026-10-10 10:00:00.000 202611");
}
