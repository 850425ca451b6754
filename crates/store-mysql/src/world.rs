//! What an operator has, for those who make records of it: numbers, cells, sensors, customers.

use chrono::NaiveDate;
use chrono_tz::Tz;
use millrace_domain::identity::{CellId, CustomerId, Malformed, Msisdn, SensorId};
use millrace_domain::reference::{Cell, PartialThresholds, Sensor};
use sqlx::{MySqlPool, Row as _};

use crate::fault::StoreError;

/// The operator's reference data that records refer to, each list in the order of its ids.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The version of the reference data: when it moves, there is something new to read.
    pub version: u64,
    /// Where the operator's days begin; `None` when no operator was imported.
    pub timezone: Option<Tz>,
    /// The numbers with a subscription on the day, and their accounts.
    pub numbers: Vec<(Msisdn, String)>,
    /// The radio cells.
    pub cells: Vec<Cell>,
    /// The sensors.
    pub sensors: Vec<Sensor>,
    /// The customers that accounts name.
    pub customers: Vec<CustomerId>,
}

/// The version of the reference data, which every import raises.
///
/// # Errors
/// When the database cannot be asked.
pub async fn version(pool: &MySqlPool) -> Result<u64, StoreError> {
    Ok(sqlx::query("SELECT version FROM reference_version WHERE id = 1").fetch_one(pool).await?.try_get(0)?)
}

/// Reads what there is on `day` (operator's time zone). What an import changes meanwhile is found by its newer version.
///
/// # Errors
/// When the database cannot be asked.
pub async fn read(pool: &MySqlPool, day: NaiveDate) -> Result<World, StoreError> {
    let version = version(pool).await?;
    let timezone = sqlx::query("SELECT timezone FROM operator WHERE id = 1").fetch_optional(pool).await?;
    let timezone = timezone.map(|row| Ok::<_, StoreError>(row.try_get::<&str, _>(0)?.parse())).transpose()?;
    let timezone = timezone.transpose().map_err(|_| StoreError::Stored("operator.timezone is unknown".into()))?;
    let numbers = sqlx::query(
        "SELECT s.msisdn, a.account_id FROM subscriptions s JOIN accounts a ON a.account_no = s.account_no \
         WHERE s.active_from <= ? AND (s.active_to IS NULL OR s.active_to > ?) ORDER BY s.msisdn",
    )
    .bind(day)
    .bind(day)
    .fetch_all(pool)
    .await?;
    let numbers = numbers.iter().map(|row| Ok((id(Msisdn::parse(row.try_get(0)?))?, row.try_get(1)?)));
    let numbers = numbers.collect::<Result<_, StoreError>>()?;
    let cells = sqlx::query("SELECT cell, site, latitude, longitude FROM cells ORDER BY cell").fetch_all(pool).await?;
    let cells = cells.iter().map(|row| {
        let cell = id(CellId::parse(row.try_get(0)?))?;
        Ok(Cell { cell, site: row.try_get(1)?, latitude: row.try_get(2)?, longitude: row.try_get(3)? })
    });
    let cells = cells.collect::<Result<_, StoreError>>()?;
    let sensors = sqlx::query(
        "SELECT sensor_id, site, latitude, longitude, warning_c, critical_c, hysteresis_c FROM sensors ORDER BY sensor_id",
    )
    .fetch_all(pool)
    .await?;
    let sensors = sensors.iter().map(|row| {
        Ok(Sensor {
            sensor_id: id(SensorId::parse(row.try_get(0)?))?,
            site: row.try_get(1)?,
            latitude: row.try_get(2)?,
            longitude: row.try_get(3)?,
            limits: PartialThresholds {
                warning_c: row.try_get(4)?,
                critical_c: row.try_get(5)?,
                hysteresis_c: row.try_get(6)?,
            },
        })
    });
    let sensors = sensors.collect::<Result<_, StoreError>>()?;
    let customers =
        sqlx::query("SELECT DISTINCT customer_id FROM accounts WHERE customer_id <> '' ORDER BY customer_id")
            .fetch_all(pool)
            .await?;
    let customers =
        customers.iter().map(|row| id(CustomerId::parse(row.try_get(0)?))).collect::<Result<_, StoreError>>()?;
    Ok(World { version, timezone, numbers, cells, sensors, customers })
}

fn id<T>(parsed: Result<T, Malformed>) -> Result<T, StoreError> {
    parsed.map_err(|error| StoreError::Stored(format!("an id: {error}")))
}
