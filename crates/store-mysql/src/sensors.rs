//! Sensor readings, and the alarms that follow from them in the same transaction.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use millrace_domain::alarms::{self, Thresholds};
use millrace_domain::identity::SensorId;
use millrace_domain::reference::PartialThresholds;
use millrace_domain::sensors::SensorReading;
use sqlx::mysql::MySqlArguments;
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use crate::alarms::{Judged, judge};
use crate::batch::{self, Incoming, Intake, Originals, Source, Stored};
use crate::fault::StoreError;
use crate::insert::{self, Statement, add};

/// What storing a batch of readings did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReadings {
    /// Its records.
    pub stored: Stored,
    /// Alarms that it opened, those that it closed again included.
    pub alarms_opened: u64,
}

/// Stores a batch of readings and opens, escalates and closes alarms by them, in one transaction.
///
/// # Errors
/// When the transaction failed as often as it was run; nothing is stored then.
pub async fn store(
    pool: &MySqlPool,
    limits: &LimitsCache,
    source: Source<'_>,
    incoming: Incoming<SensorReading>,
    originals: &dyn Originals,
) -> Result<StoredReadings, StoreError> {
    let intake = ReadingIntake { limits, alarms_opened: AtomicU64::new(0) };
    let stored = batch::commit(pool, &intake, source, incoming, originals).await?;
    Ok(StoredReadings { stored, alarms_opened: intake.alarms_opened.into_inner() })
}

/// The sensors' thresholds, kept in the process and read again when an import has changed reference data.
#[derive(Default)]
pub struct LimitsCache {
    current: RwLock<Option<Arc<Limits>>>,
}

/// The thresholds of the sensors that have their own, by one version of the reference data.
pub(crate) struct Limits {
    version: u64,
    sensors: HashMap<SensorId, Thresholds>,
}

impl Limits {
    /// The sensor's thresholds; a sensor that nobody described has the defaults.
    pub(crate) fn of(&self, sensor_id: &SensorId) -> Thresholds {
        self.sensors.get(sensor_id).copied().unwrap_or_default()
    }
}

impl LimitsCache {
    async fn current(&self, connection: &mut MySqlConnection) -> Result<Arc<Limits>, StoreError> {
        let version: u64 = sqlx::query("SELECT version FROM reference_version WHERE id = 1")
            .fetch_one(&mut *connection)
            .await?
            .try_get(0)?;
        {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(limits) = current.as_ref().filter(|limits| limits.version == version) {
                return Ok(limits.clone());
            }
        }
        let rows = sqlx::query(
            "SELECT sensor_id, warning_c, critical_c, hysteresis_c FROM sensors \
             WHERE warning_c IS NOT NULL OR critical_c IS NOT NULL OR hysteresis_c IS NOT NULL",
        )
        .fetch_all(connection)
        .await?;
        let sensors = rows.iter().map(|row| {
            let sensor_id = sensor_id(row.try_get(0)?)?;
            let own = PartialThresholds {
                warning_c: row.try_get(1)?,
                critical_c: row.try_get(2)?,
                hysteresis_c: row.try_get(3)?,
            };
            Ok((sensor_id, own.or_default()))
        });
        let limits = Arc::new(Limits { version, sensors: sensors.collect::<Result<_, StoreError>>()? });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(limits.clone());
        Ok(limits)
    }
}

pub(crate) fn sensor_id(text: &str) -> Result<SensorId, StoreError> {
    SensorId::parse(text).map_err(|error| StoreError::Stored(format!("a sensor_id: {error}")))
}

struct ReadingIntake<'a> {
    limits: &'a LimitsCache,
    /// By the last run of the transaction, which is the one that was committed.
    alarms_opened: AtomicU64,
}

/// What a transaction carries along: the thresholds, and the readings to judge.
struct Work {
    limits: Arc<Limits>,
    stored: Vec<Judged>,
}

