//! Records of `sensor-readings`.

use chrono::{DateTime, Utc};
use serde::Serialize;

use millrace_domain::identity::SensorId;
use millrace_domain::sensors::SensorReading;

use crate::{Rejection, fields, times};

const NAMES: [&str; 6] = ["sensor_id", "measured_at", "temperature_c", "humidity_pct", "latitude", "longitude"];

/// Reads a reading from a record's value. `record_time` is the broker's.
///
/// # Errors
/// Names the first field, in the order of the topic's description, that is missing or wrong.
pub fn decode(json: &[u8], record_time: DateTime<Utc>) -> Result<SensorReading, Rejection> {
    let [sensor_id, measured_at, temperature_c, humidity_pct, latitude, longitude] = fields::scan(json, &NAMES)?;
    let sensor_id = fields::parsed("sensor_id", fields::required("sensor_id", sensor_id)?, SensorId::parse)?;
    let measured_at = fields::time("measured_at", fields::required("measured_at", measured_at)?)?;
    times::check_not_ahead("measured_at", measured_at, record_time)?;
    let temperature_c =
        fields::float("temperature_c", fields::required("temperature_c", temperature_c)?, -90.0..=200.0)?;
    let humidity_pct = humidity_pct.map(|value| fields::float("humidity_pct", value, 0.0..=100.0)).transpose()?;
    let latitude = latitude.map(|value| fields::float("latitude", value, -90.0..=90.0)).transpose()?;
    let longitude = longitude.map(|value| fields::float("longitude", value, -180.0..=180.0)).transpose()?;
    Ok(SensorReading { sensor_id, measured_at, temperature_c, humidity_pct, latitude, longitude })
}

/// Writes a reading as a record's value.
pub fn encode(reading: &SensorReading) -> Vec<u8> {
    fields::to_json(&Shape {
        sensor_id: reading.sensor_id.as_str(),
        measured_at: times::format(reading.measured_at),
        temperature_c: reading.temperature_c,
        humidity_pct: reading.humidity_pct,
        latitude: reading.latitude,
        longitude: reading.longitude,
    })
}

#[derive(Serialize)]
struct Shape<'a> {
    sensor_id: &'a str,
    measured_at: String,
    temperature_c: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    humidity_pct: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longitude: Option<f64>,
}
