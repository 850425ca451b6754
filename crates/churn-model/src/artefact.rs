//! A trained model as it is stored.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::calibration::Calibration;
use crate::exact;
use crate::linear::Linear;
use crate::naive_bayes::NaiveBayes;
use crate::preparation::Preparation;
use crate::trees::Trees;

/// The version of the artefact's shape that this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Why bytes are no artefact that can score.
#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    /// The bytes are no JSON of an artefact.
    #[error("the artefact can't be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The artefact has another shape.
    #[error("the artefact has schema version {0}, expected {SCHEMA_VERSION}")]
    SchemaVersion(u32),
    /// The parts of the artefact do not fit each other.
    #[error("the artefact is inconsistent: {0}")]
    Inconsistent(String),
}

/// What was fitted, as plain arrays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predictor {
    /// Log-odds, linear in the columns.
    Logistic(Linear),
    /// Log-odds of normal columns.
    NaiveBayes(NaiveBayes),
    /// A tree or a forest: the mean of the trees' probabilities.
    Averaged(Trees),
    /// Boosted trees: a sum of log-odds.
    Boosted(Trees),
}

/// Which observations a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedOn {
    /// The earliest observation.
    pub from: DateTime<Utc>,
    /// The latest.
    pub to: DateTime<Utc>,
    /// How many.
    pub rows: u64,
    /// How many of them left.
    pub churned: u64,
}

/// A trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artefact {
    /// The shape of what follows: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Which candidate it was.
    pub candidate: String,
    /// The library that fitted it, and its version.
    pub library: String,
    /// What it was trained on.
    pub trained_on: TrainedOn,
    /// How an observation becomes numbers.
    pub preparation: Preparation,
    /// What was fitted.
    pub predictor: Predictor,
    /// How its probability is corrected.
    pub calibration: Calibration,
    /// The probability from which a customer is worth a contact.
    #[serde(with = "exact")]
    pub threshold: f64,
}

#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

impl Artefact {
    /// The artefact as JSON: the same artefact gives the same bytes.
    ///
    /// # Errors
    /// When a number is not finite, which JSON has no form for and no check would let through.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ArtefactError> {
        self.check()?;
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads an artefact.
    ///
    /// # Errors
    /// When the bytes are malformed, of another schema version, or describe a model that does not hold together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ArtefactError> {
        // The version first: another version's shape is no reason to call the bytes malformed.
        let Version { schema_version } = serde_json::from_slice(bytes)?;
        if schema_version != SCHEMA_VERSION {
            return Err(ArtefactError::SchemaVersion(schema_version));
        }
        let artefact: Self = serde_json::from_slice(bytes)?;
        artefact.check()?;
        Ok(artefact)
    }

    /// Whether scoring reads [`Observation::platform`](crate::Observation::platform), so that it must be looked up.
    #[must_use]
    pub fn uses_platform_usage(&self) -> bool {
        self.preparation.uses_platform_usage()
    }

    /// Checks that the parts fit each other.
    pub(crate) fn check(&self) -> Result<(), ArtefactError> {
        if self.schema_version != SCHEMA_VERSION {
            return Err(ArtefactError::SchemaVersion(self.schema_version));
        }
        let wrong = |what: &str| Err(ArtefactError::Inconsistent(what.to_owned()));
        let columns = self.preparation.ready()?.width();
        if columns == 0 {
            return wrong("no columns");
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            return wrong("a threshold that is no probability");
        }
        self.calibration.check()?;
        let as_wide = |arrays: &[&Vec<f64>]| {
            arrays.iter().all(|array| array.len() == columns && array.iter().all(|number| number.is_finite()))
        };
        match &self.predictor {
            Predictor::Logistic(linear) if as_wide(&[&linear.means, &linear.coefficients]) => Ok(()),
            Predictor::NaiveBayes(bayes)
                if as_wide(&[
                    &bayes.means,
                    &bayes.stayed_means,
                    &bayes.stayed_variances,
                    &bayes.left_means,
                    &bayes.left_variances,
                ]) && [&bayes.stayed_variances, &bayes.left_variances]
                    .iter()
                    .all(|array| array.iter().all(|&v| v > 0.0)) =>
            {
                Ok(())
            }
            Predictor::Averaged(trees) | Predictor::Boosted(trees) => trees.check(columns),
            _ => wrong("arrays that do not fit the columns"),
        }
    }
}

/// The SHA-256 of an artefact's bytes, in hexadecimal.
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
