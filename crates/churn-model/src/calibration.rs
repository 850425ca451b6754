//! From a model's own output to a probability that means what it says.

use serde::{Deserialize, Serialize};

use crate::artefact::ArtefactError;
use crate::exact;

/// How far a log-odds goes: beyond, the probability would be a certainty, which no model has.
const MOST_LOG_ODDS: f64 = 10.0;

/// How a model's probability is corrected. Each keeps the order of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Calibration {
    /// The model's probability as it is.
    None,
    /// Platt's: a logistic function of the model's log-odds.
    Platt {
        /// What the log-odds is multiplied by, above 0.
        #[serde(with = "exact")]
        slope: f64,
        /// What is added to it.
        #[serde(with = "exact")]
        intercept: f64,
    },
    /// Isotonic regression: straight lines between knots of the model's probability.
    Isotonic {
        /// Probabilities of the model, rising.
        #[serde(with = "exact::many")]
        from: Vec<f64>,
        /// What each becomes, never falling.
        #[serde(with = "exact::many")]
        to: Vec<f64>,
    },
}

/// The probability of a log-odds.
pub(crate) fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

impl Calibration {
    /// The log-odds of a model's probability, as Platt's calibration reads it: a certainty's is held at 10.
    #[must_use]
    pub fn log_odds(raw: f64) -> f64 {
        (raw / (1.0 - raw)).ln().clamp(-MOST_LOG_ODDS, MOST_LOG_ODDS)
    }

    /// The corrected probability of a model's.
    #[must_use]
    pub fn apply(&self, raw: f64) -> f64 {
        match self {
            Self::None => raw,
            Self::Platt { slope, intercept } => probability(slope * Self::log_odds(raw) + intercept),
            Self::Isotonic { from, to } => {
                let above = from.partition_point(|&knot| knot <= raw);
                match (above.checked_sub(1), from.get(above)) {
                    (None, _) => to.first().copied().unwrap_or(raw),
                    (Some(below), None) => to[below],
                    (Some(below), Some(next)) => {
                        let share = (raw - from[below]) / (next - from[below]);
                        to[below] + share * (to[above] - to[below])
                    }
                }
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), ArtefactError> {
        let good = match self {
            Self::None => true,
            Self::Platt { slope, .. } => *slope > 0.0,
            Self::Isotonic { from, to } => {
                !from.is_empty()
                    && from.len() == to.len()
                    && from.is_sorted_by(|a, b| a < b)
                    && to.is_sorted()
                    && to.iter().all(|p| (0.0..=1.0).contains(p))
            }
        };
        if good {
            Ok(())
        } else {
            Err(ArtefactError::Inconsistent("a calibration that does not keep the order".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isotonic_knots_are_joined_by_lines_and_held_beyond_their_ends() {
        let calibration = Calibration::Isotonic { from: vec![0.2, 0.4, 0.8], to: vec![0.1, 0.1, 0.9] };
        for (raw, expected) in [(0.0, 0.1), (0.2, 0.1), (0.3, 0.1), (0.6, 0.5), (0.8, 0.9), (1.0, 0.9)] {
            assert!((calibration.apply(raw) - expected).abs() < 1e-12, "{raw}");
        }
    }

    #[test]
    fn platt_of_slope_one_changes_nothing() {
        let calibration = Calibration::Platt { slope: 1.0, intercept: 0.0 };
        for raw in [0.001, 0.25, 0.5, 0.99] {
            assert!((calibration.apply(raw) - raw).abs() < 1e-12);
        }
        assert!(calibration.apply(0.0) > 0.0 && calibration.apply(1.0) < 1.0);
    }
}
