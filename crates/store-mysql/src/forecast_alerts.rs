//! Thresholds that forecasts cross: an alert is open while the latest forecast of its series expects the crossing.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use millrace_domain::forecasts::Crossing;
use sqlx::{MySqlConnection, MySqlPool, Row};

use crate::fault::{Retry, StoreError};

/// How often a fault that passes is met before it is the caller's.
const TRIES: u32 = 3;

/// What new forecasts changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// Alerts that were opened.
    pub opened: u64,
    /// Alerts that were closed, as their crossing is no longer expected.
    pub closed: u64,
    /// Alerts that are open now, of any series.
    pub open: u64,
}

/// Opens alerts for the crossings that the forecasts made at `made_at` expect, brings open ones up to date, and closes those of
/// the series in `judged` that are no longer expected. Running it twice changes nothing.
///
/// # Errors
/// When the database could not be asked; nothing is changed then.
pub async fn update(
    pool: &MySqlPool,
    judged: &HashSet<String>,
    crossings: &[Crossing],
    made_at: DateTime<Utc>,
) -> Result<Changed, StoreError> {
    let mut attempt = 1;
    loop {
        match Box::pin(try_update(pool, judged, crossings, made_at)).await {
            Err(error) if attempt < TRIES && error.retry() == Retry::AtOnce => attempt += 1,
            outcome => return outcome,
        }
    }
}

async fn try_update(
    pool: &MySqlPool,
    judged: &HashSet<String>,
    crossings: &[Crossing],
    made_at: DateTime<Utc>,
) -> Result<Changed, StoreError> {
    let mut transaction = pool.begin().await?;
    let rows =
        sqlx::query("SELECT alert_id, open_key, series FROM forecast_alerts WHERE open_key IS NOT NULL FOR UPDATE")
            .fetch_all(&mut *transaction)
            .await?;
    let mut open: HashMap<String, (u64, String)> = HashMap::new();
    for row in rows {
        open.insert(row.try_get("open_key")?, (row.try_get("alert_id")?, row.try_get("series")?));
    }
    let mut changed = Changed::default();
    for crossing in crossings {
        let key = key(crossing);
        changed.opened += u64::from(open.remove(&key).is_none());
        changed.open += 1;
        save(&mut transaction, &key, crossing, made_at).await?;
    }
    for (alert_id, series) in open.into_values() {
        if !judged.contains(&series) {
            changed.open += 1;
            continue;
        }
        sqlx::query("UPDATE forecast_alerts SET open_key = NULL, closed_at = ? WHERE alert_id = ?")
            .bind(made_at.naive_utc())
            .bind(alert_id)
            .execute(&mut *transaction)
            .await?;
        changed.closed += 1;
    }
    transaction.commit().await?;
    Ok(changed)
}

fn key(crossing: &Crossing) -> String {
    format!("{} {} {}", crossing.series, direction(crossing), crossing.threshold)
}

fn direction(crossing: &Crossing) -> &'static str {
    if crossing.above { "above" } else { "below" }
}

async fn save(
    connection: &mut MySqlConnection,
    key: &str,
    crossing: &Crossing,
    made_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO forecast_alerts \
             (open_key, series, threshold, direction, expected_at, expected_value, low, high, opened_at, forecast_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE expected_at = VALUES(expected_at), expected_value = VALUES(expected_value), low = VALUES(low), \
             high = VALUES(high), forecast_at = VALUES(forecast_at)",
    )
    .bind(key)
    .bind(&crossing.series)
    .bind(crossing.threshold)
    .bind(direction(crossing))
    .bind(crossing.point.time.naive_utc())
    .bind(crossing.point.value)
    .bind(crossing.point.low)
    .bind(crossing.point.high)
    .bind(made_at.naive_utc())
    .bind(made_at.naive_utc())
    .execute(connection)
    .await?;
    Ok(())
}
