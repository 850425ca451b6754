//! Customers' snapshots, in the order in which they came.

use millrace_domain::customers::CustomerSnapshot;
use sqlx::{MySqlPool, Row};

use crate::customers::{columns, snapshot};
use crate::fault::StoreError;

/// A snapshot with its sequence number.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedSnapshot {
    /// Its place among all snapshots.
    pub seq: u64,
    /// What was observed.
    pub snapshot: CustomerSnapshot,
}

/// The first `limit` snapshots numbered after `after`, up to `to`.
pub async fn snapshots_after(
    pool: &MySqlPool,
    after: u64,
    to: u64,
    limit: u32,
) -> Result<Vec<NumberedSnapshot>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT seq, ",
        columns!(),
        " FROM customer_snapshots FORCE INDEX (by_seq) WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
    ))
    .bind(after)
    .bind(to)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(NumberedSnapshot { seq: row.try_get("seq")?, snapshot: snapshot(row)? })).collect()
}
