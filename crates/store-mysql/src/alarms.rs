//! Alarms of sensors: opened, escalated and closed in the transaction that stores the readings.
//!
//! Each sensor has a state row for each kind of alarm. A batch locks those of its sensors in the order of their keys, and so does
//! the search for silent sensors, so the two never wait for one another in a circle.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use millrace_domain::alarms::{AlarmKind, Severity, Transition, judge as judge_value};
use millrace_domain::identity::SensorId;
use sqlx::mysql::MySqlArguments;
use sqlx::{MySqlConnection, Row as _};

use crate::fault::StoreError;
use crate::insert::{self, Statement, add};
use crate::sensors::{Limits, sensor_id};

/// A stored reading that is to be judged.
pub(crate) struct Judged {
    pub(crate) sensor_id: SensorId,
    pub(crate) measured_at: DateTime<Utc>,
    pub(crate) value: f64,
}

/// A state row, with its open alarm.
pub(crate) struct State {
    pub(crate) judged_at: DateTime<Utc>,
    pub(crate) value: f64,
    pub(crate) open: Option<Alarm>,
}

/// An alarm as it is or is to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alarm {
    /// 0 until it is stored.
    pub(crate) alarm_id: u64,
    pub(crate) severity: Severity,
    pub(crate) opened_at: DateTime<Utc>,
    pub(crate) escalated_at: Option<DateTime<Utc>>,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    pub(crate) peak_value: f64,
}

/// The states of some sensors, by sensor and kind.
pub(crate) type States = HashMap<(SensorId, AlarmKind), State>;

/// Judges readings in the order of their time, each against the one before. A reading older than the last judged one of its
/// sensor is left out. Returns how many alarms were opened.
pub(crate) async fn judge(
    connection: &mut MySqlConnection,
    limits: &Limits,
    mut readings: Vec<Judged>,
) -> Result<u64, StoreError> {
    let mut opened = 0;
    readings.sort_unstable_by(|a, b| (&a.sensor_id, a.measured_at).cmp(&(&b.sensor_id, b.measured_at)));
    for readings in by_sensors(&readings) {
        let sensors: Vec<&SensorId> =
            readings.chunk_by(|a, b| a.sensor_id == b.sensor_id).map(|some| &some[0].sensor_id).collect();
        let mut states = lock(connection, &sensors).await?;
        let mut changed = Vec::with_capacity(sensors.len());
        for readings in readings.chunk_by(|a, b| a.sensor_id == b.sensor_id) {
            let id = &readings[0].sensor_id;
            let temperature = states.remove(&(id.clone(), AlarmKind::Temperature));
            let silent = states.remove(&(id.clone(), AlarmKind::Silent));
            let last_judged = temperature.as_ref().map(|state| state.judged_at);
            let old = readings.partition_point(|reading| last_judged.is_some_and(|last| reading.measured_at <= last));
            let fresh = &readings[old..];
            let Some(first) = fresh.first() else { continue };
            if let Some(state) = silent.and_then(|state| end_silence(state, last_judged, first.measured_at)) {
                let state = store_alarms(connection, id, AlarmKind::Silent, state).await?;
                changed.push((id, AlarmKind::Silent, state));
            }
            let state = judge_sensor(limits, temperature, fresh);
            if let Some(state) = state {
                opened += state.opened();
                let state = store_alarms(connection, id, AlarmKind::Temperature, state).await?;
                changed.push((id, AlarmKind::Temperature, state));
            }
        }
        save(connection, &changed).await?;
    }
    Ok(opened)
}

