//! Site sensors and what they measure.

use chrono::{DateTime, Utc};

use crate::identity::SensorId;

/// One reading. Its identity is `(sensor_id, measured_at)`.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorReading {
    /// Which sensor.
    pub sensor_id: SensorId,
    /// When it measured (UTC, cut to the millisecond).
    pub measured_at: DateTime<Utc>,
    /// Degrees Celsius, -90 to 200.
    pub temperature_c: f64,
    /// Relative humidity, 0 to 100 %.
    pub humidity_pct: Option<f64>,
    /// Degrees north, -90 to 90.
    pub latitude: Option<f64>,
    /// Degrees east, -180 to 180.
    pub longitude: Option<f64>,
}
