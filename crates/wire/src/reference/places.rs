//! Radio cells and site sensors.

use millrace_domain::identity::{CellId, SensorId};
use millrace_domain::reference::{Cell, PartialThresholds, Sensor};

use super::Faulty;
use super::table::{self, Column, maybe, name, number, optional, required};

const CELLS: [Column; 4] = [required("cell"), required("site"), required("latitude"), required("longitude")];

const SENSORS: [Column; 7] = [
    required("sensor_id"),
    required("site"),
    required("latitude"),
    required("longitude"),
    optional("warning_c"),
    optional("critical_c"),
    optional("hysteresis_c"),
];

/// Thresholds beyond what a sensor can measure are of use: they turn an alarm off.
const THRESHOLD: std::ops::RangeInclusive<f64> = -1000.0..=1000.0;

/// Reads cells (CSV).
///
/// # Errors
/// Every wrong line.
pub fn parse_cells(bytes: &[u8]) -> Result<Vec<Cell>, Faulty<Cell>> {
    let (cells, mut errors) = table::read(bytes, &CELLS, |row| {
        let cell = row.get("cell", table::by(CellId::parse));
        let site = row.get("site", name(64));
        let latitude = row.get("latitude", number(-90.0..=90.0));
        let longitude = row.get("longitude", number(-180.0..=180.0));
        Some(Cell { cell: cell?, site: site?, latitude: latitude?, longitude: longitude? })
    });
    table::refuse_doubles(&cells, "cell", &mut errors, |cell| cell.cell.clone());
    table::finish(cells, errors)
}

/// Writes cells as [`parse_cells`] reads them.
pub fn write_cells(cells: &[Cell]) -> String {
    let rows = cells
        .iter()
        .map(|cell| [cell.cell.to_string(), cell.site.clone(), cell.latitude.to_string(), cell.longitude.to_string()]);
    table::write(CELLS.map(|column| column.name), rows)
}

/// Reads sensors (CSV). An empty threshold is the platform's.
///
/// # Errors
/// Every wrong line.
pub fn parse_sensors(bytes: &[u8]) -> Result<Vec<Sensor>, Faulty<Sensor>> {
    let (sensors, mut errors) = table::read(bytes, &SENSORS, |row| {
        let sensor_id = row.get("sensor_id", table::by(SensorId::parse));
        let site = row.get("site", name(64));
        let latitude = row.get("latitude", number(-90.0..=90.0));
        let longitude = row.get("longitude", number(-180.0..=180.0));
        let warning_c = row.get("warning_c", maybe(number(THRESHOLD)));
        let critical_c = row.get("critical_c", maybe(number(THRESHOLD)));
        let hysteresis_c = row.get("hysteresis_c", maybe(number(0.0..=1000.0)));
        let limits = PartialThresholds { warning_c: warning_c?, critical_c: critical_c?, hysteresis_c: hysteresis_c? };
        let effective = limits.or_default();
        if effective.warning_c > effective.critical_c {
            let (warning, critical) = (effective.warning_c, effective.critical_c);
            row.wrong("critical_c", format!("must not be below the warning: {critical} is, of {warning}"));
            return None;
        }
        Some(Sensor { sensor_id: sensor_id?, site: site?, latitude: latitude?, longitude: longitude?, limits })
    });
    table::refuse_doubles(&sensors, "sensor_id", &mut errors, |sensor| sensor.sensor_id.clone());
    table::finish(sensors, errors)
}

/// Writes sensors as [`parse_sensors`] reads them.
pub fn write_sensors(sensors: &[Sensor]) -> String {
    let limit = |limit: Option<f64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let rows = sensors.iter().map(|sensor| {
        [
            sensor.sensor_id.to_string(),
            sensor.site.clone(),
            sensor.latitude.to_string(),
            sensor.longitude.to_string(),
            limit(sensor.limits.warning_c),
            limit(sensor.limits.critical_c),
            limit(sensor.limits.hysteresis_c),
        ]
    });
    table::write(SENSORS.map(|column| column.name), rows)
}
