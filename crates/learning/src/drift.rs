//! Whether customers still are as they were in training.

use millrace_churn_model::Observation;
use millrace_churn_model::features::{Feature, NUMBERS};
use serde::{Deserialize, Serialize};

use crate::examples::Examples;

/// In how many parts of like size a column is cut.
const PARTS: usize = 10;
/// The least share a part is counted with: an empty one would be infinitely far from any other.
const LEAST_SHARE: f64 = 1e-4;
/// The name of the score's profile.
const SCORE: &str = "score";

/// How a column was spread in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The column, or `score`.
    pub feature: String,
    /// Where the parts end, rising: a value belongs to the first part whose end is not below it, or to the last one.
    pub ends: Vec<f64>,
    /// The share of rows in each part, and of those without a value.
    pub shares: Vec<f64>,
}

/// The profiles of every column that some rows have.
#[must_use]
pub fn profiles(examples: &Examples, rows: &[u32]) -> Vec<Profile> {
    let of = |(index, feature): (usize, &Feature)| {
        let values = examples.numbers(index)?;
        Some(Profile::new(feature.name, rows.iter().map(|&row| f64::from(values[row as usize]))))
    };
    NUMBERS.iter().enumerate().filter_map(of).collect()
}

/// The profile of probabilities.
#[must_use]
pub fn score_profile(probabilities: impl IntoIterator<Item = f64>) -> Profile {
    Profile::new(SCORE, probabilities.into_iter())
}

impl Profile {
    fn new(feature: &str, values: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.collect();
        let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        present.sort_by(f64::total_cmp);
        // A value that fills several parts ends one.
        let mut ends: Vec<f64> =
            (1..PARTS).filter_map(|part| present.get(part * present.len() / PARTS).copied()).collect();
        ends.dedup();
        // Nothing lies beyond the greatest value.
        if ends.last() == present.last() {
            ends.pop();
        }
        let mut profile = Self { feature: feature.to_owned(), ends, shares: Vec::new() };
        profile.shares = profile.spread(values.into_iter());
        profile
    }

    /// The population stability index of newer values against this profile: below 0.1 they are as they were, from 0.25 on they are
    /// others. 0 when there are none.
    #[must_use]
    pub fn stability(&self, values: impl IntoIterator<Item = f64>) -> f64 {
        let now = self.spread(values.into_iter());
        if now.iter().sum::<f64>() == 0.0 {
            return 0.0;
        }
        let part = |(then, now): (&f64, &f64)| {
            let (then, now) = (then.max(LEAST_SHARE), now.max(LEAST_SHARE));
            (now - then) * (now / then).ln()
        };
        self.shares.iter().zip(&now).map(part).sum()
    }

    /// The index of newer observations; `None` when the profile is the score's.
    #[must_use]
    pub fn stability_of(&self, observations: &[Observation<'_>]) -> Option<f64> {
        let feature = Feature::named(&self.feature)?;
        Some(self.stability(observations.iter().map(|observation| f64::from((feature.value)(observation) as f32))))
    }

    fn spread(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut counts = vec![0.0; self.ends.len() + 2];
        let mut all: f64 = 0.0;
        for value in values {
            let part = if value.is_nan() { self.ends.len() + 1 } else { self.ends.partition_point(|&end| end < value) };
            counts[part] += 1.0;
            all += 1.0;
        }
        counts.into_iter().map(|count| count / all.max(1.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_same_customers_are_stable_and_others_are_not() {
        let values = |shift: f64| (0..5000).map(move |row| (f64::from(row) * 0.618_033_988_749).fract() + shift);
        let profile = score_profile(values(0.0));
        assert_eq!(profile.shares.len(), PARTS + 1);
        assert!(profile.stability(values(0.0)) < 1e-9);
        assert!(profile.stability(values(0.02)) < 0.1);
        assert!(profile.stability(values(0.5)) > 0.25);
        assert!(profile.stability(values(0.0).map(|_| f64::NAN)) > 0.25);
        assert_eq!(profile.stability([]), 0.0);
    }

    #[test]
    fn a_flag_has_two_parts() {
        let profile = Profile::new("international_plan", (0..100).map(|row| f64::from(u8::from(row % 10 == 0))));
        assert_eq!(profile.ends, [0.0]);
        assert_eq!(profile.shares, [0.9, 0.1, 0.0]);
        assert!(profile.stability((0..100).map(|row| f64::from(u8::from(row % 2 == 0)))) > 0.25);
    }
}
