//! Forecasts of hourly series, as they are kept, and the thresholds that they cross.

use chrono::{DateTime, Utc};

/// The latest forecast of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesForecast {
    /// Which series: `usage/voice`, `revenue`, `temperature/CAS-01`.
    pub series: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Hours of history that it was made from.
    pub history_hours: u64,
    /// Those among them that had no value and were filled in.
    pub filled_hours: u64,
    /// From where on an alert is raised, where there is such a threshold.
    pub threshold: Option<f64>,
    /// What is expected, or why nothing is.
    pub outcome: ForecastOutcome,
    /// How the forecasts of the days before did.
    pub realised: Option<Realised>,
}

/// What a forecast came to.
#[derive(Debug, Clone, PartialEq)]
pub enum ForecastOutcome {
    /// The hours ahead are known as well as the bands say.
    Made {
        /// The method that was off least.
        method: String,
        /// The methods and the mean absolute error of each in rolling forecasts, the best first.
        candidates: Vec<(String, f64)>,
        /// The share of outcomes in the bands of rolling forecasts, where it could be measured.
        coverage: Option<f64>,
        /// The hours ahead.
        points: Vec<ForecastPoint>,
    },
    /// There is none, for this reason.
    NotMade {
        /// In words.
        reason: String,
    },
}

/// One hour ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastPoint {
    /// The hour's beginning.
    pub time: DateTime<Utc>,
    /// What is expected.
    pub value: f64,
    /// The lower end of the band that holds 80 % of outcomes.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Earlier forecasts against what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Realised {
    /// Hours that were forecast and have come.
    pub hours: u64,
    /// The share of them within their bands.
    pub coverage: f64,
    /// The mean absolute error.
    pub mae: f64,
}

/// A threshold that a forecast crosses.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// Which series.
    pub series: String,
    /// The threshold.
    pub threshold: f64,
    /// Whether the values rise above it; otherwise they fall below.
    pub above: bool,
    /// When it is first crossed, and what is expected then.
    pub point: ForecastPoint,
}
