//! Usage: events folded into hourly sums, and the sums that changed.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use millrace_domain::aggregates::UsageSum;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row};

use super::{Feed, TRIES};
use crate::fault::{Retry, StoreError};
use crate::usage::service_of;

/// Sequence numbers of one transaction: some hundred milliseconds of work, and what is read again after a fault.
const FOLD: u64 = 100_000;

/// Where the hourly sums are after a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    /// Events up to this sequence number are in the sums.
    pub seq: u64,
    /// The version of the sums that were changed last.
    pub version: u64,
}

/// Adds the next events, up to `reach` and at most 100,000 of them, to the hourly sums: sums and watermark in one transaction.
/// To be called until the answer's `seq` is `reach`.
pub async fn fold_usage(pool: &MySqlPool, reach: u64) -> Result<Folded, StoreError> {
    for _ in 1..TRIES {
        match try_fold(pool, reach).await {
            Err(error) if error.retry() == Retry::AtOnce => tracing::debug!(%error, "folding again"),
            outcome => return outcome,
        }
    }
    try_fold(pool, reach).await
}

async fn try_fold(pool: &MySqlPool, reach: u64) -> Result<Folded, StoreError> {
    let topic = Feed::UsageEvents.topic();
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "INSERT INTO cache_watermarks (topic, seq, version) VALUES (?, 0, 0) ON DUPLICATE KEY UPDATE topic = topic",
    )
    .bind(topic)
    .execute(&mut *transaction)
    .await?;
    let row = sqlx::query("SELECT seq, version FROM cache_watermarks WHERE topic = ? FOR UPDATE")
        .bind(topic)
        .fetch_one(&mut *transaction)
        .await?;
    let before = Folded { seq: row.try_get(0)?, version: row.try_get(1)? };
    if before.seq >= reach {
        return Ok(before);
    }
    let seq = reach.min(before.seq + FOLD);
    let changed = sqlx::query(
        "INSERT INTO usage_hourly (hour, service, cell, events, usage_total, amount, unrated, version) \
         SELECT DATE_FORMAT(e.started_at, '%Y-%m-%d %H:00:00'), e.service, e.cell, COUNT(*), SUM(e.usage_amount), \
                COALESCE(SUM(e.amount), 0), SUM(e.amount IS NULL), ? \
         FROM usage_events e FORCE INDEX (by_seq) WHERE e.seq > ? AND e.seq <= ? GROUP BY 1, 2, 3 \
         ON DUPLICATE KEY UPDATE usage_hourly.events = usage_hourly.events + VALUES(events), \
             usage_hourly.usage_total = usage_hourly.usage_total + VALUES(usage_total), \
             usage_hourly.amount = usage_hourly.amount + VALUES(amount), \
             usage_hourly.unrated = usage_hourly.unrated + VALUES(unrated), usage_hourly.version = VALUES(version)",
    )
    .bind(before.version + 1)
    .bind(before.seq)
    .bind(seq)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    let version = before.version + u64::from(changed > 0);
    sqlx::query("UPDATE cache_watermarks SET seq = ?, version = ? WHERE topic = ?")
        .bind(seq)
        .bind(version)
        .bind(topic)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Folded { seq, version })
}

/// The version at which a page of about `rows` changed sums ends: all sums of a version are in one page.
pub async fn page_end(pool: &MySqlPool, after_version: u64, rows: u64, newest: u64) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT version FROM usage_hourly FORCE INDEX (by_version) WHERE version > ? ORDER BY version LIMIT 1 OFFSET ?",
    )
    .bind(after_version)
    .bind(rows.saturating_sub(1))
    .fetch_optional(pool)
    .await?;
    match row {
        Some(row) => Ok(row.try_get(0)?),
        None => Ok(newest),
    }
}

/// The hourly sums by cell that changed after one version, up to another.
pub async fn changed_hours(pool: &MySqlPool, after_version: u64, to_version: u64) -> Result<Vec<UsageSum>, StoreError> {
    let rows = sqlx::query(
        "SELECT hour AS starts_at, service, cell, events, usage_total, amount, unrated, version \
         FROM usage_hourly FORCE INDEX (by_version) WHERE version > ? AND version <= ?",
    )
    .bind(after_version)
    .bind(to_version)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| sum(row, row.try_get("starts_at")?, Some(row.try_get("cell")?))).collect()
}

/// The sums of one day (UTC) by service and cell that changed after a version.
pub async fn day_by_cell(pool: &MySqlPool, day: NaiveDate, after_version: u64) -> Result<Vec<UsageSum>, StoreError> {
    let (start, end) = span(day);
    let rows = sqlx::query(
        "SELECT service, cell, CAST(SUM(events) AS UNSIGNED) AS events, SUM(usage_total) AS usage_total, SUM(amount) AS amount, \
                CAST(SUM(unrated) AS UNSIGNED) AS unrated, MAX(version) AS version \
         FROM usage_hourly WHERE hour >= ? AND hour < ? GROUP BY service, cell HAVING MAX(version) > ?",
    )
    .bind(start)
    .bind(end)
    .bind(after_version)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| sum(row, start, Some(row.try_get("cell")?))).collect()
}

/// The sums of one day's hours (UTC) by service, over all cells, that changed after a version.
pub async fn day_hours_by_service(
    pool: &MySqlPool,
    day: NaiveDate,
    after_version: u64,
) -> Result<Vec<UsageSum>, StoreError> {
    let (start, end) = span(day);
    let rows = sqlx::query(
        "SELECT hour AS starts_at, service, CAST(SUM(events) AS UNSIGNED) AS events, SUM(usage_total) AS usage_total, \
                SUM(amount) AS amount, CAST(SUM(unrated) AS UNSIGNED) AS unrated, MAX(version) AS version \
         FROM usage_hourly WHERE hour >= ? AND hour < ? GROUP BY hour, service HAVING MAX(version) > ?",
    )
    .bind(start)
    .bind(end)
    .bind(after_version)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| sum(row, row.try_get("starts_at")?, None)).collect()
}

fn span(day: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    let start = day.and_time(NaiveTime::MIN).and_utc();
    (start, start + TimeDelta::days(1))
}

fn sum(row: &MySqlRow, starts_at: DateTime<Utc>, cell: Option<String>) -> Result<UsageSum, StoreError> {
    let code: u8 = row.try_get("service")?;
    let service = service_of(code).ok_or_else(|| StoreError::Stored(format!("no service has the number {code}")))?;
    Ok(UsageSum {
        starts_at,
        service,
        cell,
        events: row.try_get("events")?,
        usage_total: row.try_get("usage_total")?,
        amount: row.try_get("amount")?,
        unrated: row.try_get("unrated")?,
        version: row.try_get("version")?,
    })
}
