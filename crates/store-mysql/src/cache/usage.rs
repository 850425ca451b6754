//! The hourly sums of usage that changed.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use millrace_domain::aggregates::UsageSum;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row};

use super::paging;
use crate::fault::StoreError;
use crate::usage::service_of;

/// The version at which a page of about `rows` changed sums ends: all sums of a version are in one page.
pub async fn page_end(pool: &MySqlPool, after_version: u64, rows: u64, newest: u64) -> Result<u64, StoreError> {
    paging::page_end(pool, "usage_hourly", after_version, rows, newest).await
}

/// The hourly sums by cell that changed after one version, up to another.
pub async fn changed_hours(pool: &MySqlPool, after_version: u64, to_version: u64) -> Result<Vec<UsageSum>, StoreError> {
    let rows = sqlx::query(
        "SELECT hour AS starts_at, service, cell, events, usage_total, amount, CAST(unrated AS UNSIGNED) AS unrated, version \
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