static INSERT: Statement = Statement::new(
    "INSERT INTO sensor_readings (measured_at, sensor_id, temperature_c, humidity_pct, latitude, longitude, state) VALUES ",
    "(?,?,?,?,?,?,?)",
    "",
);

// By the primary key, as with snapshots: 500 readings take 2 ms instead of 65.
static KNOWN: Statement = Statement::new(
    "SELECT measured_at, sensor_id FROM sensor_readings FORCE INDEX (PRIMARY) WHERE (measured_at, sensor_id) IN (",
    "(?,?)",
    ")",
);

impl Intake for ReadingIntake<'_> {
    type Record = SensorReading;
    type Identity = (DateTime<Utc>, SensorId);
    type Basis = ();
    /// The reading's state.
    type Derived = &'static str;
    type Work = Work;

    const COLUMNS: usize = 7;
    const BYTES: usize = 96;

    fn statement() -> &'static Statement {
        &INSERT
    }

    fn identity(reading: &SensorReading) -> Self::Identity {
        (reading.measured_at, reading.sensor_id.clone())
    }

    async fn begin(&self, connection: &mut MySqlConnection) -> Result<Work, StoreError> {
        Ok(Work { limits: self.limits.current(connection).await?, stored: Vec::new() })
    }

    async fn known(
        connection: &mut MySqlConnection,
        identities: &[Self::Identity],
    ) -> Result<HashSet<Self::Identity>, StoreError> {
        let keys = identities.iter().map(|(at, sensor_id)| (*at, sensor_id.as_str()));
        let rows = known_text_keys(connection, &KNOWN, keys).await?;
        rows.into_iter().map(|(at, id)| Ok((at, sensor_id(&id)?))).collect()
    }

    async fn prepare(
        &self,
        _: &mut MySqlConnection,
        _: &mut Work,
        readings: &[&SensorReading],
    ) -> Result<Vec<()>, StoreError> {
        Ok(vec![(); readings.len()])
    }

    fn derive(&self, work: &mut Work, reading: &SensorReading, (): &()) -> &'static str {
        let severity = alarms::severity(reading.temperature_c, work.limits.of(&reading.sensor_id));
        severity.map_or("normal", alarms::Severity::as_str)
    }

    fn add_row(
        arguments: &mut MySqlArguments,
        reading: &SensorReading,
        state: &&'static str,
    ) -> Result<(), sqlx::Error> {
        add(arguments, reading.measured_at.naive_utc())?;
        add(arguments, reading.sensor_id.as_str())?;
        add(arguments, reading.temperature_c)?;
        add(arguments, reading.humidity_pct)?;
        add(arguments, reading.latitude)?;
        add(arguments, reading.longitude)?;
        add(arguments, *state)
    }

    fn stored(&self, work: &mut Work, reading: &SensorReading, _: &&'static str) {
        work.stored.push(Judged {
            sensor_id: reading.sensor_id.clone(),
            measured_at: reading.measured_at,
            value: reading.temperature_c,
        });
    }

    async fn finish(&self, connection: &mut MySqlConnection, work: Work) -> Result<(), StoreError> {
        let opened = judge(connection, &work.limits, work.stored).await?;
        self.alarms_opened.store(opened, Ordering::Relaxed);
        Ok(())
    }
}

/// The stored keys among `(time, text)` keys.
pub(crate) async fn known_text_keys<'a>(
    connection: &mut MySqlConnection,
    statement: &Statement,
    keys: impl Iterator<Item = (DateTime<Utc>, &'a str)>,
) -> Result<Vec<(DateTime<Utc>, String)>, StoreError> {
    let keys: Vec<_> = keys.collect();
    let rows = insert::select_by_keys(connection, statement, &keys, |arguments, (at, text)| {
        add(arguments, at.naive_utc())?;
        add(arguments, *text)
    })
    .await?;
    Ok(rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?)
}
