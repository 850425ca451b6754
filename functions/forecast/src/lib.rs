//! Forecasts usage by service, revenue and each site's temperature, hourly, and says beforehand which thresholds will be crossed.
//!
//! A run reads documents only. It forecasts the series whose forecasts are the oldest first, so that what one run has no time for
//! is the next one's first. Alerts come first, then the original of all its forecasts as an object, then the documents.

mod crossings;
mod history;
mod originals;
mod settings;

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use millrace_domain::forecasts::{Crossing, ForecastOutcome, ForecastPoint, Realised, SeriesForecast};
use millrace_forecasting::{Forecast, ForecastError, Series, forecast, hours_needed};
use millrace_lambda_support::metrics::Metric;
use millrace_store_documents::DocumentStore;
use millrace_store_mysql::forecast_alerts::{self, Changed};
use millrace_store_mysql::{MySqlPool, leases};
use millrace_store_objects::ObjectStore;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use history::{Source, Subject};
use originals::Earlier;
pub use settings::Settings;

/// The lease of a run's turn, and how long it lasts unless it is renewed: longer than one series takes.
const LEASE: &str = "forecast";
const LEASE_TIME: Duration = Duration::from_secs(120);
/// The shortest forecast that is made, in hours.
const SHORTEST: usize = 24;

/// The stores that a run works on.
pub struct Forecaster {
    /// Where alerts are kept.
    pub mysql: MySqlPool,
    /// What is known, and what is forecast.
    pub documents: DocumentStore,
    /// The originals.
    pub objects: ObjectStore,
    /// What is forecast how far.
    pub settings: Settings,
    /// Who holds the lease while a run goes on: one name for each process.
    pub holder: String,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Whether it had its turn: not while another run goes on.
    pub ran: bool,
    /// The forecasts of this run, with the series that could not be forecast.
    pub forecasts: Vec<SeriesForecast>,
    /// The series that there was no time for; they are the next run's first.
    pub left: Vec<String>,
    /// What became of alerts.
    pub alerts: Changed,
}

impl Summary {
    fn made(&self) -> usize {
        let made = |forecast: &&SeriesForecast| matches!(forecast.outcome, ForecastOutcome::Made { .. });
        self.forecasts.iter().filter(made).count()
    }

    /// The share of hours that came within their bands, over all series.
    pub fn realised_coverage(&self) -> Option<f64> {
        let realised = self.forecasts.iter().filter_map(|forecast| forecast.realised);
        let (held, hours) = realised
            .fold((0.0, 0.0), |(held, hours), one| (held + one.coverage * one.hours as f64, hours + one.hours as f64));
        (hours > 0.0).then(|| held / hours)
    }

    /// What the function answers.
    pub fn to_json(&self) -> Value {
        let not_made = self.forecasts.iter().filter_map(|forecast| match &forecast.outcome {
            ForecastOutcome::NotMade { reason } => Some(json!({"series": forecast.series, "reason": reason})),
            ForecastOutcome::Made { .. } => None,
        });
        json!({
            "ran": self.ran,
            "made": self.made(),
            "not_made": not_made.collect::<Vec<_>>(),
            "left_for_next_run": self.left,
            "alerts": {"opened": self.alerts.opened, "closed": self.alerts.closed, "open": self.alerts.open},
            "realised_coverage": self.realised_coverage(),
        })
    }

    /// What the function measures of itself.
    pub fn metrics(&self, took: Duration) -> Vec<(Metric, f64)> {
        let made = self.made();
        let mut values = vec![
            (Metric::ForecastsMade, made as f64),
            (Metric::ForecastsNotMade, (self.forecasts.len() - made) as f64),
            (Metric::ForecastsLeft, self.left.len() as f64),
            (Metric::ForecastAlertsOpened, self.alerts.opened as f64),
            (Metric::RunDuration, took.as_secs_f64() * 1e3),
        ];
        if self.ran {
            values.push((Metric::CrossingsExpected, self.alerts.open as f64));
        }
        values.extend(self.realised_coverage().map(|share| (Metric::ForecastCoverage, 100.0 * share)));
        values
    }
}

impl Forecaster {
    /// Forecasts every series as of `now`, or as many as there is time for until `deadline`.
    pub async fn run(&self, now: DateTime<Utc>, deadline: Instant) -> anyhow::Result<Summary> {
        if !leases::take(&self.mysql, LEASE, &self.holder, LEASE_TIME).await.context("lease")? {
            return Ok(Summary::default());
        }
        let outcome = self.in_turn(now, deadline).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = leases::release(&self.mysql, LEASE, &self.holder).await {
            tracing::warn!(%error, "the lease could not be given back");
        }
        outcome
    }

