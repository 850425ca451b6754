//! The latest state of sensors.

use millrace_domain::aggregates::{SensorAlarm, SensorLatest};
use millrace_domain::alarms::Severity;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row};

use crate::fault::StoreError;

/// The latest reading of each sensor among those numbered after `after`, up to `to`.
pub async fn latest_within(pool: &MySqlPool, after: u64, to: u64) -> Result<Vec<SensorLatest>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.sensor_id, r.measured_at, r.temperature_c, r.humidity_pct, r.state, COALESCE(s.site, '') AS site, \
                COALESCE(r.latitude, s.latitude) AS latitude, COALESCE(r.longitude, s.longitude) AS longitude, \
                a.alarm_id, a.severity, a.opened_at \
         FROM (SELECT sensor_id, MAX(measured_at) AS measured_at FROM sensor_readings FORCE INDEX (by_seq) \
               WHERE seq > ? AND seq <= ? GROUP BY sensor_id) l \
         STRAIGHT_JOIN sensor_readings r ON r.measured_at = l.measured_at AND r.sensor_id = l.sensor_id \
         LEFT JOIN sensors s ON s.sensor_id = r.sensor_id \
         LEFT JOIN sensor_states t ON t.sensor_id = r.sensor_id AND t.kind = 'temperature' \
         LEFT JOIN alarms a ON a.alarm_id = t.alarm_id",
    )
    .bind(after)
    .bind(to)
    .fetch_all(pool)
    .await?;
    rows.iter().map(sensor).collect()
}

/// The last judged reading of every sensor whose id follows `after`, by id, at most `limit`. It is what a sensor's whole history
/// comes to, without reading it.
pub async fn latest_of_all(pool: &MySqlPool, after: &str, limit: u32) -> Result<Vec<SensorLatest>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.sensor_id, r.measured_at, r.temperature_c, r.humidity_pct, r.state, COALESCE(s.site, '') AS site, \
                COALESCE(r.latitude, s.latitude) AS latitude, COALESCE(r.longitude, s.longitude) AS longitude, \
                a.alarm_id, a.severity, a.opened_at \
         FROM (SELECT sensor_id, judged_at, alarm_id FROM sensor_states \
               WHERE kind = 'temperature' AND sensor_id > ? ORDER BY sensor_id LIMIT ?) t \
         STRAIGHT_JOIN sensor_readings r ON r.measured_at = t.judged_at AND r.sensor_id = t.sensor_id \
         LEFT JOIN sensors s ON s.sensor_id = r.sensor_id \
         LEFT JOIN alarms a ON a.alarm_id = t.alarm_id ORDER BY r.sensor_id",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(sensor).collect()
}

fn sensor(row: &MySqlRow) -> Result<SensorLatest, StoreError> {
    let alarm = match row.try_get::<Option<u64>, _>("alarm_id")? {
        Some(alarm_id) => Some(SensorAlarm {
            alarm_id,
            severity: severity(row.try_get("severity")?)?
                .ok_or_else(|| StoreError::Stored(format!("alarm {alarm_id} has no severity")))?,
            opened_at: row.try_get("opened_at")?,
        }),
        None => None,
    };
    Ok(SensorLatest {
        sensor_id: row.try_get("sensor_id")?,
        site: row.try_get("site")?,
        measured_at: row.try_get("measured_at")?,
        temperature_c: row.try_get("temperature_c")?,
        humidity_pct: row.try_get("humidity_pct")?,
        latitude: row.try_get("latitude")?,
        longitude: row.try_get("longitude")?,
        state: severity(row.try_get("state")?)?,
        alarm,
    })
}

fn severity(text: &str) -> Result<Option<Severity>, StoreError> {
    match text {
        "normal" => Ok(None),
        "warning" => Ok(Some(Severity::Warning)),
        "critical" => Ok(Some(Severity::Critical)),
        other => {
            Err(StoreError::Stored(format!("a sensor's state is {other:?}, expected normal, warning or critical")))
        }
    }
}
