//! Runs that are interrupted, and those that others get in the way of.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{adjustments, allowances, always, pace, price_again, rows, try_price_again};
use crate::support::{Fixture, TOPIC, event, now};
use chrono::TimeDelta;
use millrace_domain::identity::Msisdn;
use millrace_domain::usage::UsageEvent;
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::rerate::{self, Outcome, RerateError};
use millrace_store_mysql::{leases, pool};
use millrace_test_support::batches::batch;
use millrace_test_support::kill;
use millrace_wire::{tariff, usage};
use sqlx::mysql::MySqlConnectOptions;

const NUMBERS: u32 = 40;

/// Event `n` of one of 40 numbers, some minutes before noon.
fn of_many(n: u32) -> UsageEvent {
    let mut event = event(n);
    event.started_at = now() - TimeDelta::minutes(i64::from(n));
    event.subscriber = Msisdn::parse(&format!("2126000001{:02}", n % NUMBERS)).unwrap();
    event
}

fn encoded(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    range.map(|n| usage::encode(&of_many(n))).collect()
}

async fn world(events: u32) -> Fixture {
    let fixture = Fixture::with_allowance(400).await;
    for number in 0..NUMBERS {
        fixture.subscribe(&format!("2126000001{number:02}"), "2026-01-01", None).await;
    }
    fixture.deliver(0, 0, now(), &encoded(0..events)).await;
    fixture
}

/// Prices all again for at most `limit`.
async fn run_for(options: MySqlConnectOptions, limit: Duration) -> Option<Outcome> {
    let run = async move || {
        let pool = pool::with(options);
        let reference = ReferenceCache::new(tariff::parse_stored);
        rerate::run(&pool, &reference, &always(), pace(20), &mut |_| ()).await.unwrap()
    };
    kill::after(limit, run).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_at_any_point_is_gone_on_with_and_changes_each_event_once() {
    let fixture = world(800).await;
    let whole = world(800).await;
    for world in [&fixture, &whole] {
        world.import_tariff("standard", "2.40", 200).await;
    }
    let expected = price_again(&whole, &always()).await;
    let (mut kills, mut outcome) = (0, None);
    while outcome.is_none() {
        outcome = run_for(fixture.database.options(), Duration::from_millis(5 + kills)).await;
        kills += u64::from(outcome.is_none());
        fixture.database.run("UPDATE leases SET expires_at = '2000-01-01'").await;
        assert!(kills < 500, "it never ends");
    }
    assert!(kills > 0, "the test must have killed something");
    // One run did it all, however often it was begun before it was noted.
    let run = "SELECT CONCAT_WS(' ', events, changed) FROM rerate_runs ORDER BY events DESC, changed DESC LIMIT 1";
    let expected = format!("{} {}", expected.events, expected.changed);
    assert_eq!(fixture.database.texts(run).await, [expected], "{kills} kills");
    assert_eq!(rows(&fixture).await, rows(&whole).await);
    assert_eq!(allowances(&fixture).await, allowances(&whole).await);
    let sorted = async |of: &Fixture| {
        let mut adjustments = adjustments(of).await;
        adjustments.sort_unstable();
        adjustments
    };
    assert_eq!(sorted(&fixture).await, sorted(&whole).await, "the order of transactions is another one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_come_meanwhile_and_the_run_agree_on_every_allowance() {
    let fixture = world(800).await;
    fixture.import_tariff("standard", "2.40", 300).await;
    let stop = AtomicBool::new(false);
    let batches = async {
        for round in 0..12_u32 {
            let (from, to) = (800 + round * 100, 900 + round * 100);
            let payload = batch(TOPIC, 1, i64::from(round * 100), now(), &encoded(from..to));
            while fixture.rate.handle(&payload).await.unwrap() != Default::default() {}
        }
        stop.store(true, Ordering::Relaxed);
    };
    let runs = async {
        while !stop.load(Ordering::Relaxed) {
            try_price_again(&fixture, &always(), pace(30)).await.unwrap();
        }
    };
    tokio::join!(batches, runs);
    let differs = "SELECT CONCAT(s.subscriber, ' ', s.used, ' ', a.used) FROM \
                   (SELECT subscriber, SUM(allowance_used) AS used FROM usage_events GROUP BY subscriber) s \
                   JOIN allowance_use a ON a.subscriber = s.subscriber WHERE a.used <> s.used OR a.used > 300";
    assert!(fixture.database.texts(differs).await.is_empty());
    assert_eq!(rows(&fixture).await.len(), 2000);
    price_again(&fixture, &always()).await;
    assert_eq!(price_again(&fixture, &always()).await.changed, 0);
    assert_eq!(fixture.database.texts("SELECT CONCAT(SUM(used)) FROM allowance_use").await, ["12000"]);
}

#[tokio::test]
async fn it_waits_for_bill_and_then_says_so() {
    let fixture = world(40).await;
    assert!(leases::take(&fixture.pool, leases::BILLING, "bill", Duration::from_secs(60)).await.unwrap());
    let error = try_price_again(&fixture, &always(), pace(10)).await.unwrap_err();
    assert!(matches!(error, RerateError::Busy), "{error}");
    leases::release(&fixture.pool, leases::BILLING, "bill").await.unwrap();
    assert_eq!(price_again(&fixture, &always()).await.events, 40);
    assert!(leases::take(&fixture.pool, leases::BILLING, "bill", Duration::from_secs(60)).await.unwrap());
}

#[tokio::test]
async fn a_run_whose_lease_another_one_took_stops_before_it_changes_more() {
    let fixture = world(80).await;
    fixture.import_tariff("standard", "2.40", 0).await;
    let reference = ReferenceCache::new(tariff::parse_stored);
    let (database, pool) = (fixture.database.options(), &fixture.pool);
    let mut told = 0;
    let mut steal = |_| {
        told += 1;
        if told == 3 {
            // As after a stop of the process that was longer than the lease.
            let options = database.clone();
            std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                    let pool = millrace_store_mysql::pool::with(options);
                    sqlx::query("UPDATE leases SET holder = 'bill'").execute(&pool).await.unwrap();
                });
            })
            .join()
            .unwrap();
        }
    };
    let error = rerate::run(pool, &reference, &always(), pace(2), &mut steal).await.unwrap_err();
    assert!(matches!(error, RerateError::Interrupted), "{error}");
    assert_eq!(adjustments(&fixture).await.len(), 4, "two transactions were committed");
}

#[tokio::test]
async fn an_import_in_between_makes_it_begin_anew() {
    let fixture = world(80).await;
    fixture.import_tariff("standard", "2.40", 0).await;
    let reference = ReferenceCache::new(tariff::parse_stored);
    let (options, mut told) = (fixture.database.options(), 0);
    let mut import = |_| {
        told += 1;
        if told == 2 {
            let options = options.clone();
            std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                    let pool = millrace_store_mysql::pool::with(options);
                    sqlx::query("UPDATE reference_version SET version = version + 1").execute(&pool).await.unwrap();
                });
            })
            .join()
            .unwrap();
        }
    };
    let error = rerate::run(&fixture.pool, &reference, &always(), pace(2), &mut import).await.unwrap_err();
    assert!(matches!(error, RerateError::ReferenceChanged), "{error}");
    let outcome = price_again(&fixture, &always()).await;
    assert_eq!((outcome.continued, outcome.events), (false, 80));
}
