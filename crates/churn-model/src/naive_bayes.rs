//! A Gaussian naive Bayes classifier.

use serde::{Deserialize, Serialize};

use crate::exact;

/// Each column is normal within each class, and independent of the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NaiveBayes {
    /// The log-odds of leaving before anything is known.
    #[serde(with = "exact")]
    pub prior: f64,
    /// Each column's mean over all customers: where contributions are counted from.
    #[serde(with = "exact::many")]
    pub means: Vec<f64>,
    /// Each column's mean among those who stayed.
    #[serde(with = "exact::many")]
    pub stayed_means: Vec<f64>,
    /// Each column's variance among those who stayed.
    #[serde(with = "exact::many")]
    pub stayed_variances: Vec<f64>,
    /// Each column's mean among those who left.
    #[serde(with = "exact::many")]
    pub left_means: Vec<f64>,
    /// Each column's variance among those who left.
    #[serde(with = "exact::many")]
    pub left_variances: Vec<f64>,
}

impl NaiveBayes {
    /// The log-odds of a customer who is average in every column.
    pub(crate) fn base(&self) -> f64 {
        self.prior + (0..self.means.len()).map(|column| self.evidence(column, self.means[column])).sum::<f64>()
    }

    /// The log-odds of a row.
    pub(crate) fn margin(&self, row: &[f64]) -> f64 {
        self.prior + row.iter().enumerate().map(|(column, &value)| self.evidence(column, value)).sum::<f64>()
    }

    /// What each column adds to the log-odds of the average customer.
    pub(crate) fn contributions(&self, row: &[f64], into: &mut [f64]) {
        for (column, (&value, cell)) in row.iter().zip(into).enumerate() {
            *cell = self.evidence(column, value) - self.evidence(column, self.means[column]);
        }
    }

    /// The logarithm of how much likelier a column's value is among those who left.
    fn evidence(&self, column: usize, value: f64) -> f64 {
        let density = |mean: f64, variance: f64| -0.5 * (variance.ln() + (value - mean).powi(2) / variance);
        density(self.left_means[column], self.left_variances[column])
            - density(self.stayed_means[column], self.stayed_variances[column])
    }
}
