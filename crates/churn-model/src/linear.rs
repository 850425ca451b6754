//! A logistic regression.

use serde::{Deserialize, Serialize};

use crate::exact;

/// A log-odds that is linear in the columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// The log-odds of a customer who is average in every column.
    #[serde(with = "exact")]
    pub intercept: f64,
    /// Each column's average in training.
    #[serde(with = "exact::many")]
    pub means: Vec<f64>,
    /// What a unit above the average adds to the log-odds.
    #[serde(with = "exact::many")]
    pub coefficients: Vec<f64>,
}

impl Linear {
    /// The log-odds of a row.
    pub(crate) fn margin(&self, row: &[f64]) -> f64 {
        self.intercept + self.terms(row).sum::<f64>()
    }

    /// What each column adds to the log-odds of the average customer.
    pub(crate) fn contributions(&self, row: &[f64], into: &mut [f64]) {
        into.iter_mut().zip(self.terms(row)).for_each(|(cell, term)| *cell = term);
    }

    fn terms(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        self.coefficients.iter().zip(&self.means).zip(row).map(|((weight, mean), value)| weight * (value - mean))
    }
}
