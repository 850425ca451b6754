//! What the rows of a regression come to: their products, which are far fewer numbers than the rows.

/// Rows with the lower half `L` of `L L' = X'X + penalty`, which is computed once for several targets.
pub(crate) struct Normal {
    rows: Vec<f64>,
    pub(crate) width: usize,
    factor: Vec<f64>,
}

impl Normal {
    /// Of rows of `width` numbers; `penalty` is added to each column's square. `None` when the columns say the same.
    pub(crate) fn new(rows: Vec<f64>, width: usize, penalty: f64) -> Option<Self> {
        let mut factor = vec![0.0; width * width];
        for row in rows.chunks_exact(width) {
            for (i, value) in row.iter().enumerate() {
                for (sum, other) in factor[i * width..=i * width + i].iter_mut().zip(row) {
                    *sum += value * other;
                }
            }
        }
        for i in 0..width {
            factor[i * width + i] += penalty;
        }
        factorise(&mut factor, width)?;
        Some(Self { rows, width, factor })
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> usize {
        self.rows.len() / self.width
    }

    /// `L⁻¹ X'y`: beside the rows of `L'` it asks for the same coefficients as `y` beside the rows `X`.
    pub(crate) fn condensed(&self, targets: &[f64]) -> Vec<f64> {
        let width = self.width;
        let mut products = vec![0.0; width];
        for (row, target) in self.rows.chunks_exact(width).zip(targets) {
            for (sum, value) in products.iter_mut().zip(row) {
                *sum += value * target;
            }
        }
        for i in 0..width {
            let dot: f64 = (0..i).map(|k| self.factor[i * width + k] * products[k]).sum();
            products[i] = (products[i] - dot) / self.factor[i * width + i];
        }
        products
    }

    /// The rows of `L'`, one after another.
    pub(crate) fn condensed_rows(&self) -> Vec<f64> {
        let width = self.width;
        let cell = |place: usize| {
            let (row, column) = (place / width, place % width);
            if column < row { 0.0 } else { self.factor[column * width + row] }
        };
        (0..width * width).map(cell).collect()
    }

    /// The coefficients `b` of `(X'X + penalty) b = X'y`.
    pub(crate) fn solve(&self, targets: &[f64]) -> Vec<f64> {
        let width = self.width;
        let mut vector = self.condensed(targets);
        for i in (0..width).rev() {
            let dot: f64 = (i + 1..width).map(|k| self.factor[k * width + i] * vector[k]).sum();
            vector[i] = (vector[i] - dot) / self.factor[i * width + i];
        }
        vector
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_system_is_solved() {
        let normal = Normal::new(vec![1.0, 0.0, 1.0, 1.0, 0.0, 2.0], 2, 0.0).unwrap();
        // X'X is [2 1; 1 5], X'y [4; 11].
        let solved = normal.solve(&[1.0, 3.0, 4.0]);
        assert!((solved[0] - 1.0).abs() < 1e-12 && (solved[1] - 2.0).abs() < 1e-12, "{solved:?}");
    }

    #[test]
    fn what_is_condensed_has_the_same_products() {
        let normal = Normal::new(vec![1.0, 0.0, 1.0, 1.0, 0.0, 2.0], 2, 0.0).unwrap();
        let (rows, targets) = (normal.condensed_rows(), normal.condensed(&[1.0, 3.0, 4.0]));
        let product = |a: usize, b: usize| rows[a] * rows[b] + rows[2 + a] * rows[2 + b];
        for (found, expected) in [(product(0, 0), 2.0), (product(0, 1), 1.0), (product(1, 1), 5.0)] {
            assert!((found - expected).abs() < 1e-12, "{rows:?}");
        }
        for (column, expected) in [4.0, 11.0].into_iter().enumerate() {
            let found = rows[column] * targets[0] + rows[2 + column] * targets[1];
            assert!((found - expected).abs() < 1e-12, "{rows:?} {targets:?}");
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_is_told() {
        assert_eq!(factorise(&mut [1.0, 0.0, 2.0, 1.0], 2), None);
    }
}
