//! Elastic net by coordinate descent (linfa).

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNetParams;
use ndarray::{Array1, Array2};

use crate::features::{self, Calendar, Solver};
use crate::normal::Normal;
use crate::series::Series;

/// The penalty, for targets of deviation 1, and the part of it that makes coefficients zero.
const PENALTY: f64 = 0.004;
const SPARSE: f64 = 0.5;
/// Rounds of the descent; its stop, in the targets' deviation.
const ROUNDS: u32 = 300;
const TOLERANCE: f64 = 1e-4;
/// What is added to a column's square, of 1 a row, so that columns that say the same can be condensed.
const APART: f64 = 1e-9;

/// Forecasts from the first `origin` hours.
pub(crate) fn predict(series: &Series, origin: usize, horizon: usize) -> Option<Vec<f64>> {
    features::predict::<ElasticNet>(series, origin, horizon, Calendar::Waves)
}

/// The rows that coefficients are sought for. The coefficients depend on the rows' products alone, so that the descent is given as many
/// rows as there are columns, which have the same products: 47 instead of 1,344.
pub(crate) struct ElasticNet {
    normal: Normal,
    condensed: Array2<f64>,
}

impl Solver for ElasticNet {
    fn new(rows: Vec<f64>, width: usize) -> Option<Self> {
        let apart = APART * (rows.len() / width) as f64;
        let normal = Normal::new(rows, width, apart)?;
        let condensed = Array2::from_shape_vec((width, width), normal.condensed_rows()).ok()?;
        Some(Self { normal, condensed })
    }

    fn coefficients(&self, targets: &[f64]) -> Option<Vec<f64>> {
        let deviation = (targets.iter().map(|target| target * target).sum::<f64>() / targets.len() as f64).sqrt();
        if deviation == 0.0 {
            return Some(vec![0.0; self.normal.width]);
        }
        let condensed = self.normal.condensed(targets).into_iter().map(|target| target / deviation);
        let targets = Array1::from_iter(condensed);
        // linfa weighs the penalty by the rows that it sees.
        let rows_by_condensed = self.normal.count() as f64 / self.normal.width as f64;
        let model = ElasticNetParams::new()
            .penalty(PENALTY * rows_by_condensed)
            .l1_ratio(SPARSE)
            .with_intercept(false)
            .max_iterations(ROUNDS)
            .tolerance(TOLERANCE)
            .fit(&DatasetBase::new(self.condensed.view(), targets.view()))
            .ok()?;
        Some(model.hyperplane().iter().map(|coefficient| coefficient * deviation).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Ninety rows of three columns of mean 0, of which the third is the sum of the others, and targets by the first two.
    fn rows() -> (Vec<f64>, Vec<f64>) {
        let wave = |row: usize, turns: f64| (std::f64::consts::TAU * turns * row as f64 / 90.0).sin();
        let rows = (0..90).flat_map(|row| {
            let (one, two) = (wave(row, 1.0), wave(row, 7.0));
            [one, two, one + two]
        });
        let targets = (0..90).map(|row| 3.0 * wave(row, 1.0) - 2.0 * wave(row, 7.0) + 0.5 * wave(row, 11.0));
        (rows.collect(), targets.collect())
    }

    #[test]
    fn the_condensed_rows_give_the_coefficients_of_all_rows() {
        let (rows, targets) = rows();
        let found = ElasticNet::new(rows.clone(), 3).unwrap().coefficients(&targets).unwrap();
        let deviation = (targets.iter().map(|target| target * target).sum::<f64>() / 90.0).sqrt();
        let all = Array2::from_shape_vec((90, 3), rows.clone()).unwrap();
        let scaled = Array1::from_iter(targets.iter().map(|target| target / deviation));
        let of_all = ElasticNetParams::new()
            .penalty(PENALTY)
            .l1_ratio(SPARSE)
            .with_intercept(false)
            .max_iterations(100_000)
            .tolerance(1e-12)
            .fit(&DatasetBase::new(all.view(), scaled.view()))
            .unwrap();
        let fitted = |coefficients: &[f64], row: &[f64]| -> f64 {
            coefficients.iter().zip(row).map(|(coefficient, value)| coefficient * value).sum()
        };
        let expected: Vec<f64> = of_all.hyperplane().iter().map(|coefficient| coefficient * deviation).collect();
        for row in rows.chunks_exact(3) {
            let (found, expected) = (fitted(&found, row), fitted(&expected, row));
            assert!((found - expected).abs() < 0.05, "{found} {expected}");
        }
    }
}
