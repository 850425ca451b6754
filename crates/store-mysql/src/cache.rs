//! What the cache function reads and folds: only what was committed since it looked last.
//!
//! Rows commit out of order, so that a watermark by sequence number alone would pass over those of a batch that is still in
//! flight. [`reach`] therefore share-locks the topic's ledger rows for a moment: every batch locks its own first, so none is then
//! in flight, and every row up to the highest number is there to be seen.

use chrono::{DateTime, Utc};
use sqlx::{Connection, MySql, MySqlConnection, MySqlPool, Row, Transaction};

use crate::fault::{Retry, StoreError};

mod calls;
mod customers;
mod fold;
mod invoiced;
mod paging;
mod revenue;
mod sensor_hours;
mod sensors;
mod uninvoiced;
mod usage;

pub use calls::{calls_page_end, changed_calls};
pub use customers::{NumberedSnapshot, snapshots_after};
pub use fold::{Folded, fold};
pub use invoiced::{Differing, differing_invoices};
pub use revenue::changed_cycles;
pub use sensor_hours::{changed_sensor_hours, fold_sensor_hours, sensor_hours_page_end};
pub use sensors::{latest_of_all, latest_within};
pub use uninvoiced::{Uninvoiced, uninvoiced_charges};
pub use usage::{changed_hours, day_by_cell, day_hours_by_service, page_end};

/// How often a fault that passes is met before it is the caller's.
const TRIES: u32 = 5;

/// How far a topic's rows can be read without missing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The highest sequence number: every row up to it is committed.
    pub seq: u64,
    /// The database's time at that moment: every record committed by then is within reach.
    pub at: DateTime<Utc>,
}

/// The tables that are read by sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// Usage events.
    UsageEvents,
    /// Readings of sensors.
    SensorReadings,
    /// Snapshots of customers.
    CustomerSnapshots,
    /// Scores of those snapshots.
    ChurnScores,
}

impl Feed {
    /// The topic whose records the table holds, or was made of.
    pub const fn topic(self) -> &'static str {
        match self {
            Self::UsageEvents => "usage-events",
            Self::SensorReadings => "sensor-readings",
            Self::CustomerSnapshots | Self::ChurnScores => "customers",
        }
    }

    fn highest_seq(self) -> &'static str {
        match self {
            Self::UsageEvents => "SELECT CAST(COALESCE(MAX(seq), 0) AS UNSIGNED), UTC_TIMESTAMP(3) FROM usage_events",
            Self::SensorReadings => {
                "SELECT CAST(COALESCE(MAX(seq), 0) AS UNSIGNED), UTC_TIMESTAMP(3) FROM sensor_readings"
            }
            Self::CustomerSnapshots => {
                "SELECT CAST(COALESCE(MAX(seq), 0) AS UNSIGNED), UTC_TIMESTAMP(3) FROM customer_snapshots"
            }
            Self::ChurnScores => "SELECT CAST(COALESCE(MAX(seq), 0) AS UNSIGNED), UTC_TIMESTAMP(3) FROM churn_scores",
        }
    }
}

/// How far the rows of `feed` can be read. Waits for the batches that are in flight, and holds new ones up while it does.
pub async fn reach(pool: &MySqlPool, feed: Feed) -> Result<Reach, StoreError> {
    patiently(|| try_reach(pool, feed)).await
}

/// Does work again while it meets faults that pass.
async fn patiently<T, W: Future<Output = Result<T, StoreError>>>(work: impl Fn() -> W) -> Result<T, StoreError> {
    for _ in 1..TRIES {
        match work().await {
            Err(error) if error.retry() == Retry::AtOnce => tracing::debug!(%error, "trying again"),
            outcome => return outcome,
        }
    }
    work().await
}

/// Begins a transaction whose plain reads are all of one snapshot, which the first of them takes.
async fn repeatable_read(connection: &mut MySqlConnection) -> Result<Transaction<'_, MySql>, sqlx::Error> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *connection).await?;
    connection.begin().await
}

async fn try_reach(pool: &MySqlPool, feed: Feed) -> Result<Reach, StoreError> {
    let mut connection = pool.acquire().await?;
    // Repeatable read locks the gaps between the rows too, so that no batch of a partition that has no row yet slips in.
    let mut transaction = repeatable_read(&mut connection).await?;
    sqlx::query("SELECT partition_no FROM ledger WHERE topic = ? LOCK IN SHARE MODE")
        .bind(feed.topic())
        .fetch_all(&mut *transaction)
        .await?;
    // The snapshot is taken after the locks are held.
    let row = sqlx::query(feed.highest_seq()).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Reach { seq: row.try_get(0)?, at: row.try_get(1)? })
}

/// The name of this database, which differs from that of any other and of an earlier one in its place.
pub async fn origin(pool: &MySqlPool) -> Result<String, StoreError> {
    Ok(sqlx::query("SELECT name FROM database_identity WHERE id = 1").fetch_one(pool).await?.try_get(0)?)
}
