//! What the page reads of the business: revenue by cycle, customers who may leave with the model that says so, and the hours ahead.

use millrace_churn_model::CustomerScore;
use millrace_domain::aggregates::CycleRevenue;
use millrace_domain::forecasts::{Crossing, ForecastOutcome, ForecastPoint, SeriesForecast};
use millrace_store_mysql::{champion, dashboard};
use serde_json::{Map, Value, json};

use super::{Part, ask, time};
use crate::Dashboard;

/// Cycles that are shown.
const CYCLES: usize = 12;
/// Customers that are shown.
const CUSTOMERS: u32 = 12;
/// Reasons that are shown of each.
const REASONS: usize = 3;
/// Parts of a model's card that are shown; the others are long.
const CARD: [&str; 7] = ["library", "data", "metrics", "intervals", "threshold", "importances", "why"];
/// Hours ahead that are shown.
const HOURS: usize = 48;
/// Crossings that are shown.
const CROSSINGS: u32 = 20;

impl Dashboard {
    /// The last cycles, newest first.
    pub(super) async fn revenue(&self) -> Part<Value> {
        let cycles = ask("documents", self.documents.revenue()).await?;
        Ok(json!({"cycles": cycles.iter().rev().take(CYCLES).map(cycle).collect::<Vec<_>>()}))
    }

    /// The customers most probable to leave, and the card of the model in use.
    pub(super) async fn churn(&self) -> Part<Value> {
        let (customers, model) =
            tokio::try_join!(ask("documents", self.documents.highest_scores(CUSTOMERS)), self.model())?;
        Ok(json!({"customers": customers.iter().map(customer).collect::<Vec<_>>(), "model": model}))
    }

    /// The champion's card; null while there is no champion. One whose card is not among the documents is told without.
    async fn model(&self) -> Part<Value> {
        let Some(champion) = self.ask_mysql(champion::current(self.mysql.pool())).await? else {
            return Ok(Value::Null);
        };
        let version = champion.model.version;
        let card = ask("documents", self.documents.model_card(version)).await?;
        Ok(json!({
            "version": version,
            "candidate": champion.model.candidate,
            "trained_at": time(champion.model.created_at),
            "champion_since": time(champion.changed_at),
            "card": card.map(|card| CARD.map(|part| (part.to_owned(), card.card[part].clone())).into_iter().collect::<Map<_, _>>()),
        }))
    }
}

impl Dashboard {
    /// The latest forecast of each series, and the thresholds that they cross.
    pub(super) async fn forecasts(&self) -> Part<Value> {
        let (forecasts, crossings, currency) = tokio::join!(
            ask("documents", self.documents.forecasts()),
            self.ask_mysql(dashboard::expected_crossings(self.mysql.pool(), CROSSINGS)),
            self.ask_mysql(dashboard::currency(self.mysql.pool()))
        );
        let currency = currency.unwrap_or_default();
        let unit = |series: &str| match series {
            "usage/voice" => "s".to_owned(),
            "usage/sms" => "messages".to_owned(),
            "usage/data" => "bytes".to_owned(),
            "revenue" => currency.clone(),
            series if series.starts_with("temperature/") => "°C".to_owned(),
            _ => String::new(),
        };
        Ok(json!({
            "forecasts": forecasts?.iter().map(|told| forecast(told, &unit(&told.series))).collect::<Vec<_>>(),
            "alerts": crossings?.iter().map(|told| crossing(told, &unit(&told.series))).collect::<Vec<_>>(),
        }))
    }
}

/// Exact decimals are text: a JSON number would be read as a binary fraction.
fn cycle(revenue: &CycleRevenue) -> Value {
    json!({
        "cycle": revenue.cycle.to_string(),
        "invoices": revenue.invoices,
        "net": revenue.net.to_string(),
        "tax": revenue.tax.to_string(),
        "total": revenue.total.to_string(),
        "open_charges": revenue.open_charges.to_string(),
        "currency": revenue.currency,
    })
}

fn customer(score: &CustomerScore) -> Value {
    let CustomerScore { customer_id, model_version, probability, churn_predicted, reasons, .. } = score;
    json!({
        "customer_id": customer_id.as_str(),
        "observed_at": time(score.observed_at),
        "scored_at": time(score.scored_at),
        "model_version": model_version,
        "probability": probability,
        "churn_predicted": churn_predicted,
        "reasons": reasons.iter().take(REASONS).collect::<Vec<_>>(),
    })
}

/// A series that could not be forecast has the reason and no points.
fn forecast(told: &SeriesForecast, unit: &str) -> Value {
    let mut forecast = json!({
        "series": told.series,
        "unit": unit,
        "made_at": time(told.made_at),
        "history_hours": told.history_hours,
        "threshold": told.threshold,
        "points": [],
    });
    match &told.outcome {
        ForecastOutcome::Made { method, coverage, points, .. } => {
            // What forecasts of the days before came to says more than what rolling ones did.
            forecast["coverage"] = told.realised.map(|realised| realised.coverage).or(*coverage).into();
            forecast["method"] = method.as_str().into();
            forecast["points"] = points.iter().take(HOURS).map(point).collect();
        }
        ForecastOutcome::NotMade { reason } => forecast["reason"] = reason.as_str().into(),
    }
    forecast
}

fn crossing(told: &Crossing, unit: &str) -> Value {
    json!({
        "series": told.series,
        "unit": unit,
        "threshold": told.threshold,
        "above": told.above,
        "expected": point(&told.point),
    })
}

fn point(point: &ForecastPoint) -> Value {
    json!({"time": time(point.time), "value": point.value, "low": point.low, "high": point.high})
}
