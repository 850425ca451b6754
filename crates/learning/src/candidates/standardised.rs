//! Columns brought to mean 0 and deviation 1, for models to which their scale matters.

use ndarray::Array2;

use super::Table;

pub(super) struct Standardised {
    pub(super) means: Vec<f64>,
    pub(super) scales: Vec<f64>,
    pub(super) values: Array2<f64>,
}

impl Standardised {
    pub(super) fn new(table: &Table<'_>) -> Self {
        let rows = table.rows();
        let mut values = Array2::zeros((rows, table.width));
        let (mut means, mut scales) = (Vec::new(), Vec::new());
        for (column, cells) in table.columns.chunks_exact(rows).enumerate() {
            let mean = cells.iter().sum::<f64>() / rows as f64;
            let variance = cells.iter().map(|cell| (cell - mean).powi(2)).sum::<f64>() / rows as f64;
            let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
            for (row, cell) in cells.iter().enumerate() {
                values[[row, column]] = (cell - mean) / scale;
            }
            means.push(mean);
            scales.push(scale);
        }
        Self { means, scales, values }
    }
}
