//! Why there is no forecast.

use chrono::{DateTime, Utc};

/// What a series lacks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ForecastError {
    /// The horizon is none that can be forecast.
    #[error("horizon: expected 1 to {longest} hours, not {horizon}")]
    Horizon {
        /// What was asked for.
        horizon: usize,
        /// The longest one.
        longest: usize,
    },
    /// There is too little history to choose a method and measure its bands.
    #[error("the series has {hours} hours, and a horizon of {horizon} hours needs at least {needed}")]
    TooShort {
        /// From the first hour to the last.
        hours: usize,
        /// What was asked for, in hours.
        horizon: usize,
        /// Hours that are needed.
        needed: usize,
    },
    /// Most of the series is missing.
    #[error("{missing} of the series' {hours} hours have no value: at least half must have one")]
    MostlyGaps {
        /// Hours without a value.
        missing: usize,
        /// From the first hour to the last.
        hours: usize,
    },
    /// Two values of one hour.
    #[error("the hour {0} has two values")]
    Twice(DateTime<Utc>),
    /// A time that is not a whole number of hours from the first one.
    #[error("{0} is not a whole number of hours from the first time")]
    OffTheHour(DateTime<Utc>),
    /// A value that is not finite.
    #[error("the value of {0} is not a finite number")]
    NotFinite(DateTime<Utc>),
    /// No method could forecast the series.
    #[error("no method could forecast the series")]
    NoMethod,
}
