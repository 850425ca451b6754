//! One candidate trained on one set of customers and measured on another, for `millrace evaluate`.

use std::time::{Duration, Instant};

use millrace_churn_model::{Artefact, Model, Observation};
use serde::{Deserialize, Serialize};

use crate::LearningError;
use crate::candidates::Candidate;
use crate::examples::Examples;
use crate::metrics::Metrics;
use crate::train::{CandidateReport, TrainSettings, assess, cross_validated, finish, folds};

/// How long predictions are timed at least.
const TIMED: Duration = Duration::from_millis(200);
/// How many customers are predicted at once while it is timed.
const TIMED_ROWS: usize = 100_000;

/// A candidate that was fitted.
#[derive(Debug)]
pub struct FittedCandidate {
    /// What scores, calibration and threshold included.
    pub artefact: Artefact,
    /// How it did in cross-validation: what candidates are chosen by.
    pub report: CandidateReport,
    /// How long the fit on every row took, with its preparation and without cross-validation.
    pub fit_seconds: f64,
    /// How long cross-validation took.
    pub cross_validation_seconds: f64,
}

/// How a model did on customers that it was not trained on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The figures, accuracy and F1 at probability 0.5.
    pub metrics: Metrics,
    /// How many customers are scored in a second on one core.
    pub predict_rows_per_second: f64,
}

/// Chooses a candidate's calibration and threshold by cross-validation of the examples, and fits it on all of them.
///
/// # Errors
/// When the examples are too few or the candidate cannot be fitted.
pub fn fit_candidate(
    candidate: Candidate,
    examples: &Examples,
    settings: &TrainSettings,
) -> Result<FittedCandidate, LearningError> {
    let rows = examples.all();
    let judged = cross_validated(&rows, settings.most_cross_validated);
    let folds = folds(examples, &judged, settings)?;
    let began = Instant::now();
    let assessed = assess(candidate, examples, &folds, settings)?;
    let cross_validation_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let (artefact, _) = finish(&assessed, examples, &rows, &folds, settings)?;
    let fit_seconds = began.elapsed().as_secs_f64();
    Ok(FittedCandidate { artefact, report: assessed.report, fit_seconds, cross_validation_seconds })
}

/// Measures a model on customers whose outcome is known.
#[must_use]
pub fn measure(model: &Model, observations: &[Observation<'_>], left: &[bool]) -> Measured {
    let probabilities: Vec<f64> = model.score_all(observations).iter().map(|score| score.probability).collect();
    let some = &observations[..observations.len().min(TIMED_ROWS)];
    let (began, mut predicted) = (Instant::now(), 0);
    while began.elapsed() < TIMED && !some.is_empty() {
        predicted += std::hint::black_box(model.score_all(some)).len();
    }
    let predict_rows_per_second = predicted as f64 / began.elapsed().as_secs_f64();
    Measured { metrics: Metrics::measure(&probabilities, left), predict_rows_per_second }
}
