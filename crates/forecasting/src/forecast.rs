//! The forecast: the best method, its points, and their bands.

use chrono::{DateTime, Utc};

use crate::backtest::{self, FEWEST, Missed, SHORTEST_TRAINING};
use crate::bands::{self, Bands};
use crate::error::ForecastError;
use crate::methods::Method;
use crate::series::Series;

/// The longest horizon, in hours: four weeks.
pub const LONGEST_HORIZON: usize = 4 * 168;

/// What is expected of the hours after a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The method that was off least.
    pub method: Method,
    /// The methods that could forecast the series, the best first.
    pub candidates: Vec<Candidate>,
    /// The hours ahead.
    pub points: Vec<Point>,
    /// The share of outcomes in the bands of rolling forecasts, each of which was made from forecasts of other hours; `None` when
    /// the series is too short to have such.
    pub coverage: Option<f64>,
    /// Rolling forecasts that methods and bands were measured by.
    pub folds: usize,
}

/// How a method did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The method.
    pub method: Method,
    /// The mean absolute error of rolling forecasts of the same horizon.
    pub mae: f64,
}

/// One hour ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The hour's beginning, as the series has it.
    pub time: DateTime<Utc>,
    /// What is expected.
    pub value: f64,
    /// The lower end of the band that holds 80 % of outcomes.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The hours of history that a horizon needs: a week, and as long as the horizon.
#[must_use]
pub const fn hours_needed(horizon: usize) -> usize {
    SHORTEST_TRAINING + (FEWEST - 1) * 24 + horizon
}

/// Forecasts the next `horizon` hours of a series.
///
/// # Errors
/// When the horizon is none from 1 to [`LONGEST_HORIZON`], or the series has fewer hours than [`hours_needed`].
pub fn forecast(series: &Series, horizon: usize) -> Result<Forecast, ForecastError> {
    if !(1..=LONGEST_HORIZON).contains(&horizon) {
        return Err(ForecastError::Horizon { horizon, longest: LONGEST_HORIZON });
    }
    let (hours, needed) = (series.hours(), hours_needed(horizon));
    if hours < needed {
        return Err(ForecastError::TooShort { hours, horizon, needed });
    }
    let origins = backtest::origins(hours, horizon);
    let mut measured: Vec<Missed> =
        Method::ALL.into_iter().filter_map(|method| backtest::run(series, method, &origins, horizon)).collect();
    measured.sort_by(|a, b| a.mae.total_cmp(&b.mae));
    let candidates = measured.iter().map(|missed| Candidate { method: missed.method, mae: missed.mae }).collect();
    let future = |missed: &Missed| missed.method.predict(series, hours, horizon).map(|values| (missed.clone(), values));
    let (best, values) = measured.iter().find_map(future).ok_or(ForecastError::NoMethod)?;
    let bands = Bands::from(series, best.folds.iter()).ok_or(ForecastError::NoMethod)?;
    let points = values
        .into_iter()
        .enumerate()
        .map(|(ahead, value)| {
            let (low, high) = bands.around(series, hours, ahead, value);
            Point { time: series.time(hours + ahead), value, low, high }
        })
        .collect();
    Ok(Forecast {
        method: best.method,
        candidates,
        points,
        coverage: bands::coverage(series, &best.folds),
        folds: best.folds.len(),
    })
}
