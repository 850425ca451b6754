//! Training of churn models: candidates, their choice, and whether the best may replace the champion.
//!
//! Everything here is computed from [`Examples`] and a seed: the same examples in the same order give the same artefact, byte for
//! byte. Reading examples and keeping artefacts is the business of `train` and of `millrace evaluate`.
//!
//! - [`Examples`] holds labelled observations in columns, and sets a part of the customers aside.
//! - [`train`] cross-validates every candidate, chooses one, calibrates it and chooses its threshold.
//! - [`compare`] says whether a challenger beats a champion by more than noise.
//! - [`Profile`] measures drift.

mod calibrate;
mod candidates;
mod cross_validation;
mod drift;
mod evaluation;
mod examples;
mod metrics;
mod preparation;
mod promotion;
mod threshold;
mod train;

use millrace_churn_model::ArtefactError;

pub use candidates::Candidate;
pub use drift::{Profile, profiles, score_profile};
pub use evaluation::{FittedCandidate, Measured, fit_candidate, measure};
pub use examples::Examples;
pub use metrics::{Interval, Intervals, Metrics};
pub use promotion::{Verdict, compare};
pub use threshold::{Business, Threshold};
pub use train::{CandidateReport, Report, TrainSettings, Trained, train};

/// Why no model came out.
#[derive(Debug, thiserror::Error)]
pub enum LearningError {
    /// There is too little to learn from.
    #[error(
        "too few examples: {rows} rows of which {churned} left, expected at least {least} of those who left and of those who stayed"
    )]
    TooFewExamples {
        /// How many there are.
        rows: usize,
        /// How many of them left.
        churned: usize,
        /// How many of each class are needed.
        least: usize,
    },
    /// A library could not fit its candidate.
    #[error("{candidate} can't be fitted: {reason}")]
    Fit {
        /// Which one.
        candidate: &'static str,
        /// What the library said.
        reason: String,
    },
    /// No candidate could be fitted.
    #[error("no candidate could be fitted: {0}")]
    NoCandidate(String),
    /// What was fitted does not hold together.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
}