    async fn in_turn(&self, now: DateTime<Utc>, deadline: Instant) -> anyhow::Result<Summary> {
        let source = Source::open(&self.documents, now).await?;
        let earlier = Earlier::read(&self.objects, now).await;
        let made: HashMap<String, DateTime<Utc>> =
            self.documents.forecasts().await?.into_iter().map(|forecast| (forecast.series, forecast.made_at)).collect();
        let mut subjects = source.subjects().await?;
        subjects.sort_by_key(|subject| made.get(&subject.name()).copied());

        // Alerts of series that are gone are closed, too.
        let names = history::names(&subjects);
        let mut judged: HashSet<String> = made.into_keys().filter(|series| !names.contains(series)).collect();
        let mut summary = Summary { ran: true, ..Summary::default() };
        let mut crossings = Vec::new();
        for subjects in subjects.chunks(together()) {
            if Instant::now() >= deadline {
                summary.left.extend(subjects.iter().map(Subject::name));
                continue;
            }
            if !leases::take(&self.mysql, LEASE, &self.holder, LEASE_TIME).await? {
                bail!("a series took longer than {LEASE_TIME:?}, and another run took the lease");
            }
            let mut begun = Vec::with_capacity(subjects.len());
            for subject in subjects {
                begun.push((subject, self.begin(&source, &earlier, subject).await?));
            }
            for (subject, begun) in begun {
                let forecast = begun.finish(now).await?;
                crossings.extend(self.crossing(subject, &forecast));
                judged.insert(forecast.series.clone());
                summary.forecasts.push(forecast);
            }
        }
        if !summary.left.is_empty() {
            tracing::warn!(series = summary.left.join(", "), "out of time: these are the next run's first");
        }
        summary.alerts = forecast_alerts::update(&self.mysql, &judged, &crossings, now).await.context("alerts")?;
        originals::write(&self.objects, now, &summary.forecasts).await?;
        self.documents.put_forecasts(&summary.forecasts).await.context("documents of forecasts")?;
        Ok(summary)
    }

    /// Reads the past of a series and begins to reckon.
    async fn begin(&self, source: &Source<'_>, earlier: &Earlier, subject: &Subject) -> anyhow::Result<Begun> {
        let series = subject.name();
        let history = source.history(subject).await.with_context(|| series.clone())?;
        let realised = earlier.realised(&series, &history.observations);
        let threshold = match subject {
            Subject::Revenue => self.settings.revenue_plan,
            _ => history.highest,
        };
        let (horizon, timezone) = (self.settings.horizon, self.settings.timezone);
        // A second of reckoning and more, which must not keep the connections waiting.
        let reckoning = tokio::task::spawn_blocking(move || {
            let series = match Series::new(&history.observations, timezone) {
                Ok(series) => series,
                Err(error) => return (history.observations.len(), 0, Err(error)),
            };
            (series.hours(), series.hours_filled(), forecast(&series, reachable(series.hours(), horizon)))
        });
        Ok(Begun { series, threshold, realised, reckoning })
    }

    fn crossing(&self, subject: &Subject, forecast: &SeriesForecast) -> Option<Crossing> {
        let (ForecastOutcome::Made { points, .. }, Some(threshold)) = (&forecast.outcome, forecast.threshold) else {
            return None;
        };
        match subject {
            Subject::Revenue => crossings::falls_below_plan(&forecast.series, threshold, points),
            Subject::Usage(_) | Subject::Site { .. } => crossings::rises_above(&forecast.series, threshold, points),
        }
    }
}

/// A series that is being forecast.
struct Begun {
    series: String,
    threshold: Option<f64>,
    realised: Option<Realised>,
    /// Hours of history, those that were filled in, and what is forecast.
    reckoning: JoinHandle<(usize, usize, Result<Forecast, ForecastError>)>,
}

impl Begun {
    async fn finish(self, made_at: DateTime<Utc>) -> anyhow::Result<SeriesForecast> {
        let (hours, filled, outcome) = self.reckoning.await.with_context(|| self.series.clone())?;
        Ok(SeriesForecast {
            series: self.series,
            made_at,
            history_hours: hours as u64,
            filled_hours: filled as u64,
            threshold: self.threshold,
            outcome: kept(outcome),
            realised: self.realised,
        })
    }
}

/// How many series are forecast at once: one on each core, and few enough on a large machine to renew the lease soon.
fn together() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get).min(4)
}

/// The horizon that so much history allows, up to the one that is wanted, and at least the shortest.
fn reachable(hours: usize, wanted: usize) -> usize {
    hours.saturating_sub(hours_needed(0)).clamp(SHORTEST, wanted.max(SHORTEST))
}

fn kept(outcome: Result<Forecast, ForecastError>) -> ForecastOutcome {
    match outcome {
        Ok(forecast) => ForecastOutcome::Made {
            method: forecast.method.name().to_owned(),
            candidates: forecast.candidates.iter().map(|one| (one.method.name().to_owned(), one.mae)).collect(),
            coverage: forecast.coverage,
            points: forecast
                .points
                .iter()
                .map(|point| ForecastPoint { time: point.time, value: point.value, low: point.low, high: point.high })
                .collect(),
        },
        Err(error) => ForecastOutcome::NotMade { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_history_is_forecast_less_far() {
        assert_eq!(reachable(10_000, 168), 168);
        assert_eq!(reachable(hours_needed(100), 168), 100);
        assert_eq!(reachable(5, 168), SHORTEST, "which is then refused, with what is needed");
    }
}
