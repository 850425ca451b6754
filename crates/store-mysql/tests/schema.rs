//! Changing a table that others use, on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use millrace_store_mysql::{pool, schema};
use millrace_test_support::mysql::TestDatabase;

fn first_of(month: &str) -> DateTime<Utc> {
    format!("{month}-01T03:00:00Z").parse().unwrap()
}

#[tokio::test]
async fn a_table_that_is_read_for_long_is_changed_later_and_others_use_it_meanwhile() {
    let database = TestDatabase::create().await;
    let pool = pool::with(database.options());
    schema::migrate(&pool, first_of("2026-11")).await.unwrap();
    let readers = pool::with(database.options());
    let mut report = readers.begin().await.unwrap();
    sqlx::query("SELECT COUNT(*) FROM usage_events").execute(&mut *report).await.unwrap();

    let meanwhile = async {
        let changes = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.processlist \
                       WHERE db = DATABASE() AND info LIKE 'ALTER TABLE usage_events%'";
        let begun = Instant::now();
        while database.texts(changes).await != ["1"] {
            assert!(begun.elapsed() < Duration::from_secs(30), "the change waits for the report");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // It stands behind the change, which stands behind the report: were the change to wait for ever, so would this.
        let ingest = sqlx::query("SELECT COUNT(*) FROM usage_events").execute(&readers);
        tokio::time::timeout(Duration::from_secs(120), ingest).await.expect("the change gives way").unwrap();
        report.rollback().await.unwrap();
    };
    let (changed, ()) = tokio::join!(schema::migrate(&pool, first_of("2027-01")), meanwhile);
    assert_eq!(changed.unwrap().partitions, 4);
}
