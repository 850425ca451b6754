//! Logistic regression, by linfa.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use millrace_churn_model::Linear;
use ndarray::Array1;

use super::Table;
use super::standardised::Standardised;

pub(super) const PARAMETERS: [(&str, f64); 3] = [("l2", 1.0), ("most_iterations", 200.0), ("tolerance_a_row", 1e-6)];

pub(super) fn fit(table: &Table<'_>) -> Result<Linear, String> {
    let Standardised { means, scales, values } = Standardised::new(table);
    let dataset = DatasetBase::new(values, Array1::from(table.left.to_vec()));
    let fitted = LogisticRegression::default()
        .alpha(PARAMETERS[0].1)
        .max_iterations(PARAMETERS[1].1 as u64)
        // The loss is a sum over rows, and so is its gradient: a fixed tolerance would ask for more digits the more rows there are.
        .gradient_tolerance(PARAMETERS[2].1 * table.left.len() as f64)
        .fit(&dataset)
        .map_err(|error| error.to_string())?;
    // linfa decides which class is the positive one.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let coefficients = fitted.params().iter().zip(&scales).map(|(weight, scale)| sign * weight / scale).collect();
    Ok(Linear { intercept: sign * fitted.intercept(), means, coefficients })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::candidates::tests::{small, table};

    #[test]
    fn the_artefact_gives_the_librarys_probabilities() {
        let (columns, left) = small();
        let table = table(&columns, &left);
        let dataset = DatasetBase::new(Standardised::new(&table).values, Array1::from(left.clone()));
        let tolerance = 1e-6 * left.len() as f64;
        let library =
            LogisticRegression::default().alpha(1.0).max_iterations(200).gradient_tolerance(tolerance).fit(&dataset);
        let library = library.unwrap();
        let of_positive = library.predict_probabilities(dataset.records());
        let ours = crate::candidates::tests::probabilities(super::super::Candidate::LogisticRegression, &table);
        for (ours, of_positive) in ours.iter().zip(of_positive) {
            let library = if library.labels().pos.class { of_positive } else { 1.0 - of_positive };
            assert!((ours - library).abs() < 1e-6, "{ours} and {library}");
        }
    }
}
