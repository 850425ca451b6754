//! What the live page reads: a few rows by key, so that it can ask every second or two.

use chrono::{DateTime, Utc};
use millrace_domain::forecasts::{Crossing, ForecastPoint};
use sqlx::{MySqlPool, Row};

use crate::fault::StoreError;

/// An alarm as the page shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmRow {
    /// Its number.
    pub alarm_id: u64,
    /// The sensor.
    pub sensor_id: String,
    /// The sensor's site, empty where it is unknown.
    pub site: String,
    /// temperature or silent.
    pub kind: String,
    /// warning or critical.
    pub severity: String,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// When the warning became critical.
    pub escalated_at: Option<DateTime<Utc>>,
    /// When it closed; `None` is open.
    pub closed_at: Option<DateTime<Utc>>,
    /// When somebody acknowledged it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// The highest value, in degrees Celsius for a temperature.
    pub peak_value: f64,
}

/// The alarms that opened last, newest first.
pub async fn latest_alarms(pool: &MySqlPool, limit: u32) -> Result<Vec<AlarmRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT a.alarm_id, a.sensor_id, COALESCE(s.site, '') AS site, a.kind, a.severity, a.opened_at, a.escalated_at, \
                a.closed_at, a.acknowledged_at, a.peak_value \
         FROM (SELECT * FROM alarms ORDER BY opened_at DESC, alarm_id DESC LIMIT ?) a \
         LEFT JOIN sensors s ON s.sensor_id = a.sensor_id ORDER BY a.opened_at DESC, a.alarm_id DESC",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(AlarmRow {
                alarm_id: row.try_get("alarm_id")?,
                sensor_id: row.try_get("sensor_id")?,
                site: row.try_get("site")?,
                kind: row.try_get("kind")?,
                severity: row.try_get("severity")?,
                opened_at: row.try_get("opened_at")?,
                escalated_at: row.try_get("escalated_at")?,
                closed_at: row.try_get("closed_at")?,
                acknowledged_at: row.try_get("acknowledged_at")?,
                peak_value: row.try_get("peak_value")?,
            })
        })
        .collect()
}

/// How many alarms are open.
pub async fn open_alarms(pool: &MySqlPool) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT CAST(COUNT(*) AS UNSIGNED) FROM sensor_states WHERE alarm_id IS NOT NULL")
        .fetch_one(pool)
        .await?;
    Ok(row.try_get(0)?)
}

/// A sensor's last judged temperature, as it was committed.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveTemperature {
    /// The sensor.
    pub sensor_id: String,
    /// The sensor's site, empty where it is unknown.
    pub site: String,
    /// When it measured.
    pub measured_at: DateTime<Utc>,
    /// Degrees Celsius.
    pub temperature_c: f64,
    /// The severity of the alarm that is open: warning or critical.
    pub alarm: Option<String>,
}

/// The last judged temperature of up to `limit` sensors, by id.
pub async fn live_temperatures(pool: &MySqlPool, limit: u32) -> Result<Vec<LiveTemperature>, StoreError> {
    let rows = sqlx::query(
        "SELECT t.sensor_id, COALESCE(s.site, '') AS site, t.judged_at, t.value, a.severity \
         FROM sensor_states t LEFT JOIN sensors s ON s.sensor_id = t.sensor_id LEFT JOIN alarms a ON a.alarm_id = t.alarm_id \
         WHERE t.kind = 'temperature' ORDER BY t.sensor_id LIMIT ?",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(LiveTemperature {
                sensor_id: row.try_get("sensor_id")?,
                site: row.try_get("site")?,
                measured_at: row.try_get("judged_at")?,
                temperature_c: row.try_get("value")?,
                alarm: row.try_get("severity")?,
            })
        })
        .collect()
}

/// The thresholds that the latest forecasts cross, the soonest first, at most `limit`.
pub async fn expected_crossings(pool: &MySqlPool, limit: u32) -> Result<Vec<Crossing>, StoreError> {
    let rows = sqlx::query(
        "SELECT series, threshold, direction, expected_at, expected_value, low, high FROM forecast_alerts \
         WHERE open_key IS NOT NULL ORDER BY expected_at, series, threshold LIMIT ?",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let point = ForecastPoint {
                time: row.try_get("expected_at")?,
                value: row.try_get("expected_value")?,
                low: row.try_get("low")?,
                high: row.try_get("high")?,
            };
            let above = row.try_get::<&str, _>("direction")? == "above";
            Ok(Crossing { series: row.try_get("series")?, threshold: row.try_get("threshold")?, above, point })
        })
        .collect()
}

/// The operator's currency, empty before there is an operator.
pub async fn currency(pool: &MySqlPool) -> Result<String, StoreError> {
    let row = sqlx::query("SELECT currency FROM operator WHERE id = 1").fetch_optional(pool).await?;
    match row {
        Some(row) => Ok(row.try_get(0)?),
        None => Ok(String::new()),
    }
}
