//! Readings become sums by hour and sensor.

use millrace_domain::aggregates::SensorHour;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row};

use super::{Feed, Folded, paging, patiently};
use crate::fault::StoreError;

/// Sequence numbers of one transaction: some hundred milliseconds of work.
const FOLD: u64 = 200_000;

/// Adds the next readings, up to `reach` and at most 200,000 of them, to the sums: sums and watermark in one transaction. To be
/// called until the answer is complete.
pub async fn fold_sensor_hours(pool: &MySqlPool, reach: u64) -> Result<Folded, StoreError> {
    patiently(|| Box::pin(try_fold(pool, reach))).await
}

async fn try_fold(pool: &MySqlPool, reach: u64) -> Result<Folded, StoreError> {
    let topic = Feed::SensorReadings.topic();
    // Read committed, as every session is: the readings that are summed are not locked, and none within reach is still to come.
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "INSERT INTO cache_watermarks (topic, seq, version) VALUES (?, 0, 0) ON DUPLICATE KEY UPDATE topic = topic",
    )
    .bind(topic)
    .execute(&mut *transaction)
    .await?;
    let mark = sqlx::query("SELECT seq, version FROM cache_watermarks WHERE topic = ? FOR UPDATE")
        .bind(topic)
        .fetch_one(&mut *transaction)
        .await?;
    let (before, version): (u64, u64) = (mark.try_get("seq")?, mark.try_get("version")?);
    let to = reach.min(before + FOLD);
    if to <= before {
        transaction.rollback().await?;
        return Ok(Folded { seq: before, version, complete: true });
    }
    let changed = sqlx::query(
        "INSERT INTO sensor_hourly (hour, sensor_id, readings, temperature_sum, temperature_max, version) \
         SELECT CAST(DATE_FORMAT(measured_at, '%Y-%m-%d %H:00:00') AS DATETIME), sensor_id, COUNT(*), SUM(temperature_c), \
                MAX(temperature_c), ? \
         FROM sensor_readings FORCE INDEX (by_seq) WHERE seq > ? AND seq <= ? \
         GROUP BY CAST(DATE_FORMAT(measured_at, '%Y-%m-%d %H:00:00') AS DATETIME), sensor_id \
         ON DUPLICATE KEY UPDATE readings = sensor_hourly.readings + VALUES(readings), \
             temperature_sum = sensor_hourly.temperature_sum + VALUES(temperature_sum), \
             temperature_max = GREATEST(sensor_hourly.temperature_max, VALUES(temperature_max)), version = VALUES(version)",
    )
    .bind(version + 1)
    .bind(before)
    .bind(to)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    let version = version + u64::from(changed > 0);
    sqlx::query("UPDATE cache_watermarks SET seq = ?, version = ? WHERE topic = ?")
        .bind(to)
        .bind(version)
        .bind(topic)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Folded { seq: to, version, complete: to >= reach })
}

/// The version at which a page of about `rows` changed hours ends: all hours of a version are in one page.
pub async fn sensor_hours_page_end(
    pool: &MySqlPool,
    after_version: u64,
    rows: u64,
    newest: u64,
) -> Result<u64, StoreError> {
    paging::page_end(pool, "sensor_hourly", after_version, rows, newest).await
}

/// The hours of sensors that changed after one version, up to another, with what is known of the sensor now.
pub async fn changed_sensor_hours(
    pool: &MySqlPool,
    after_version: u64,
    to_version: u64,
) -> Result<Vec<SensorHour>, StoreError> {
    let rows = sqlx::query(
        "SELECT h.hour, h.sensor_id, h.readings, h.temperature_sum, h.temperature_max, h.version, COALESCE(s.site, '') AS site, \
                s.critical_c \
         FROM sensor_hourly h FORCE INDEX (by_version) LEFT JOIN sensors s ON s.sensor_id = h.sensor_id \
         WHERE h.version > ? AND h.version <= ?",
    )
    .bind(after_version)
    .bind(to_version)
    .fetch_all(pool)
    .await?;
    rows.iter().map(hour).collect()
}

fn hour(row: &MySqlRow) -> Result<SensorHour, StoreError> {
    let readings: u64 = row.try_get("readings")?;
    let sum: f64 = row.try_get("temperature_sum")?;
    Ok(SensorHour {
        sensor_id: row.try_get("sensor_id")?,
        site: row.try_get("site")?,
        hour: row.try_get("hour")?,
        readings,
        mean_c: sum / readings.max(1) as f64,
        max_c: row.try_get("temperature_max")?,
        critical_c: row.try_get("critical_c")?,
        version: row.try_get("version")?,
    })
}
