//! Ridge regression, solved in closed form.

use crate::features::{self, Calendar, Solver};
use crate::normal::Normal;
use crate::series::Series;

/// How strongly coefficients are held back: as much as this many rows weigh.
const PENALTY: f64 = 10.0;

/// Forecasts from the first `origin` hours.
pub(crate) fn predict(series: &Series, origin: usize, horizon: usize) -> Option<Vec<f64>> {
    features::predict::<Ridge>(series, origin, horizon, Calendar::Columns)
}

/// The rows that coefficients are sought for.
pub(crate) struct Ridge(Normal);

impl Solver for Ridge {
    fn new(rows: Vec<f64>, width: usize) -> Option<Self> {
        Normal::new(rows, width, PENALTY).map(Self)
    }

    fn coefficients(&self, targets: &[f64]) -> Option<Vec<f64>> {
        Some(self.0.solve(targets))
    }
}
