//! Temperatures of sensors by hour.

use chrono::{DateTime, SecondsFormat, Utc};
use millrace_domain::aggregates::SensorHour;
use mongodb::bson::{Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, count, time};
use crate::replace::Replaced;

pub(crate) const COLLECTION: &str = "sensor_hourly";

pub(crate) const INDEXES: &[(&str, &[&str])] = &[(COLLECTION, &["hour"]), (COLLECTION, &["sensor", "hour"])];

impl DocumentStore {
    /// Writes hours over the stored ones of a smaller version.
    pub async fn put_sensor_hours(&self, hours: &[SensorHour]) -> Result<Replaced, DocumentError> {
        self.replace_newer(COLLECTION, "version", hours.iter().map(document).collect()).await
    }

    /// The hours of some sensors that begin at `since` or later, by time.
    pub async fn sensor_hours(
        &self,
        sensors: &[String],
        since: DateTime<Utc>,
    ) -> Result<Vec<SensorHour>, DocumentError> {
        let query = doc! {"sensor": {"$in": sensors}, "hour": {"$gte": time(since)}};
        let documents = self.find(COLLECTION, query, doc! {"hour": 1}, 0).await?;
        documents.iter().map(hour).collect()
    }
}

fn document(hour: &SensorHour) -> Document {
    let mut document = doc! {
        "_id": format!("{}/{}", hour.hour.to_rfc3339_opts(SecondsFormat::Secs, true), hour.sensor_id),
        "version": count(hour.version),
        "sensor": &hour.sensor_id,
        "site": &hour.site,
        "hour": time(hour.hour),
        "mean": hour.mean_c,
        "max": hour.max_c,
        "readings": count(hour.readings),
    };
    if let Some(critical) = hour.critical_c {
        document.insert("critical_c", critical);
    }
    document
}

fn hour(document: &Document) -> Result<SensorHour, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    Ok(SensorHour {
        sensor_id: fields.text("sensor")?.to_owned(),
        site: fields.text("site")?.to_owned(),
        hour: fields.time("hour")?,
        readings: fields.count("readings")?,
        mean_c: fields.number("mean")?,
        max_c: fields.number("max")?,
        critical_c: fields.optional("critical_c", Fields::number)?,
        version: fields.count("version")?,
    })
}
