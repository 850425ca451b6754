//! Migrations on a real database: twice, by two at once, and after one that was killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeZone, Utc};
use migrate::Migrate;
use millrace_secrets::Credentials;
use millrace_store_mysql::accounts::Role;
use millrace_store_mysql::pool;
use millrace_test_support::mysql::TestDatabase;

fn november() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap()
}

async fn partitions(database: &TestDatabase, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT CAST(partition_name AS CHAR) FROM information_schema.partitions \
         WHERE table_schema = DATABASE() AND table_name = '{table}' ORDER BY partition_ordinal_position"
    );
    database.texts(&sql).await
}

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() {
    let database = TestDatabase::create().await;
    let migrate = Migrate::new(pool::with(database.options()));
    let first = migrate.run(november(), &[]).await.unwrap();
    assert_eq!((first.applied, first.partitions), (first.known, 36));
    let second = migrate.run(november(), &[]).await.unwrap();
    assert_eq!((second.applied, second.partitions), (0, 0));
    let made = partitions(&database, "usage_events").await;
    assert_eq!(
        (made.first().unwrap().as_str(), made[17].as_str(), made[18].as_str()),
        ("p202509", "p202702", "p_later")
    );
}

#[tokio::test]
async fn the_next_months_are_kept_ahead_and_rows_stay() {
    let database = TestDatabase::create().await;
    let migrate = Migrate::new(pool::with(database.options()));
    migrate.run(november(), &[]).await.unwrap();
    database
        .run("INSERT INTO sensor_readings (measured_at, sensor_id, temperature_c, state) VALUES ('2027-03-05', 'S-1', 20, 'normal')")
        .await;
    let january = Utc.with_ymd_and_hms(2027, 1, 1, 3, 0, 0).unwrap();
    assert_eq!(migrate.run(january, &[]).await.unwrap().partitions, 4);
    assert_eq!(partitions(&database, "sensor_readings").await[18..], ["p202703", "p202704", "p_later"]);
    let moved = database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM sensor_readings PARTITION (p202703)").await;
    assert_eq!(moved, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_follow_one_another() {
    let database = TestDatabase::create().await;
    let (one, two) = (Migrate::new(pool::with(database.options())), Migrate::new(pool::with(database.options())));
    let (one, two) = tokio::join!(one.run(november(), &[]), two.run(november(), &[]));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.applied + two.applied, one.known);
    assert_eq!(one.partitions + two.partitions, 36);
}

#[tokio::test]
async fn a_migration_that_a_kill_left_unfinished_is_run_again() {
    let database = TestDatabase::create().await;
    let migrate = Migrate::new(pool::with(database.options()));
    migrate.run(november(), &[]).await.unwrap();
    // A kill leaves the mark and no table, or the mark and the table.
    database.run("DROP TABLE leases").await;
    database
        .run("UPDATE _sqlx_migrations SET success = FALSE WHERE description IN ('create leases', 'create rejects')")
        .await;
    let again = migrate.run(november(), &[]).await.unwrap();
    assert_eq!(again.applied, 2);
    assert_eq!(database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM leases").await, ["0"]);
}

#[tokio::test]
async fn an_added_column_is_found_whether_the_kill_came_before_or_after_it() {
    let database = TestDatabase::create().await;
    let migrate = Migrate::new(pool::with(database.options()));
    migrate.run(november(), &[]).await.unwrap();
    let kill = "UPDATE _sqlx_migrations SET success = FALSE WHERE description = 'add billing to usage events'";
    let columns = "SELECT CONCAT(GROUP_CONCAT(column_name ORDER BY 1)) FROM information_schema.columns \
                   WHERE table_schema = DATABASE() AND table_name = 'usage_events' AND column_name IN ('bill_cycle', 'allowance_used')";
    for drop in ["", "ALTER TABLE usage_events DROP COLUMN bill_cycle, DROP COLUMN allowance_used;"] {
        database.run(&format!("{drop} {kill}")).await;
        assert_eq!(migrate.run(november(), &[]).await.unwrap().applied, 1);
        assert_eq!(migrate.run(november(), &[]).await.unwrap().applied, 0);
        assert_eq!(database.texts(columns).await, ["allowance_used,bill_cycle"], "after {drop:?}");
    }
    // Any other fault is one, and the migration stays unfinished.
    database.run(&format!("RENAME TABLE usage_events TO elsewhere; {kill}")).await;
    assert!(migrate.run(november(), &[]).await.is_err());
    database.run("RENAME TABLE elsewhere TO usage_events").await;
    assert_eq!(migrate.run(november(), &[]).await.unwrap().applied, 1);
}

#[test]
fn a_secret_of_a_user_that_is_none_of_the_platform_s_is_refused() {
    let user = |name: &str| Credentials { username: name.into(), password: "password".into() };
    let accounts = migrate::accounts(vec![user("millrace"), user("bi")]).unwrap();
    assert_eq!(accounts.iter().map(|account| account.role).collect::<Vec<_>>(), [Role::Functions, Role::Readers]);
    let error = migrate::accounts(vec![user("bi"), user("root")]).unwrap_err().to_string();
    assert_eq!(error, "MILLRACE_MYSQL_USER_SECRET_ARNS: expected the users millrace and bi, not root");
}
