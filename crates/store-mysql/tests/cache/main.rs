//! What the cache reads and folds, on a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod charges;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use millrace_store_mysql::cache::{self, Feed};
use millrace_store_mysql::{leases, pool, schema};
use millrace_test_support::mysql::TestDatabase;
use sqlx::{MySqlConnection, MySqlPool, Row};
use uuid::Uuid;

async fn database() -> (TestDatabase, MySqlPool) {
    let database = TestDatabase::create().await;
    let pool = pool::with(database.options());
    schema::migrate(&pool, noon()).await.unwrap();
    (database, pool)
}

fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

async fn lock_partition(connection: &mut MySqlConnection, partition: u32) {
    sqlx::query(
        "INSERT INTO ledger (topic, partition_no, epoch, next_offset, past_records, stored, duplicates, rejects) \
         VALUES ('usage-events', ?, 0, 0, 0, 0, 0, 0) ON DUPLICATE KEY UPDATE epoch = epoch",
    )
    .bind(partition)
    .execute(connection)
    .await
    .unwrap();
}

async fn insert_event(
    connection: &mut MySqlConnection,
    started_at: DateTime<Utc>,
    cell: &str,
    usage: u64,
    amount: Option<&str>,
) {
    sqlx::query(
        "INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, zone, \
            amount, currency, rating_error) VALUES (?, ?, ?, 1, '4670000001', '4670000002', ?, ?, 0, '', ?, NULL, '')",
    )
    .bind(started_at)
    .bind(Uuid::new_v4().as_bytes().as_slice())
    .bind(started_at.date_naive())
    .bind(usage)
    .bind(cell)
    .bind(amount)
    .execute(connection)
    .await
    .unwrap();
}

async fn fold_all(pool: &MySqlPool) -> cache::Folded {
    let reach = cache::reach(pool, Feed::UsageEvents).await.unwrap();
    loop {
        let folded = cache::fold(pool, reach.seq).await.unwrap();
        if folded.complete {
            return folded;
        }
    }
}

