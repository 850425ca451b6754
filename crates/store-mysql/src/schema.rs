//! The schema: migrations, and the partitions that are kept ahead of time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::migrate::{Migrate, Migrator};
use sqlx::{AssertSqlSafe, MySqlConnection, MySqlPool, Row as _};

use crate::fault::{self, StoreError};
use crate::month_partitions;

/// How long a run waits for another one, in seconds.
const LOCK_SECONDS: u32 = 240;
/// How long a change of a table waits for those who use it, in seconds. Whoever comes after it waits too, ingest among them.
const TABLE_SECONDS: u32 = 20;
/// How often a run goes on after such a wait was in vain, and how long it leaves the table to others in between.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_secs(10);

/// The migrations of this build. They are locked here and not by sqlx, whose endless wait MariaDB answers at once with NULL.
fn migrations() -> Migrator {
    let mut migrations = sqlx::migrate!("../../migrations");
    migrations.set_locking(false);
    migrations
}

/// Brings the schema up to date and keeps partitions ahead of `now`. Safe to run twice, and by two at once: they follow one
/// another. Returns what was done.
///
/// # Errors
/// When a statement failed; what was done before it stays, and the next run goes on from there.
pub async fn migrate(pool: &MySqlPool, now: DateTime<Utc>) -> Result<Migrated, StoreError> {
    let mut connection = pool.acquire().await?;
    let locked: Option<i64> = sqlx::query("SELECT GET_LOCK(CONCAT('migrate ', LEFT(DATABASE(), 50)), ?)")
        .bind(LOCK_SECONDS)
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    if locked != Some(1) {
        return Err(StoreError::Stored(format!("another migration has been running for {LOCK_SECONDS} s")));
    }
    let outcome = migrate_locked(&mut connection, now).await;
    // The connection goes back to the pool as it came.
    sqlx::query("SET SESSION lock_wait_timeout = DEFAULT").execute(&mut *connection).await?;
    sqlx::query("SELECT RELEASE_LOCK(CONCAT('migrate ', LEFT(DATABASE(), 50)))").execute(&mut *connection).await?;
    outcome
}

/// What a run of [`migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Migrations applied by this run.
    pub applied: usize,
    /// Migrations of this build.
    pub known: usize,
    /// Partitions made by this run.
    pub partitions: usize,
}

async fn migrate_locked(connection: &mut MySqlConnection, now: DateTime<Utc>) -> Result<Migrated, StoreError> {
    let migrations = migrations();
    let table = migrations.table_name.clone();
    sqlx::query(AssertSqlSafe(format!("SET SESSION lock_wait_timeout = {TABLE_SECONDS}")))
        .execute(&mut *connection)
        .await?;
    connection.ensure_migrations_table(&table).await?;
    let before = finished(connection, &table).await?;
    let mut partitions = 0;
    let mut attempt = 1;
    loop {
        match go_on(connection, &migrations, &table, now, &mut partitions).await {
            Err(error) if attempt < ATTEMPTS && fault::is_held(&error) => {
                tracing::warn!(attempt, %error, "others use a table that is to be changed: going on in {PAUSE:?}");
                tokio::time::sleep(PAUSE).await;
                attempt += 1;
            }
            outcome => break outcome?,
        }
    }
    let applied = finished(connection, &table).await?.saturating_sub(before);
    Ok(Migrated { applied, known: migrations.iter().count(), partitions })
}

/// How many migrations were done to their end.
async fn finished(connection: &mut MySqlConnection, table: &str) -> Result<usize, StoreError> {
    let finished = format!("SELECT CAST(COUNT(*) AS UNSIGNED) FROM {table} WHERE success = TRUE");
    let finished: u64 = sqlx::query_scalar(AssertSqlSafe(finished)).fetch_one(connection).await?;
    Ok(usize::try_from(finished).unwrap_or(usize::MAX))
}

/// Does what is left to be done, and counts the partitions that it makes.
async fn go_on(
    connection: &mut MySqlConnection,
    migrations: &Migrator,
    table: &str,
    now: DateTime<Utc>,
    partitions: &mut usize,
) -> Result<(), StoreError> {
    finish_unfinished(connection, migrations, table).await?;
    migrations.run_direct(None, connection, false).await?;
    for table in month_partitions::TABLES {
        *partitions += month_partitions::keep_ahead(connection, table, now).await?;
    }
    Ok(())
}

/// A run that was killed leaves its migration marked unfinished, as DDL cannot be rolled back. Each migration is one statement: it
/// is run again, and if it adds a column that is there by now, it was done to its end before.
async fn finish_unfinished(
    connection: &mut MySqlConnection,
    migrations: &Migrator,
    table: &str,
) -> Result<(), StoreError> {
    let unfinished = format!("SELECT version FROM {table} WHERE success = FALSE ORDER BY version");
    let unfinished: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(unfinished)).fetch_all(&mut *connection).await?;
    for &version in &unfinished {
        tracing::warn!(version, "running an unfinished migration again");
        let migration = migrations.iter().find(|migration| migration.version == version).ok_or_else(|| {
            StoreError::Stored(format!("migration {version} is unfinished, and this build does not know it"))
        })?;
        match sqlx::raw_sql(migration.sql.clone()).execute(&mut *connection).await {
            Err(error) if !fault::is_there_already(&error) => return Err(error.into()),
            _ => {}
        }
        let finished = format!("UPDATE {table} SET success = TRUE, checksum = ? WHERE version = ?");
        sqlx::query(AssertSqlSafe(finished)).bind(&*migration.checksum).bind(version).execute(&mut *connection).await?;
    }
    Ok(())
}
