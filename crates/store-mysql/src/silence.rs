//! Sensors that have fallen silent: found on a schedule, as no record says so. The next reading ends the alarm, in its batch.

use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::alarms::{AlarmKind, Severity};
use millrace_domain::identity::SensorId;
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use crate::alarms::{self, Alarm, State};
use crate::fault::{Retry, StoreError};
use crate::insert;
use crate::sensors::sensor_id;

/// How often the search is run before its fault is handed to the caller.
const ATTEMPTS: u32 = 3;

/// What a search did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Silence {
    /// Alarms opened by this search.
    pub opened: u64,
    /// Sensors that are silent now, those among them.
    pub silent: u64,
    /// Sensors whose temperature alarm is open.
    pub hot: u64,
}

/// Opens an alarm for each sensor that has sent nothing for longer than `after`, and counts on for those that have one. A sensor
/// that never sent anything is waited for from the search that first finds it. Counts sensors that are too hot, too. Running it
/// twice changes nothing.
///
/// # Errors
/// When the database could not be asked; nothing is changed then.
pub async fn find(pool: &MySqlPool, now: DateTime<Utc>, after: TimeDelta) -> Result<Silence, StoreError> {
    let mut attempt = 1;
    loop {
        match Box::pin(attempt_find(pool, now, after)).await {
            Err(error) if attempt < ATTEMPTS && error.retry() == Retry::AtOnce => attempt += 1,
            outcome => return outcome,
        }
    }
}

async fn attempt_find(pool: &MySqlPool, now: DateTime<Utc>, after: TimeDelta) -> Result<Silence, StoreError> {
    let mut transaction = pool.begin().await?;
    wait_for_new_sensors(&mut transaction, now).await?;
    let suspects = suspects(&mut transaction, now - after).await?;
    let mut outcome = Silence::default();
    for suspects in suspects.chunks(insert::MOST) {
        let suspects: Vec<&SensorId> = suspects.iter().collect();
        let mut states = alarms::lock(&mut transaction, &suspects).await?;
        let mut changed = Vec::with_capacity(suspects.len());
        for id in suspects {
            // Under the lock: a reading may have come since the suspects were read.
            let last_reading = states.remove(&(id.clone(), AlarmKind::Temperature)).map(|state| state.judged_at);
            let Some(state) = states.remove(&(id.clone(), AlarmKind::Silent)) else { continue };
            let since = last_reading.unwrap_or(state.judged_at).max(state.judged_at);
            if now - since <= after {
                continue;
            }
            outcome.silent += 1;
            outcome.opened += u64::from(state.open.is_none());
            let seconds = (now - since).num_milliseconds() as f64 / 1000.0;
            let alarm = match state.open {
                Some(alarm) => Alarm { peak_value: alarm.peak_value.max(seconds), ..alarm },
                None => Alarm {
                    alarm_id: 0,
                    severity: Severity::Warning,
                    opened_at: since + after,
                    escalated_at: None,
                    closed_at: None,
                    peak_value: seconds,
                },
            };
            let alarm_id = alarms::store_alarm(&mut transaction, id, AlarmKind::Silent, &alarm).await?;
            let state = State { judged_at: state.judged_at, value: seconds, open: Some(Alarm { alarm_id, ..alarm }) };
            changed.push((id, AlarmKind::Silent, state));
        }
        alarms::save(&mut transaction, &changed).await?;
    }
    outcome.hot = sqlx::query(
        "SELECT CAST(COUNT(*) AS UNSIGNED) FROM sensor_states WHERE kind = 'temperature' AND alarm_id IS NOT NULL",
    )
    .fetch_one(&mut *transaction)
    .await?
    .try_get(0)?;
    transaction.commit().await?;
    Ok(outcome)
}

/// Gives each sensor that is known or was seen a row from which its silence counts.
async fn wait_for_new_sensors(connection: &mut MySqlConnection, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sensor_states (sensor_id, kind, judged_at, value) \
         SELECT s.sensor_id, 'silent', ?, 0 FROM sensors s \
         LEFT JOIN sensor_states k ON k.sensor_id = s.sensor_id AND k.kind = 'silent' WHERE k.sensor_id IS NULL",
    )
    .bind(now.naive_utc())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO sensor_states (sensor_id, kind, judged_at, value) \
         SELECT t.sensor_id, 'silent', t.judged_at, 0 FROM sensor_states t \
         LEFT JOIN sensor_states k ON k.sensor_id = t.sensor_id AND k.kind = 'silent' \
         WHERE t.kind = 'temperature' AND k.sensor_id IS NULL",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The sensors without a reading after `before`, in the order of their ids. Read without a lock.
async fn suspects(connection: &mut MySqlConnection, before: DateTime<Utc>) -> Result<Vec<SensorId>, StoreError> {
    let rows = sqlx::query(
        "SELECT k.sensor_id FROM sensor_states k \
         LEFT JOIN sensor_states t ON t.sensor_id = k.sensor_id AND t.kind = 'temperature' \
         WHERE k.kind = 'silent' AND k.judged_at < ? AND (t.judged_at IS NULL OR t.judged_at < ?) ORDER BY k.sensor_id",
    )
    .bind(before.naive_utc())
    .bind(before.naive_utc())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| sensor_id(row.try_get(0)?)).collect()
}
