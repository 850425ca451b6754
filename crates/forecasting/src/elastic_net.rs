//! Elastic net by coordinate descent (linfa).

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNetParams;
use ndarray::{Array1, Array2};

use crate::features::{self, Calendar, Solver};
use crate::series::Series;

/// The penalty, for targets of deviation 1, and the part of it that makes coefficients zero.
const PENALTY: f64 = 0.004;
const SPARSE: f64 = 0.5;
/// Rounds of the descent; its stop, in the targets' deviation.
const ROUNDS: u32 = 300;
const TOLERANCE: f64 = 1e-4;

/// Forecasts from the first `origin` hours.
pub(crate) fn predict(series: &Series, origin: usize, horizon: usize) -> Option<Vec<f64>> {
    features::predict::<ElasticNet>(series, origin, horizon, Calendar::Waves)
}

/// The rows that coefficients are sought for.
pub(crate) struct ElasticNet {
    rows: Array2<f64>,
}

impl Solver for ElasticNet {
    fn new(rows: Vec<f64>, width: usize) -> Option<Self> {
        Some(Self { rows: Array2::from_shape_vec((rows.len() / width, width), rows).ok()? })
    }

    fn coefficients(&self, targets: &[f64]) -> Option<Vec<f64>> {
        let deviation = (targets.iter().map(|target| target * target).sum::<f64>() / targets.len() as f64).sqrt();
        if deviation == 0.0 {
            return Some(vec![0.0; self.rows.ncols()]);
        }
        let targets = Array1::from_iter(targets.iter().map(|target| target / deviation));
        let model = ElasticNetParams::new()
            .penalty(PENALTY)
            .l1_ratio(SPARSE)
            .with_intercept(false)
            .max_iterations(ROUNDS)
            .tolerance(TOLERANCE)
            .fit(&DatasetBase::new(self.rows.view(), targets.view()))
            .ok()?;
        Some(model.hyperplane().iter().map(|coefficient| coefficient * deviation).collect())
    }
}
