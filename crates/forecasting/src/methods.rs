//! The methods that compete.

use crate::series::Series;
use crate::{elastic_net, mstl, naive, ridge};

/// A way to forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The same hour of the last day.
    SeasonalNaiveDay,
    /// The same hour of the last week.
    SeasonalNaiveWeek,
    /// Ridge regression on calendar and past values.
    Ridge,
    /// Elastic net on smooth calendar features and past values.
    ElasticNet,
    /// MSTL with exponential smoothing.
    MstlEts,
}

impl Method {
    /// All of them. Of two that were off by as much, the first is chosen: it is the simpler one.
    pub const ALL: [Self; 5] =
        [Self::SeasonalNaiveDay, Self::SeasonalNaiveWeek, Self::Ridge, Self::ElasticNet, Self::MstlEts];

    /// Its name in answers and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeasonalNaiveDay => "seasonal_naive_24h",
            Self::SeasonalNaiveWeek => "seasonal_naive_168h",
            Self::Ridge => "ridge",
            Self::ElasticNet => "elastic_net",
            Self::MstlEts => "mstl_ets",
        }
    }

    /// What comes in the `horizon` hours after the first `origin` ones, from these alone. `None` when the method needs more of
    /// them, or finds no solution.
    pub(crate) fn predict(self, series: &Series, origin: usize, horizon: usize) -> Option<Vec<f64>> {
        let history = &series.values[..origin];
        let predicted = match self {
            Self::SeasonalNaiveDay => naive::predict(history, 24, horizon),
            Self::SeasonalNaiveWeek => naive::predict(history, 168, horizon),
            Self::Ridge => ridge::predict(series, origin, horizon),
            Self::ElasticNet => elastic_net::predict(series, origin, horizon),
            Self::MstlEts => mstl::predict(history, horizon),
        }?;
        if predicted.len() != horizon || predicted.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let floor = if series.is_never_negative() { 0.0 } else { f64::NEG_INFINITY };
        Some(predicted.into_iter().map(|value| value.max(floor)).collect())
    }
}