/// Divides sorted readings so that no part has more sensors than one statement can name.
fn by_sensors(readings: &[Judged]) -> impl Iterator<Item = &[Judged]> {
    let mut rest = readings;
    std::iter::from_fn(move || {
        let end: usize = rest.chunk_by(|a, b| a.sensor_id == b.sensor_id).take(insert::MOST).map(<[_]>::len).sum();
        let (part, after) = rest.split_at(end);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// A state whose alarms are to be stored: those that ended, and the one that is open.
struct Next {
    judged_at: DateTime<Utc>,
    value: f64,
    ended: Vec<Alarm>,
    open: Option<Alarm>,
}

impl Next {
    /// How many of the alarms are new.
    fn opened(&self) -> u64 {
        self.ended.iter().chain(&self.open).filter(|alarm| alarm.alarm_id == 0).count() as u64
    }
}

/// A reading came: the silence is over.
fn end_silence(state: State, last_judged: Option<DateTime<Utc>>, measured_at: DateTime<Utc>) -> Option<Next> {
    let mut alarm = state.open?;
    let since = last_judged.unwrap_or(state.judged_at);
    let seconds = (measured_at - since).num_milliseconds() as f64 / 1000.0;
    alarm.peak_value = alarm.peak_value.max(seconds);
    // A reading that was under way for long may be older than the alarm that its absence opened.
    alarm.closed_at = Some(measured_at.max(alarm.opened_at));
    Some(Next { judged_at: measured_at, value: 0.0, ended: vec![alarm], open: None })
}

fn judge_sensor(limits: &Limits, state: Option<State>, readings: &[Judged]) -> Option<Next> {
    let mut open = state.and_then(|state| state.open);
    let mut ended = Vec::new();
    let mut last = None;
    for reading in readings {
        let (at, value) = (reading.measured_at, reading.value);
        last = Some((at, value));
        if let Some(alarm) = &mut open {
            alarm.peak_value = alarm.peak_value.max(value);
        }
        match judge_value(value, limits.of(&reading.sensor_id), open.as_ref().map(|alarm| alarm.severity)) {
            Transition::None => {}
            Transition::Open(severity) => {
                open = Some(Alarm {
                    alarm_id: 0,
                    severity,
                    opened_at: at,
                    escalated_at: None,
                    closed_at: None,
                    peak_value: value,
                });
            }
            Transition::Escalate => {
                if let Some(alarm) = &mut open {
                    alarm.severity = Severity::Critical;
                    alarm.escalated_at = Some(at);
                }
            }
            Transition::Close => ended.extend(open.take().map(|alarm| Alarm { closed_at: Some(at), ..alarm })),
        }
    }
    last.map(|(judged_at, value)| Next { judged_at, value, ended, open })
}

static LOCK: Statement = Statement::new(
    "SELECT sensor_id, kind, judged_at, value, alarm_id FROM sensor_states WHERE sensor_id IN (",
    "?",
    ") ORDER BY sensor_id, kind FOR UPDATE",
);

static OPEN: Statement = Statement::new(
    "SELECT alarm_id, severity, opened_at, escalated_at, peak_value FROM alarms WHERE alarm_id IN (",
    "?",
    ")",
);

/// Locks and reads the state rows of `sensors`, which are sorted and at most [`insert::MOST`].
pub(crate) async fn lock(connection: &mut MySqlConnection, sensors: &[&SensorId]) -> Result<States, StoreError> {
    let rows = insert::select_by(connection, &LOCK, sensors.iter().map(|id| id.as_str())).await?;
    let open: Vec<u64> = rows
        .iter()
        .filter_map(|row| row.try_get::<Option<u64>, _>("alarm_id").transpose())
        .collect::<Result<_, _>>()?;
    let mut alarms = open_alarms(connection, &open).await?;
    rows.iter()
        .map(|row| {
            let kind = kind(row.try_get("kind")?)?;
            let alarm_id: Option<u64> = row.try_get("alarm_id")?;
            let state = State {
                judged_at: row.try_get("judged_at")?,
                value: row.try_get("value")?,
                open: alarm_id.and_then(|alarm_id| alarms.remove(&alarm_id)),
            };
            Ok(((sensor_id(row.try_get("sensor_id")?)?, kind), state))
        })
        .collect()
}

async fn open_alarms(connection: &mut MySqlConnection, numbers: &[u64]) -> Result<HashMap<u64, Alarm>, StoreError> {
    let mut alarms = HashMap::with_capacity(numbers.len());
    for row in insert::select_by(connection, &OPEN, numbers.iter().copied()).await? {
        let alarm = Alarm {
            alarm_id: row.try_get("alarm_id")?,
            severity: severity(row.try_get("severity")?)?,
            opened_at: row.try_get("opened_at")?,
            escalated_at: row.try_get("escalated_at")?,
            closed_at: None,
            peak_value: row.try_get("peak_value")?,
        };
        alarms.insert(alarm.alarm_id, alarm);
    }
    Ok(alarms)
}

fn kind(text: &str) -> Result<AlarmKind, StoreError> {
    [AlarmKind::Temperature, AlarmKind::Silent]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| StoreError::Stored(format!("sensor_states.kind {text} is unknown")))
}

fn severity(text: &str) -> Result<Severity, StoreError> {
    [Severity::Warning, Severity::Critical]
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| StoreError::Stored(format!("alarms.severity {text} is unknown")))
}

/// Stores the alarms of a state and returns the state with the number of the one that is open.
async fn store_alarms(
    connection: &mut MySqlConnection,
    id: &SensorId,
    kind: AlarmKind,
    next: Next,
) -> Result<State, StoreError> {
    for alarm in &next.ended {
        store_alarm(connection, id, kind, alarm).await?;
    }
    let mut open = next.open;
    if let Some(alarm) = &mut open {
        alarm.alarm_id = store_alarm(connection, id, kind, alarm).await?;
    }
    Ok(State { judged_at: next.judged_at, value: next.value, open })
}

/// Inserts or changes an alarm and returns its number.
pub(crate) async fn store_alarm(
    connection: &mut MySqlConnection,
    id: &SensorId,
    kind: AlarmKind,
    alarm: &Alarm,
) -> Result<u64, StoreError> {
    if alarm.alarm_id == 0 {
        let inserted = sqlx::query(
            "INSERT INTO alarms (sensor_id, kind, severity, opened_at, escalated_at, closed_at, peak_value) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.as_str())
        .bind(kind.as_str())
        .bind(alarm.severity.as_str())
        .bind(alarm.opened_at)
        .bind(alarm.escalated_at)
        .bind(alarm.closed_at)
        .bind(alarm.peak_value)
        .execute(connection)
        .await?;
        return Ok(inserted.last_insert_id());
    }
    sqlx::query("UPDATE alarms SET severity = ?, escalated_at = ?, closed_at = ?, peak_value = ? WHERE alarm_id = ?")
        .bind(alarm.severity.as_str())
        .bind(alarm.escalated_at)
        .bind(alarm.closed_at)
        .bind(alarm.peak_value)
        .bind(alarm.alarm_id)
        .execute(connection)
        .await?;
    Ok(alarm.alarm_id)
}

static SAVE: Statement = Statement::new(
    "INSERT INTO sensor_states (sensor_id, kind, judged_at, value, alarm_id) VALUES ",
    "(?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE judged_at = VALUES(judged_at), value = VALUES(value), alarm_id = VALUES(alarm_id)",
);

/// Writes state rows that this transaction has locked, or that are new.
pub(crate) async fn save(
    connection: &mut MySqlConnection,
    states: &[(&SensorId, AlarmKind, State)],
) -> Result<(), StoreError> {
    Ok(insert::insert_all(connection, &SAVE, states).await?)
}

impl insert::Row for (&SensorId, AlarmKind, State) {
    const COLUMNS: usize = 5;
    const BYTES: usize = 80;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let (id, kind, state) = self;
        add(arguments, id.as_str())?;
        add(arguments, kind.as_str())?;
        add(arguments, state.judged_at.naive_utc())?;
        add(arguments, state.value)?;
        add(arguments, state.open.as_ref().map(|alarm| alarm.alarm_id))
    }
}
