//! What a run says of records and charges that must come out even.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use millrace_domain::cycles::Cycle;
use millrace_domain::usage::Service;
use millrace_store_mysql::cache::{Uninvoiced, uninvoiced_charges};
use millrace_store_mysql::{billing, import, leases};

use crate::world::{World, event, hour};

/// Closes June and issues its invoices as bill does.
async fn bill_june(world: &World) {
    fn july() -> DateTime<Utc> {
        "2026-07-05T10:00:00Z".parse().unwrap()
    }
    let (pool, holder) = (&world.cache.mysql, "bill");
    assert!(leases::take(pool, leases::BILLING, holder, Duration::from_secs(60)).await.unwrap());
    let operator = import::stored_operator(pool).await.unwrap().unwrap();
    let june = Cycle::parse("2026-06").unwrap();
    billing::close(pool, holder, (june, 1), operator.timezone, july()).await.unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let issued = billing::invoice(pool, holder, &operator, june, july, until).await.unwrap();
    assert_eq!(issued.invoices, 1);
    leases::release(pool, leases::BILLING, holder).await.unwrap();
}

/// Takes an invoice away, as if bill had forgotten it.
async fn forget_invoices(world: &World) {
    world.database.run("DELETE FROM invoice_lines; DELETE FROM invoices").await;
}

/// The difference that a run finds.
async fn difference(world: &World) -> String {
    world.run().await.checks.billing.unwrap().normalize().to_string()
}

#[tokio::test]
async fn an_invoice_that_carries_other_charges_than_it_should_is_told_until_it_is_cancelled() {
    let world = World::new().await;
    let june: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().unwrap();
    world.events((0..7).map(|n| event(june, Service::ALL[n % 3], "C-1", 60)).collect()).await;
    assert_eq!(difference(&world).await, "0", "there is no invoice");
    bill_june(&world).await;
    assert_eq!(difference(&world).await, "0");

    // It was looked at, and what it says cannot change: only new ones are looked at.
    world.database.run("UPDATE invoices SET rounding = rounding + 0.0003").await;
    assert_eq!(difference(&world).await, "0");
    world.database.run("DELETE FROM cache_watermarks WHERE topic = 'checked-invoices'").await;
    assert_eq!(difference(&world).await, "0.0003");
    assert_eq!(difference(&world).await, "0.0003", "as long as it does");
    world
        .database
        .run(
            "SET sql_mode = '';
             INSERT INTO invoices (invoice_number, account_no, cycle, currency, cancels)
                 SELECT 'MR2026-00000002', account_no, cycle, currency, invoice_id FROM invoices",
        )
        .await;
    assert_eq!(difference(&world).await, "0");
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn charges_of_a_billed_cycle_without_an_invoice_are_told_until_they_have_one() {
    let world = World::new().await;
    let june: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().unwrap();
    world.events((0..7).map(|n| event(june, Service::ALL[n % 3], "C-1", 60)).collect()).await;
    assert_eq!(difference(&world).await, "0", "the cycle is open");
    bill_june(&world).await;
    forget_invoices(&world).await;
    world.database.run("UPDATE closed_cycles SET invoiced = FALSE").await;
    assert_eq!(difference(&world).await, "0", "bill has not come to it");
    world.database.run("UPDATE closed_cycles SET invoiced = TRUE").await;
    let missing = uninvoiced_charges(&world.cache.mysql, Utc::now()).await.unwrap();
    let expected = Uninvoiced {
        cycle: Cycle::parse("2026-06").unwrap(),
        account_id: "A-1".into(),
        charges: "1.75".parse().unwrap(),
    };
    assert_eq!(missing, [expected]);
    assert_eq!(difference(&world).await, "1.75");
    assert_eq!(difference(&world).await, "1.75", "as long as they have none");

    world.database.run("UPDATE closed_cycles SET invoiced = FALSE").await;
    bill_june(&world).await;
    assert_eq!(difference(&world).await, "0");
    // The cycle is done, and is looked at again only when a fold changes it.
    forget_invoices(&world).await;
    assert_eq!(difference(&world).await, "0");
    world.database.run("UPDATE cycle_versions SET version = version + 1").await;
    assert_eq!(difference(&world).await, "1.75");
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn charges_that_an_adjustment_may_have_changed_are_not_missed_on_invoices() {
    let world = World::new().await;
    let june: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().unwrap();
    world.events(vec![event(june, Service::Voice, "C-1", 60)]).await;
    assert_eq!(difference(&world).await, "0");
    bill_june(&world).await;
    forget_invoices(&world).await;
    world
        .database
        .run(
            "INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, difference) \
             VALUES (1, '2026-06-10 13:00:00', UNHEX(REPEAT('0', 32)), 1, '46700000001', 'C-1', 60, 0)",
        )
        .await;
    let missing = uninvoiced_charges(&world.cache.mysql, Utc::now()).await.unwrap();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(difference(&world).await, "0.25", "once it is folded");
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn an_invoice_waits_to_be_looked_at_until_the_charges_of_its_cycle_are_folded() {
    let world = World::new().await;
    let june: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().unwrap();
    world.events(vec![event(june, Service::Voice, "C-1", 60)]).await;
    bill_june(&world).await;
    // As if the cycle had been closed after this run had begun.
    world.database.run("UPDATE closed_cycles SET closed_at = closed_at + INTERVAL 1 DAY").await;
    world.database.run("UPDATE invoices SET rounding = 1").await;
    assert_eq!(difference(&world).await, "0");
    world.database.run("UPDATE closed_cycles SET closed_at = closed_at - INTERVAL 1 DAY").await;
    assert_eq!(difference(&world).await, "1");
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_record_that_the_ledger_lost_is_told() {
    let world = World::new().await;
    world.events(vec![event(hour(), Service::Voice, "C-1", 60), event(hour(), Service::Sms, "C-1", 1)]).await;
    assert_eq!(world.run().await.checks.conservation, Some(0));
    world.database.run("UPDATE ledger SET stored = stored - 2").await;
    assert_eq!(world.run().await.checks.conservation, Some(2));
    world.database.run("UPDATE ledger SET stored = stored + 5").await;
    assert_eq!(world.run().await.checks.conservation, Some(3), "counted twice");
    world.cache.documents.clear().await.unwrap();
}
