//! Ridge regression, solved in closed form.

use crate::features::{self, Calendar, Solver};
use crate::series::Series;

/// How strongly coefficients are held back: as much as this many rows weigh.
const PENALTY: f64 = 10.0;

/// Forecasts from the first `origin` hours.
pub(crate) fn predict(series: &Series, origin: usize, horizon: usize) -> Option<Vec<f64>> {
    features::predict::<Ridge>(series, origin, horizon, Calendar::Columns)
}

/// The coefficients `b` of `(X'X + penalty) b = X'y`, of which the left side is factored once.
pub(crate) struct Ridge {
    rows: Vec<f64>,
    width: usize,
    /// The lower half `L` of `L L' = X'X + penalty`.
    factor: Vec<f64>,
}

impl Solver for Ridge {
    fn new(rows: Vec<f64>, width: usize) -> Option<Self> {
        let mut factor = vec![0.0; width * width];
        for row in rows.chunks_exact(width) {
            for (i, value) in row.iter().enumerate() {
                for (sum, other) in factor[i * width..=i * width + i].iter_mut().zip(row) {
                    *sum += value * other;
                }
            }
        }
        for i in 0..width {
            factor[i * width + i] += PENALTY;
        }
        factorise(&mut factor, width)?;
        Some(Self { rows, width, factor })
    }

    fn coefficients(&self, targets: &[f64]) -> Option<Vec<f64>> {
        let mut products = vec![0.0; self.width];
        for (row, target) in self.rows.chunks_exact(self.width).zip(targets) {
            for (sum, value) in products.iter_mut().zip(row) {
                *sum += value * target;
            }
        }
        solve(&self.factor, self.width, &mut products);
        Some(products)
    }
}

/// Cholesky's factor of a symmetric, positive matrix of which the lower half is given, in place.
fn factorise(matrix: &mut [f64], width: usize) -> Option<()> {
    for i in 0..width {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| matrix[i * width + k] * matrix[j * width + k]).sum();
            let rest = matrix[i * width + j] - dot;
            if i == j {
                if rest <= 0.0 {
                    return None;
                }
                matrix[i * width + i] = rest.sqrt();
            } else {
                matrix[i * width + j] = rest / matrix[j * width + j];
            }
        }
    }
    Some(())
}

/// Solves a factored system in place.
fn solve(factor: &[f64], width: usize, vector: &mut [f64]) {
    for i in 0..width {
        let dot: f64 = (0..i).map(|k| factor[i * width + k] * vector[k]).sum();
        vector[i] = (vector[i] - dot) / factor[i * width + i];
    }
    for i in (0..width).rev() {
        let dot: f64 = (i + 1..width).map(|k| factor[k * width + i] * vector[k]).sum();
        vector[i] = (vector[i] - dot) / factor[i * width + i];
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_system_is_solved() {
        let mut matrix = [4.0, 0.0, 2.0, 3.0];
        let mut vector = [10.0, 8.0];
        factorise(&mut matrix, 2).unwrap();
        solve(&matrix, 2, &mut vector);
        assert!((vector[0] - 1.75).abs() < 1e-12 && (vector[1] - 1.5).abs() < 1e-12, "{vector:?}");
    }

    #[test]
    fn a_matrix_that_is_not_positive_is_told() {
        assert_eq!(factorise(&mut [1.0, 0.0, 2.0, 1.0], 2), None);
    }
}
