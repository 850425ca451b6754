//! Rolling forecasts from points in the past, none of which sees what came after.

use crate::methods::Method;
use crate::series::Series;

const DAY: usize = 24;
/// Hours of history that the earliest forecast has, the most that leaves enough forecasts: seasons want to be seen more than once.
const TRAINING: [usize; 4] = [3 * 168, 2 * 168, 168, SHORTEST_TRAINING];
/// The fewest hours that a forecast is made from.
pub(crate) const SHORTEST_TRAINING: usize = 96;
/// Forecasts that are enough, and that are made at most.
const ENOUGH: usize = 7;
const MOST: usize = 28;
/// The same of horizons beyond two days, each of which costs and tells more.
const LONG_MOST: usize = 14;
/// Forecasts that are made at least.
pub(crate) const FEWEST: usize = 4;
/// A short horizon sees few hours of the day from one origin: origins then move by a step that comes to every hour.
const SHORT_HORIZON: usize = 12;
const LONG_HORIZON: usize = 2 * DAY;
const SHORT_STEP: usize = 5;
const SHORT_MOST: usize = 60;

/// What a method missed by, from each origin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Missed {
    /// The method.
    pub(crate) method: Method,
    /// The mean absolute error.
    pub(crate) mae: f64,
    /// By origin, then by hour ahead; `None` where the outcome is not known.
    pub(crate) folds: Vec<Fold>,
}

/// One forecast beside its outcome.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fold {
    /// The hours that it was made from.
    pub(crate) origin: usize,
    /// What was forecast.
    pub(crate) points: Vec<f64>,
    /// What came.
    pub(crate) outcomes: Vec<Option<f64>>,
}

impl Fold {
    /// Outcome less forecast, with the hours ahead (from 0), where the outcome is known.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (usize, f64)> {
        let pairs = self.points.iter().zip(&self.outcomes).enumerate();
        pairs.filter_map(|(ahead, (point, outcome))| Some((ahead, (*outcome)? - point)))
    }
}

/// The origins of the rolling forecasts, the earliest first. Those of long horizons lie whole days before the end, so that an hour
/// ahead is the same hour of the day in each, and in the forecast itself.
pub(crate) fn origins(hours: usize, horizon: usize) -> Vec<usize> {
    let (step, most) = match horizon {
        short if short < SHORT_HORIZON => (SHORT_STEP, SHORT_MOST),
        middle if middle <= LONG_HORIZON => (DAY, MOST),
        _ => (DAY, LONG_MOST),
    };
    let from = |training: usize| -> Vec<usize> {
        let last = hours.saturating_sub(horizon);
        let mut origins: Vec<usize> =
            (0..most).map_while(|n| last.checked_sub(n * step)).take_while(|origin| *origin >= training).collect();
        origins.reverse();
        origins
    };
    TRAINING.into_iter().map(from).find(|origins| origins.len() >= ENOUGH).unwrap_or_else(|| from(SHORTEST_TRAINING))
}

/// Lets a method forecast from every origin; `None` when it cannot from each of them, or no outcome is known.
pub(crate) fn run(series: &Series, method: Method, origins: &[usize], horizon: usize) -> Option<Missed> {
    let mut folds = Vec::with_capacity(origins.len());
    for origin in origins {
        let points = method.predict(series, *origin, horizon)?;
        let outcomes =
            (*origin..origin + horizon).map(|place| series.observed[place].then_some(series.values[place])).collect();
        folds.push(Fold { origin: *origin, points, outcomes });
    }
    let errors: Vec<f64> = folds.iter().flat_map(Fold::errors).map(|(_, error)| error.abs()).collect();
    if errors.is_empty() {
        return None;
    }
    let mae = errors.iter().sum::<f64>() / errors.len() as f64;
    Some(Missed { method, mae, folds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_lie_whole_days_before_the_end_and_leave_room_for_the_horizon() {
        let origins = origins(8 * 168, 24);
        assert_eq!(origins.last(), Some(&(8 * 168 - 24)));
        assert_eq!(origins.len(), MOST);
        assert!(origins.windows(2).all(|pair| pair[1] - pair[0] == DAY));
    }

    #[test]
    fn a_short_series_is_forecast_from_fewer_hours() {
        assert_eq!(origins(SHORTEST_TRAINING + 3 * DAY + 24, 24).len(), FEWEST);
        assert!(origins(4 * 168, 168).iter().all(|origin| *origin >= 2 * 168));
    }
}
