//! Records that are refused, by their decoder or by the database, and faults that pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Fixture, TOPIC, event, now, values};
use chrono::Duration;
use millrace_store_mysql::fault::is_sign_in_refused;
use millrace_store_mysql::{pool, rejects};
use millrace_test_support::batches::{batch, several};
use millrace_wire::batch::OutgoingRecord;
use millrace_wire::{PartialBatchResponse, usage};
use rate::Rate;

#[tokio::test]
async fn a_bad_record_is_kept_whole_and_the_batch_goes_on() {
    let fixture = Fixture::new().await;
    let mut records = values([1, 2]);
    records.insert(1, br#"{"event_id":"00000000-0000-0000-0000-000000000009","service":"fax"}"#.to_vec());
    fixture.deliver(1, 5, now(), &records).await;
    assert_eq!(fixture.ledger().await, ["1: 0 8 0 2 0 1"]);
    let listed = rejects::list(&fixture.pool, 0, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].field.as_str(), listed[0].offset, listed[0].partition), ("service", 6, 1));
    let (reject, original) = rejects::show(&fixture.pool, listed[0].reject_id).await.unwrap().unwrap();
    assert_eq!(reject, listed[0]);
    assert_eq!(original.payload.unwrap(), records[1]);
    assert_eq!(original.key.unwrap(), b"key-6");
    assert_eq!(original.headers, r#"[{"origin":[116, 101, 115, 116]}]"#);
    rejects::mark_replayed(&fixture.pool, reject.reject_id, now()).await.unwrap();
    let (reject, _) = rejects::show(&fixture.pool, reject.reject_id).await.unwrap().unwrap();
    assert_eq!(reject.replayed_at, Some(now()));
}

#[tokio::test]
async fn a_value_that_the_database_refuses_makes_a_reject_of_its_record_only() {
    let fixture = Fixture::new().await;
    fixture.database.run("ALTER TABLE usage_events MODIFY cell VARCHAR(9) NOT NULL").await;
    let mut records = values(0..700);
    for n in [13, 640] {
        let mut long = event(n);
        long.cell = Some(millrace_domain::identity::CellId::parse("CASA-00012345").unwrap());
        records[n as usize] = usage::encode(&long);
    }
    fixture.deliver(0, 0, now(), &records).await;
    assert_eq!(fixture.ledger().await, ["0: 0 700 0 698 0 2"]);
    assert_eq!(
        fixture.rejects().await,
        ["0 0 13 store store: error 1406 (22001)", "0 0 640 store store: error 1406 (22001)"]
    );
    assert_eq!(fixture.events().await.len(), 698);
}

#[tokio::test]
async fn a_database_that_is_away_asks_for_the_batch_from_its_first_offset() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let pool = pool::connect(&format!("mysql://nobody@127.0.0.1:{closed}/none"), None).unwrap();
    let rate = Rate::new(pool, Duration::days(400));
    let answer = rate.handle(&batch(TOPIC, 2, 40, now(), &values(0..3))).await.unwrap();
    let mut expected = PartialBatchResponse::default();
    expected.retry(TOPIC, 2, 40);
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_refused_sign_in_asks_for_each_partition_again() {
    let fixture = Fixture::new().await;
    let refused = pool::with(fixture.database.options().username("nobody").password("wrong"));
    let error = refused.acquire().await.err().unwrap();
    assert!(is_sign_in_refused(&error), "{error}");
    let rate = Rate::new(refused, Duration::days(400));
    let record = |offset| OutgoingRecord {
        offset,
        timestamp_ms: now().timestamp_millis(),
        key: None,
        value: Some(values([1]).remove(0)),
        headers: Vec::new(),
    };
    let payload = several(&[(TOPIC, 0, vec![record(3)]), (TOPIC, 1, vec![record(8)])]);
    let mut expected = PartialBatchResponse::default();
    expected.retry(TOPIC, 0, 3);
    expected.retry(TOPIC, 1, 8);
    assert_eq!(rate.handle(&payload).await.unwrap(), expected);
}

#[tokio::test]
async fn a_missing_table_asks_for_a_retry_and_refuses_no_record() {
    let fixture = Fixture::new().await;
    fixture.database.run("RENAME TABLE usage_events TO elsewhere").await;
    let payload = batch(TOPIC, 0, 0, now(), &values(0..3));
    assert_eq!(fixture.rate.handle(&payload).await.unwrap().batch_item_failures.len(), 1);
    fixture.database.run("RENAME TABLE elsewhere TO usage_events").await;
    assert!(fixture.rejects().await.is_empty());
    assert!(fixture.ledger().await.is_empty(), "nothing of the batch was committed");
    assert_eq!(fixture.rate.handle(&payload).await.unwrap(), PartialBatchResponse::default());
    assert_eq!(fixture.ledger().await, ["0: 0 3 0 3 0 0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_killed_lose_and_double_nothing() {
    let fixture = Fixture::new().await;
    let stop = Arc::new(AtomicBool::new(false));
    let killer = {
        let (stop, name, admin) =
            (stop.clone(), fixture.database.name().to_owned(), pool::with(fixture.database.admin()));
        tokio::spawn(async move {
            let mut killed = 0;
            while !stop.load(Ordering::Relaxed) {
                let sql = "SELECT id FROM information_schema.processlist WHERE db = ?";
                let ids: Vec<i64> = sqlx::query_scalar(sql).bind(&name).fetch_all(&admin).await.unwrap();
                for id in ids {
                    // It may have gone by itself.
                    killed += u32::from(
                        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("KILL {id}"))).execute(&admin).await.is_ok(),
                    );
                }
                tokio::time::sleep(std::time::Duration::from_millis(90)).await;
            }
            killed
        })
    };
    // More than one chunk: both connections of a batch are in use.
    let (size, rounds) = (1200, 8);
    for round in 0..rounds {
        let payload = batch(TOPIC, 0, i64::from(round * size), now(), &values(round * size..(round + 1) * size));
        while fixture.rate.handle(&payload).await.unwrap() != PartialBatchResponse::default() {}
    }
    stop.store(true, Ordering::Relaxed);
    assert!(killer.await.unwrap() > 0, "the test must have killed something");
    let total = rounds * size;
    assert_eq!(fixture.ledger().await, [format!("0: 0 {total} 0 {total} 0 0")]);
    assert_eq!(fixture.events().await.len(), total as usize);
}
