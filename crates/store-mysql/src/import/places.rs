//! Cells and sensors.

use std::collections::HashMap;

use millrace_domain::reference::{Cell, PartialThresholds, Sensor};
use sqlx::Row as _;
use sqlx::mysql::MySqlArguments;

use super::{Import, ImportError, Imported, Target};
use crate::insert::{Row, Statement, add, select_by};

static CELLS: Statement = Statement::new("SELECT cell, site, latitude, longitude FROM cells WHERE cell IN (", "?", ")");

static UPSERT_CELLS: Statement = Statement::new(
    "INSERT INTO cells (cell, site, latitude, longitude) VALUES ",
    "(?,?,?,?)",
    " ON DUPLICATE KEY UPDATE site = VALUES(site), latitude = VALUES(latitude), longitude = VALUES(longitude)",
);

struct CellRow<'a>(&'a Cell);

impl Row for CellRow<'_> {
    const COLUMNS: usize = 4;
    const BYTES: usize = 64;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.0.cell.as_str())?;
        add(arguments, self.0.site.as_str())?;
        add(arguments, self.0.latitude)?;
        add(arguments, self.0.longitude)
    }
}

/// Imports cells.
///
/// # Errors
/// When a row's values are refused by the database.
pub async fn cells(target: impl Into<Target<'_>>, cells: &[Cell]) -> Result<Imported, ImportError> {
    let mut import = Import::begin(target).await?;
    let stored = select_by(import.connection(), &CELLS, cells.iter().map(|cell| cell.cell.as_str())).await?;
    let stored = stored.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))));
    let stored: HashMap<String, (String, f64, f64)> = stored.collect::<Result<_, sqlx::Error>>()?;
    let mut rows = Vec::new();
    for (n, cell) in cells.iter().enumerate() {
        let new = (cell.site.clone(), cell.latitude, cell.longitude);
        if import.differs(&new, stored.get(cell.cell.as_str())) {
            rows.push((n, CellRow(cell)));
        }
    }
    import.finish(&UPSERT_CELLS, rows).await
}

static SENSORS: Statement = Statement::new(
    "SELECT sensor_id, site, latitude, longitude, warning_c, critical_c, hysteresis_c FROM sensors WHERE sensor_id IN (",
    "?",
    ")",
);

static UPSERT_SENSORS: Statement = Statement::new(
    "INSERT INTO sensors (sensor_id, site, latitude, longitude, warning_c, critical_c, hysteresis_c) VALUES ",
    "(?,?,?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE site = VALUES(site), latitude = VALUES(latitude), longitude = VALUES(longitude), \
     warning_c = VALUES(warning_c), critical_c = VALUES(critical_c), hysteresis_c = VALUES(hysteresis_c)",
);

struct SensorRow<'a>(&'a Sensor);

impl Row for SensorRow<'_> {
    const COLUMNS: usize = 7;
    const BYTES: usize = 96;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.0.sensor_id.as_str())?;
        add(arguments, self.0.site.as_str())?;
        add(arguments, self.0.latitude)?;
        add(arguments, self.0.longitude)?;
        add(arguments, self.0.limits.warning_c)?;
        add(arguments, self.0.limits.critical_c)?;
        add(arguments, self.0.limits.hysteresis_c)
    }
}

/// Imports sensors with their thresholds.
///
/// # Errors
/// When a sensor would be critical before it warns, defaults included, or when the database refuses a row's values.
pub async fn sensors(target: impl Into<Target<'_>>, sensors: &[Sensor]) -> Result<Imported, ImportError> {
    let mut import = Import::begin(target).await?;
    let stored =
        select_by(import.connection(), &SENSORS, sensors.iter().map(|sensor| sensor.sensor_id.as_str())).await?;
    let stored = stored.iter().map(|row| {
        let limits = PartialThresholds {
            warning_c: row.try_get(4)?,
            critical_c: row.try_get(5)?,
            hysteresis_c: row.try_get(6)?,
        };
        Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, limits)))
    });
    let stored: HashMap<String, (String, f64, f64, PartialThresholds)> = stored.collect::<Result<_, sqlx::Error>>()?;
    let mut rows = Vec::new();
    for (n, sensor) in sensors.iter().enumerate() {
        let limits = sensor.limits.or_default();
        if limits.critical_c < limits.warning_c {
            let reason =
                format!("expected at least the warning threshold, {}, which holds for this sensor", limits.warning_c);
            import.refuse(n, "critical_c", reason);
        }
        let new = (sensor.site.clone(), sensor.latitude, sensor.longitude, sensor.limits);
        if import.differs(&new, stored.get(sensor.sensor_id.as_str())) {
            rows.push((n, SensorRow(sensor)));
        }
    }
    import.finish(&UPSERT_SENSORS, rows).await
}