#[tokio::test]
async fn an_open_batch_with_smaller_numbers_is_waited_for_and_not_passed_over() {
    let (_database, pool) = database().await;
    let mut slow = pool.begin().await.unwrap();
    lock_partition(&mut slow, 0).await;
    insert_event(&mut slow, noon(), "C-1", 10, None).await;
    let mut quick = pool.begin().await.unwrap();
    lock_partition(&mut quick, 1).await;
    insert_event(&mut quick, noon(), "C-1", 20, None).await;
    quick.commit().await.unwrap();

    let looking = tokio::spawn({
        let pool = pool.clone();
        async move { fold_all(&pool).await }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!looking.is_finished(), "the cache waits for the batch in flight");
    slow.commit().await.unwrap();
    let folded = looking.await.unwrap();
    let sums = cache::changed_hours(&pool, 0, folded.version).await.unwrap();
    assert_eq!((sums.len(), sums[0].events, sums[0].usage_total), (1, 2, 30.into()));
}

#[tokio::test]
async fn the_first_batch_of_a_partition_does_not_slip_in_while_the_cache_waits() {
    let (_database, pool) = database().await;
    // Partition 5 is in flight, so that the cache waits there, past the place of partition 0, which has no row yet.
    let mut slow = pool.begin().await.unwrap();
    lock_partition(&mut slow, 5).await;
    let looking = tokio::spawn({
        let pool = pool.clone();
        async move { cache::reach(&pool, Feed::UsageEvents).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let slipping = tokio::spawn({
        let pool = pool.clone();
        async move {
            let mut first = pool.begin().await.unwrap();
            lock_partition(&mut first, 0).await;
            insert_event(&mut first, noon(), "slipped", 1, None).await;
            // Long enough for the other batch to get greater numbers and commit.
            tokio::time::sleep(Duration::from_millis(600)).await;
            first.commit().await.unwrap();
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    insert_event(&mut slow, noon(), "slow", 1, None).await;
    slow.commit().await.unwrap();
    let reach = looking.await.unwrap();
    slipping.await.unwrap();
    let slipped: u64 =
        sqlx::query("SELECT seq FROM usage_events WHERE cell = 'slipped'").fetch_one(&pool).await.unwrap().get(0);
    assert!(slipped > reach.seq, "{slipped} would be passed over: the cache went on to {}", reach.seq);
}

#[tokio::test]
async fn late_events_and_second_folds_give_the_sums_of_all_events() {
    let (_database, pool) = database().await;
    let mut connection = pool.acquire().await.unwrap();
    for n in 0..10 {
        insert_event(&mut connection, noon() + TimeDelta::minutes(20 * n), "C-1", 5, Some("0.1000")).await;
    }
    let first = fold_all(&pool).await;
    assert_eq!(fold_all(&pool).await, first, "nothing new, nothing changed");
    insert_event(&mut connection, noon() - TimeDelta::days(3), "C-2", 7, None).await;
    insert_event(&mut connection, noon() + TimeDelta::minutes(59), "C-1", 100, Some("2.5000")).await;
    let second = fold_all(&pool).await;
    assert_eq!(second.version, first.version + 1);

    let changed = cache::changed_hours(&pool, first.version, second.version).await.unwrap();
    let mut changed: Vec<_> = changed
        .iter()
        .map(|s| {
            (s.starts_at, s.cell.clone().unwrap(), s.events, s.usage_total.to_string(), s.amount.to_string(), s.unrated)
        })
        .collect();
    changed.sort();
    let expected = [
        (noon() - TimeDelta::days(3), "C-2".to_owned(), 1, "7".to_owned(), "0.0000".to_owned(), 1),
        (noon(), "C-1".to_owned(), 4, "115".to_owned(), "2.8000".to_owned(), 0),
    ];
    assert_eq!(changed, expected, "only what changed is read");

    let days = cache::day_by_cell(&pool, noon().date_naive(), 0).await.unwrap();
    assert_eq!((days.len(), days[0].events, days[0].amount.to_string().as_str()), (1, 11, "3.5000"));
    assert_eq!(days[0].version, second.version);
    let hours = cache::day_hours_by_service(&pool, noon().date_naive(), first.version).await.unwrap();
    assert_eq!((hours.len(), hours[0].starts_at, hours[0].events, hours[0].cell.as_ref()), (1, noon(), 4, None));
}

#[tokio::test]
async fn changed_sums_are_read_in_pages_of_whole_versions() {
    let (_database, pool) = database().await;
    let mut connection = pool.acquire().await.unwrap();
    for version in 1..=4u64 {
        for cell in 0..3 {
            insert_event(&mut connection, noon() + TimeDelta::hours(version as i64), &format!("C-{cell}"), 1, None)
                .await;
        }
        assert_eq!(fold_all(&pool).await.version, version);
    }
    let mut position = 0;
    let mut seen = Vec::new();
    while position < 4 {
        let end = cache::page_end(&pool, position, 4, 4).await.unwrap();
        let page = cache::changed_hours(&pool, position, end).await.unwrap();
        seen.push((end, page.len()));
        position = end;
    }
    assert_eq!(seen, [(2, 6), (4, 6)]);
}

#[tokio::test]
async fn new_rows_are_found_by_their_number_and_the_highest_without_a_scan() {
    let (_database, pool) = database().await;
    let mut connection = pool.acquire().await.unwrap();
    for n in 0..50 {
        insert_event(&mut connection, noon() + TimeDelta::minutes(n), "C-1", 1, None).await;
    }
    let plan = sqlx::query("EXPLAIN SELECT e.service, COUNT(*) FROM usage_events e FORCE INDEX (by_seq) WHERE e.seq > 48 AND e.seq <= 50 GROUP BY 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!((plan.get::<&str, _>("type"), plan.get::<&str, _>("key")), ("range", "by_seq"));
    let plan = sqlx::query("EXPLAIN SELECT MAX(seq) FROM usage_events").fetch_one(&pool).await.unwrap();
    assert!(plan.get::<&str, _>("Extra").contains("optimized away"));
    let plan = sqlx::query("EXPLAIN SELECT seq FROM customer_snapshots FORCE INDEX (by_seq) WHERE seq > 1 AND seq <= 5 ORDER BY seq LIMIT 2")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(plan.get::<&str, _>("key"), "by_seq");
}

#[tokio::test]
async fn a_lease_is_one_holders_until_it_ends_or_is_given_back() {
    let (_database, pool) = database().await;
    let minute = Duration::from_secs(60);
    assert!(leases::take(&pool, "cache", "a", minute).await.unwrap());
    assert!(leases::take(&pool, "cache", "a", minute).await.unwrap(), "its holder renews it");
    assert!(!leases::take(&pool, "cache", "b", minute).await.unwrap());
    assert!(leases::take(&pool, "other", "b", minute).await.unwrap());
    leases::release(&pool, "cache", "b").await.unwrap();
    assert!(!leases::take(&pool, "cache", "b", minute).await.unwrap(), "only its holder gives it back");
    leases::release(&pool, "cache", "a").await.unwrap();
    assert!(leases::take(&pool, "cache", "b", Duration::from_secs(1)).await.unwrap());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(leases::take(&pool, "cache", "a", minute).await.unwrap(), "it ended by itself");
}

#[tokio::test]
async fn of_many_that_want_a_lease_at_once_one_gets_it() {
    let (_database, pool) = database().await;
    let wishes = (0..8).map(|n| {
        let pool = pool.clone();
        tokio::spawn(async move {
            leases::take(&pool, "cache", &format!("holder {n}"), Duration::from_secs(60)).await.unwrap()
        })
    });
    let mut taken = 0;
    for wish in wishes.collect::<Vec<_>>() {
        taken += usize::from(wish.await.unwrap());
    }
    assert_eq!(taken, 1);
}
