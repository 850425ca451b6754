//! The originals of forecasts: an object for each run, which documents can be made of again and later runs are measured by.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use bytes::Bytes;
use chrono::{DateTime, Days, SecondsFormat, TimeDelta, Utc};
use millrace_domain::forecasts::{ForecastOutcome, ForecastPoint, Realised, SeriesForecast};
use millrace_store_objects::ObjectStore;
use serde_json::{Value, json};

/// The version of the object's fields.
const SCHEMA_VERSION: u32 = 1;
/// Forecasts of so many days are measured, each by its first 24 hours: no hour counts twice.
const DAYS: u64 = 7;

/// Where the original of a run lies: `forecasts/2026-11-21/130500.json`.
pub(crate) fn key(made_at: DateTime<Utc>) -> String {
    made_at.format("forecasts/%Y-%m-%d/%H%M%S.json").to_string()
}

/// Writes the original of a run.
pub(crate) async fn write(
    objects: &ObjectStore,
    made_at: DateTime<Utc>,
    forecasts: &[SeriesForecast],
) -> anyhow::Result<()> {
    let body = json!({
        "schema_version": SCHEMA_VERSION,
        "made_at": text(made_at),
        "series": forecasts.iter().map(to_json).collect::<Vec<_>>(),
    });
    let body = Bytes::from(serde_json::to_vec(&body)?);
    objects.put(&key(made_at), body, "application/json", &BTreeMap::new()).await.context("the forecasts' original")
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn to_json(forecast: &SeriesForecast) -> Value {
    let mut object = json!({
        "series": forecast.series,
        "history_hours": forecast.history_hours,
        "filled_hours": forecast.filled_hours,
        "threshold": forecast.threshold,
        "realised": forecast.realised.map(|realised| {
            json!({"hours": realised.hours, "coverage": realised.coverage, "mae": realised.mae})
        }),
    });
    match &forecast.outcome {
        ForecastOutcome::NotMade { reason } => object["reason"] = json!(reason),
        ForecastOutcome::Made { method, candidates, coverage, points } => {
            object["method"] = json!(method);
            object["coverage"] = json!(coverage);
            object["candidates"] =
                candidates.iter().map(|(method, mae)| json!({"method": method, "mae": mae})).collect();
            object["forecast"] = points
                .iter()
                .map(|point| json!({"time": text(point.time), "value": point.value, "low": point.low, "high": point.high}))
                .collect();
        }
    }
    object
}

/// What was forecast of each series in the days before, to be held against what came.
pub(crate) struct Earlier(HashMap<String, Vec<ForecastPoint>>);

impl Earlier {
    /// Reads of each of the last days the forecast that was made at about this time of the day. Originals that are missing or cannot
    /// be read are left out: they say nothing of the forecasts that are made now.
    pub(crate) async fn read(objects: &ObjectStore, now: DateTime<Utc>) -> Self {
        let mut points: HashMap<String, Vec<ForecastPoint>> = HashMap::new();
        for days in 1..=DAYS {
            match original(objects, now - Days::new(days)).await {
                Ok(Some(original)) => add(&mut points, &original, now - Days::new(days - 1)),
                Ok(None) => {}
                Err(error) => tracing::warn!("an earlier forecast cannot be read: {error:#}"),
            }
        }
        Self(points)
    }

    /// How they did.
    pub(crate) fn realised(&self, series: &str, observations: &[(DateTime<Utc>, f64)]) -> Option<Realised> {
        let came: HashMap<DateTime<Utc>, f64> = observations.iter().copied().collect();
        let known: Vec<(&ForecastPoint, f64)> =
            self.0.get(series)?.iter().filter_map(|point| Some((point, *came.get(&point.time)?))).collect();
        if known.is_empty() {
            return None;
        }
        let hours = known.len() as f64;
        let held = known.iter().filter(|(point, value)| (point.low..=point.high).contains(value)).count();
        let missed: f64 = known.iter().map(|(point, value)| (value - point.value).abs()).sum();
        Some(Realised { hours: known.len() as u64, coverage: held as f64 / hours, mae: missed / hours })
    }
}

/// The last forecast that was made by `at`, in the hour before it.
async fn original(objects: &ObjectStore, at: DateTime<Utc>) -> anyhow::Result<Option<Value>> {
    let (first, last) = (key(at - TimeDelta::hours(1)), key(at));
    let mut found = None;
    for folder in [&first, &last].map(|key| key.rsplit_once('/').map_or("", |(folder, _)| folder)) {
        let entries = objects.list(&format!("{folder}/")).await?;
        found = entries.into_iter().map(|entry| entry.key).filter(|key| *key > first && *key <= last).max().or(found);
    }
    match found {
        Some(key) => Ok(Some(serde_json::from_slice(&objects.get(&key).await?.body).context(key)?)),
        None => Ok(None),
    }
}

/// Adds the first 24 hours of an original; those from `end` on belong to a later one.
fn add(points: &mut HashMap<String, Vec<ForecastPoint>>, original: &Value, end: DateTime<Utc>) {
    for series in original["series"].as_array().into_iter().flatten() {
        let Some(name) = series["series"].as_str() else { continue };
        let known = points.entry(name.to_owned()).or_default();
        for point in series["forecast"].as_array().into_iter().flatten().take(24) {
            let Some(point) = point_of(point) else { continue };
            if point.time < end && known.iter().all(|other| other.time != point.time) {
                known.push(point);
            }
        }
    }
}

fn point_of(point: &Value) -> Option<ForecastPoint> {
    Some(ForecastPoint {
        time: point["time"].as_str()?.parse().ok()?,
        value: point["value"].as_f64()?,
        low: point["low"].as_f64()?,
        high: point["high"].as_f64()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn earlier_forecasts_are_held_against_what_came() {
        let time = |hour: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        let point = |hour| ForecastPoint { time: time(hour), value: 10.0, low: 8.0, high: 12.0 };
        let made = ForecastOutcome::Made {
            method: "ridge".into(),
            candidates: Vec::new(),
            coverage: None,
            points: (0..48).map(point).collect(),
        };
        let forecast = SeriesForecast {
            series: "revenue".into(),
            made_at: time(0),
            history_hours: 1,
            filled_hours: 0,
            threshold: None,
            outcome: made,
            realised: None,
        };
        let original = json!({"series": [to_json(&forecast)]});
        let mut points = HashMap::new();
        add(&mut points, &original, time(24));
        add(&mut points, &original, time(24));
        let earlier = Earlier(points);
        let came: Vec<_> = (0..24).map(|hour| (time(hour), if hour < 6 { 14.0 } else { 11.0 })).collect();
        let realised = earlier.realised("revenue", &came).unwrap();
        assert_eq!((realised.hours, realised.coverage, realised.mae), (24, 0.75, 1.75));
        assert_eq!(earlier.realised("usage/voice", &came), None);
    }
}
