//! Gaussian naive Bayes, by linfa.

use std::collections::BTreeMap;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_bayes::GaussianNb;
use millrace_churn_model::NaiveBayes;
use ndarray::Array1;
use serde::Deserialize;

use super::Table;
use super::standardised::Standardised;

pub(super) const PARAMETERS: [(&str, f64); 1] = [("variance_smoothing", 1e-9)];

/// What linfa keeps of a fit; it shows it in no other way than by serialising it.
#[derive(Deserialize)]
struct Fitted {
    class_info: BTreeMap<String, Class>,
}

#[derive(Deserialize)]
struct Class {
    prior: f64,
    theta: Array1<f64>,
    sigma: Array1<f64>,
}

/// The classes as linfa is given them: text, which is a key in JSON.
const STAYED: &str = "stayed";
const LEFT: &str = "left";

fn dataset(values: ndarray::Array2<f64>, left: &[bool]) -> DatasetBase<ndarray::Array2<f64>, Array1<String>> {
    let class = |&left: &bool| if left { LEFT } else { STAYED }.to_owned();
    DatasetBase::new(values, left.iter().map(class).collect())
}

fn fitted(dataset: &DatasetBase<ndarray::Array2<f64>, Array1<String>>) -> Result<GaussianNb<f64, String>, String> {
    GaussianNb::params().var_smoothing(PARAMETERS[0].1).fit(dataset).map_err(|error| error.to_string())
}

pub(super) fn fit(table: &Table<'_>) -> Result<NaiveBayes, String> {
    let Standardised { means, scales, values } = Standardised::new(table);
    let json = serde_json::to_value(fitted(&dataset(values, table.left))?).map_err(|error| error.to_string())?;
    let mut fitted: Fitted = serde_json::from_value(json).map_err(|error| error.to_string())?;
    let (Some(stayed), Some(left)) = (fitted.class_info.remove(STAYED), fitted.class_info.remove(LEFT)) else {
        return Err("one class only".into());
    };
    let unscaled = |class: &Class| -> (Vec<f64>, Vec<f64>) {
        let mean = |(column, theta): (usize, &f64)| means[column] + scales[column] * theta;
        let variance = |(column, sigma): (usize, &f64)| scales[column].powi(2) * sigma;
        (class.theta.iter().enumerate().map(mean).collect(), class.sigma.iter().enumerate().map(variance).collect())
    };
    let (stayed_means, stayed_variances) = unscaled(&stayed);
    let (left_means, left_variances) = unscaled(&left);
    let prior = (left.prior / stayed.prior).ln();
    Ok(NaiveBayes { prior, means, stayed_means, stayed_variances, left_means, left_variances })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use linfa_bayes::NaiveBayes as _;

    use super::*;
    use crate::candidates::Candidate;
    use crate::candidates::tests::{probabilities, small, table};

    #[test]
    fn the_artefact_gives_the_librarys_probabilities() {
        let (columns, left) = small();
        let table = table(&columns, &left);
        let dataset = dataset(Standardised::new(&table).values, &left);
        let library = fitted(&dataset).unwrap();
        let likelihoods = library.joint_log_likelihood(dataset.records().view());
        let of = |class: &str| likelihoods[&class.to_owned()].clone();
        let odds = of(LEFT) - of(STAYED);
        for (ours, odds) in probabilities(Candidate::NaiveBayes, &table).iter().zip(odds) {
            assert!((ours - 1.0 / (1.0 + (-odds).exp())).abs() < 1e-6);
        }
    }
}
