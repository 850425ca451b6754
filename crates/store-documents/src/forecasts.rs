//! The latest forecast of each series. Their originals are objects.

use millrace_domain::forecasts::{ForecastOutcome, ForecastPoint, Realised, SeriesForecast};
use mongodb::bson::{Bson, Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, count, time};
use crate::replace::Replaced;

pub(crate) const COLLECTION: &str = "forecasts";

impl DocumentStore {
    /// Writes forecasts over earlier ones of the same series.
    pub async fn put_forecasts(&self, forecasts: &[SeriesForecast]) -> Result<Replaced, DocumentError> {
        self.replace_newer(COLLECTION, "version", forecasts.iter().map(document).collect()).await
    }

    /// The latest forecasts, by series.
    pub async fn forecasts(&self) -> Result<Vec<SeriesForecast>, DocumentError> {
        self.find(COLLECTION, doc! {}, doc! {"_id": 1}, 0).await?.iter().map(forecast).collect()
    }
}

fn document(forecast: &SeriesForecast) -> Document {
    let mut document = doc! {
        "_id": &forecast.series,
        // Of two forecasts the later one stays.
        "version": forecast.made_at.timestamp_millis(),
        "made_at": time(forecast.made_at),
        "history_hours": count(forecast.history_hours),
        "filled_hours": count(forecast.filled_hours),
    };
    if let Some(threshold) = forecast.threshold {
        document.insert("threshold", threshold);
    }
    match &forecast.outcome {
        ForecastOutcome::Made { method, candidates, coverage, points } => {
            let candidate = |(method, mae): &(String, f64)| doc! {"method": method, "mae": *mae};
            let point = |point: &ForecastPoint| doc! {"time": time(point.time), "value": point.value, "low": point.low, "high": point.high};
            document.insert("method", method);
            document.insert("candidates", candidates.iter().map(candidate).collect::<Vec<_>>());
            document.insert("forecast", points.iter().map(point).collect::<Vec<_>>());
            if let Some(coverage) = coverage {
                document.insert("coverage", *coverage);
            }
        }
        ForecastOutcome::NotMade { reason } => {
            document.insert("reason", reason);
        }
    }
    if let Some(realised) = forecast.realised {
        let realised = doc! {"hours": count(realised.hours), "coverage": realised.coverage, "mae": realised.mae};
        document.insert("realised", realised);
    }
    document
}

fn forecast(document: &Document) -> Result<SeriesForecast, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    let outcome = if document.contains_key("reason") {
        ForecastOutcome::NotMade { reason: fields.text("reason")?.to_owned() }
    } else {
        ForecastOutcome::Made {
            method: fields.text("method")?.to_owned(),
            candidates: each(&fields, "candidates", |fields| {
                Ok((fields.text("method")?.to_owned(), fields.number("mae")?))
            })?,
            coverage: fields.optional("coverage", Fields::number)?,
            points: each(&fields, "forecast", |fields| {
                Ok(ForecastPoint {
                    time: fields.time("time")?,
                    value: fields.number("value")?,
                    low: fields.number("low")?,
                    high: fields.number("high")?,
                })
            })?,
        }
    };
    let realised = match document.get_document("realised") {
        Ok(document) => {
            let fields = Fields { collection: COLLECTION, document };
            let (coverage, mae) = (fields.number("coverage")?, fields.number("mae")?);
            Some(Realised { hours: fields.count("hours")?, coverage, mae })
        }
        Err(_) => None,
    };
    Ok(SeriesForecast {
        series: fields.text("_id")?.to_owned(),
        made_at: fields.time("made_at")?,
        history_hours: fields.count("history_hours")?,
        filled_hours: fields.count("filled_hours")?,
        threshold: fields.optional("threshold", Fields::number)?,
        outcome,
        realised,
    })
}

/// Reads each document of an array.
fn each<T>(
    fields: &Fields<'_>,
    field: &'static str,
    read: impl Fn(Fields<'_>) -> Result<T, DocumentError>,
) -> Result<Vec<T>, DocumentError> {
    let array = fields.document.get_array(field).map_err(|error| fields.malformed(field, error))?;
    let part = |part: &Bson| {
        let document = part.as_document().ok_or_else(|| fields.malformed(field, "expected documents"))?;
        read(Fields { collection: COLLECTION, document })
    };
    array.iter().map(part).collect()
}
