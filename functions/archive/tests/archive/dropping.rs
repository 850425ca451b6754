//! A month goes only when it stands whole in the archive and nobody needs it any more.

use std::collections::BTreeMap;
use std::time::Duration;

use archive::part_key;
use bytes::Bytes;
use millrace_store_mysql::archive::Dataset;
use sqlx::{Connection, Executor};
use tokio::time::{sleep, timeout};

use crate::support::{NUMBER, World, day};

/// After the last event of March 2026 can come.
const LATER: &str = "2027-06-01T00:00:00Z";

/// An operator with five events of March and one of April, all stored on two days of March.
async fn march() -> World {
    let world = World::new().await;
    world.store(NUMBER, &["2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z"]).await;
    world.stored_at("2026-03-01 12:00:00").await;
    world.store(NUMBER, &["2026-03-02T08:00:00Z", "2026-04-02T08:00:00Z"]).await;
    world.store("46799999999", &["2026-03-31T23:59:59.999Z"]).await;
    world.stored_at("2026-03-02 12:00:00").await;
    world
}

/// What bill and cache do with March.
async fn finish(world: &World) {
    world
        .database
        .run(
            "INSERT INTO closed_cycles (account_no, cycle, starts_at, ends_at, closed_at, invoiced)
             VALUES (1, 202603, '2026-03-01', '2026-04-01', '2026-04-03', TRUE);
             INSERT INTO cache_watermarks (topic, seq, version) VALUES ('usage-events', 6, 1)",
        )
        .await;
}

impl World {
    async fn refused(&self, month: &str, now: &str, reason: &str) {
        let error = self.drop(month, now).await.unwrap_err();
        assert!(error.starts_with(&format!("{month} is not dropped: ")) && error.contains(reason), "{error}");
        assert_eq!(self.database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM usage_events").await, ["6"]);
        assert_eq!(self.database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM dropped_months").await, ["0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_is_archived_billed_and_past_goes_and_its_events_stay_in_the_archive() {
    let world = march().await;
    world.run("2026-03-02").await;
    finish(&world).await;
    assert_eq!(world.drop("2026-03", LATER).await, Ok(5));
    assert_eq!(
        world.database.texts("SELECT CAST(started_at AS CHAR) FROM usage_events").await,
        ["2026-04-02 08:00:00.000"]
    );
    assert_eq!(world.database.texts("SELECT CONCAT_WS(' ', month, row_count) FROM dropped_months").await, ["202603 5"]);
    assert_eq!(world.rows(Dataset::UsageEvents, "2026-03-01").await.len(), 3);
    assert!(world.drop("2026-03", LATER).await.unwrap_err().contains("it has no partition"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_stays_while_its_events_may_still_come_be_billed_or_be_summed() {
    let world = march().await;
    world.run("2026-03-02").await;
    world.refused("2026-03", "2027-05-05T00:00:00Z", "events of the last 400 days are still accepted").await;
    world.refused("2026-03", LATER, "the cache has not summed all of its events").await;
    world.database.run("INSERT INTO cache_watermarks (topic, seq, version) VALUES ('usage-events', 6, 1)").await;
    world.refused("2026-03", LATER, "cycle 2026-03 of account A-1 is not closed and invoiced").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_stays_while_the_archive_lacks_some_of_its_events() {
    let world = march().await;
    finish(&world).await;
    world.refused("2026-03", LATER, "the table has 5 of its rows, the archive 0").await;
    world.run("2026-03-01").await;
    world.refused("2026-03", LATER, "the table has 5 of its rows, the archive 3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_stays_when_a_file_of_it_was_changed_or_is_gone() {
    let world = march().await;
    world.run("2026-03-02").await;
    finish(&world).await;
    let key = part_key(Dataset::UsageEvents, day("2026-03-02"), 0);
    let whole = world.objects.get(&key).await.unwrap().body;
    let mut changed = whole.to_vec();
    changed[100] ^= 1;
    world.objects.put(&key, Bytes::from(changed), "", &BTreeMap::new()).await.unwrap();
    world.refused("2026-03", LATER, &format!("{key} is not what was written")).await;
    world.objects.delete(&key).await.unwrap();
    world.refused("2026-03", LATER, &format!("{key} is missing")).await;
    world.objects.put(&key, whole, "", &BTreeMap::new()).await.unwrap();

    let manifest = archive::key(Dataset::UsageEvents, day("2026-03-01"));
    let whole = world.objects.get(&manifest).await.unwrap().body;
    let fewer = String::from_utf8(whole.to_vec()).unwrap().replace("\"rows\": 3", "\"rows\": 2");
    world.objects.put(&manifest, Bytes::from(fewer), "", &BTreeMap::new()).await.unwrap();
    world.refused("2026-03", LATER, &format!("{manifest} is not what was written")).await;
    world.objects.put(&manifest, whole, "", &BTreeMap::new()).await.unwrap();
    assert_eq!(world.drop("2026-03", LATER).await, Ok(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_whose_table_cannot_be_locked_stays_and_is_not_noted_as_dropped() {
    let world = march().await;
    world.run("2026-03-02").await;
    finish(&world).await;
    let mut reader = world.pool.acquire().await.unwrap().detach();
    reader.execute(sqlx::raw_sql("LOCK TABLES usage_events READ")).await.unwrap();
    // As when it waited too long, but at once.
    let interrupted = timeout(Duration::from_secs(15), async {
        let waiting = "SELECT CAST(id AS CHAR) FROM information_schema.processlist \
                       WHERE db = DATABASE() AND info = 'LOCK TABLES usage_events WRITE'";
        loop {
            if let [waits] = &world.database.texts(waiting).await[..] {
                break world.database.run(&format!("KILL QUERY {waits}")).await;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    let (dropped, interrupted) = tokio::join!(world.drop("2026-03", LATER), interrupted);
    let error = dropped.unwrap_err();
    assert!(interrupted.is_ok() && error.contains("interrupted"), "{error}");
    assert_eq!(world.database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM dropped_months").await, ["0"]);
    reader.close().await.unwrap();
    assert_eq!(world.drop("2026-03", LATER).await, Ok(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_stays_while_bill_is_at_work_or_an_adjustment_is_not_archived() {
    let world = march().await;
    world.run("2026-03-02").await;
    finish(&world).await;
    world.database.run("INSERT INTO leases (name, holder, expires_at) VALUES ('billing', 'bill', '2099-01-01')").await;
    world.refused("2026-03", LATER, "bill or a re-rating is at work").await;
    world.database.run("UPDATE leases SET expires_at = '2026-01-01'").await;
    world
        .database
        .run(
            "INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, difference)
             SELECT 1, started_at, event_id, service, subscriber, cell, usage_amount, 0 FROM usage_events WHERE seq = 1",
        )
        .await;
    world.refused("2026-03", LATER, "the adjustments are not archived yet").await;
    world.stored_at("2026-03-03 12:00:00").await;
    world.run("2026-03-03").await;
    assert_eq!(world.drop("2026-03", LATER).await, Ok(5));
}
