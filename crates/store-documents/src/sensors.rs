//! The latest state of each sensor.

use millrace_domain::aggregates::{SensorAlarm, SensorLatest};
use millrace_domain::alarms::Severity;
use mongodb::bson::{Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, count, time};
use crate::replace::Replaced;

pub(crate) const COLLECTION: &str = "sensor_latest";

impl DocumentStore {
    /// Writes the latest states over those of an earlier reading.
    pub async fn put_sensors(&self, sensors: &[SensorLatest]) -> Result<Replaced, DocumentError> {
        self.replace_newer(COLLECTION, "measured_at", sensors.iter().map(document).collect()).await
    }

    /// The latest state of up to `limit` sensors, by id.
    pub async fn sensors(&self, limit: i64) -> Result<Vec<SensorLatest>, DocumentError> {
        let documents = self.find(COLLECTION, doc! {}, doc! {"_id": 1}, limit).await?;
        documents.iter().map(sensor).collect()
    }
}

fn document(sensor: &SensorLatest) -> Document {
    let mut document = doc! {
        "_id": &sensor.sensor_id,
        "site": &sensor.site,
        "measured_at": time(sensor.measured_at),
        "temperature_c": sensor.temperature_c,
        "state": sensor.state.map_or("normal", Severity::as_str),
    };
    for (field, value) in
        [("humidity_pct", sensor.humidity_pct), ("latitude", sensor.latitude), ("longitude", sensor.longitude)]
    {
        if let Some(value) = value {
            document.insert(field, value);
        }
    }
    if let Some(alarm) = sensor.alarm {
        let alarm = doc! {
            "alarm_id": count(alarm.alarm_id),
            "severity": alarm.severity.as_str(),
            "opened_at": time(alarm.opened_at),
        };
        document.insert("alarm", alarm);
    }
    document
}

fn sensor(document: &Document) -> Result<SensorLatest, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    let alarm = match document.get_document("alarm") {
        Ok(alarm) => {
            let fields = Fields { collection: COLLECTION, document: alarm };
            let severity =
                severity(&fields, "severity")?.ok_or_else(|| fields.malformed("severity", "an alarm is not normal"))?;
            Some(SensorAlarm { alarm_id: fields.count("alarm_id")?, severity, opened_at: fields.time("opened_at")? })
        }
        Err(_) => None,
    };
    Ok(SensorLatest {
        sensor_id: fields.text("_id")?.to_owned(),
        site: fields.text("site")?.to_owned(),
        measured_at: fields.time("measured_at")?,
        temperature_c: fields.number("temperature_c")?,
        humidity_pct: fields.optional("humidity_pct", Fields::number)?,
        latitude: fields.optional("latitude", Fields::number)?,
        longitude: fields.optional("longitude", Fields::number)?,
        state: severity(&fields, "state")?,
        alarm,
    })
}

fn severity(fields: &Fields<'_>, field: &'static str) -> Result<Option<Severity>, DocumentError> {
    match fields.text(field)? {
        "normal" => Ok(None),
        "warning" => Ok(Some(Severity::Warning)),
        "critical" => Ok(Some(Severity::Critical)),
        _ => Err(fields.malformed(field, "expected normal, warning or critical")),
    }
}
