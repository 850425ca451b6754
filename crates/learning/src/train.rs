//! Training: every candidate is judged on rows it has not seen, and the best is fitted on all of them.

use std::collections::BTreeMap;

use millrace_churn_model::{Artefact, Calibration, Model, TrainedOn};
use serde::{Deserialize, Serialize};

use crate::LearningError;
use crate::calibrate;
use crate::candidates::Candidate;
use crate::cross_validation::{Folds, LEAST_BY_FOLD, cross_validate, fit};
use crate::drift::{Profile, profiles, score_profile};
use crate::examples::Examples;
use crate::metrics::{Intervals, Metrics, log_loss};
use crate::threshold::{Business, Threshold};

/// By what share the state must lower the log loss to be read: it is many categories, and each was seen seldom.
const STATE_WORTH: f64 = 0.01;
/// How many rows say what each column matters.
const IMPORTANCE_ROWS: usize = 1_000;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// What chance depends on: the same seed, the same model.
    pub seed: u64,
    /// In how many parts rows are cross-validated, 2 or more.
    pub folds: u8,
    /// How many rows are cross-validated at most; the chosen candidate is fitted on all of them.
    pub most_cross_validated: usize,
    /// What a contact costs and may save.
    pub business: Business,
    /// Which candidates are tried.
    pub candidates: Vec<Candidate>,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            folds: 5,
            most_cross_validated: 20_000,
            business: Business::default(),
            candidates: Candidate::ALL.to_vec(),
        }
    }
}

/// What training gave.
#[derive(Debug)]
pub struct Trained {
    /// The best candidate, fitted on every row.
    pub artefact: Artefact,
    /// How it came to be.
    pub report: Report,
}

/// How a model came to be, for its card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The name of the candidate that was chosen.
    pub chosen: String,
    /// What it was trained on.
    pub trained_on: TrainedOn,
    /// Every candidate, the best first; those that could not be fitted are left out.
    pub candidates: Vec<CandidateReport>,
    /// Why a candidate could not be fitted.
    pub failures: Vec<String>,
    /// What the chosen one's threshold is worth.
    pub threshold: Threshold,
    /// What the threshold was chosen by.
    pub business: Business,
    /// The mean size of each column's contributions, as a share of all, the greatest first.
    pub importances: Vec<(String, f64)>,
    /// How each column was spread, and the chosen model's score at the end: what drift is measured against.
    pub profiles: Vec<Profile>,
}

/// How a candidate did in cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateReport {
    /// Its name.
    pub name: String,
    /// The library that fits it.
    pub library: String,
    /// What its fit is given.
    pub parameters: BTreeMap<String, f64>,
    /// Whether it reads the state.
    pub reads_state: bool,
    /// `none`, `platt` or `isotonic`.
    pub calibration: String,
    /// The log loss before calibration.
    pub uncalibrated_log_loss: f64,
    /// The figures on rows that neither candidate nor calibration was fitted on.
    pub metrics: Metrics,
    /// Where they lie.
    pub intervals: Intervals,
}

/// A candidate that was judged.
pub(crate) struct Assessed {
    pub(crate) candidate: Candidate,
    pub(crate) report: CandidateReport,
    calibration: Calibration,
    calibrated: Vec<f64>,
}

/// Judges the candidates by cross-validation, chooses the one of the lowest log loss, and fits it on every training row of
/// `examples` ([`Examples::for_training`]).
///
/// # Errors
/// When there are too few rows of either class, or no candidate can be fitted.
pub fn train(examples: &Examples, settings: &TrainSettings) -> Result<Trained, LearningError> {
    let rows = examples.for_training();
    let judged = cross_validated(&rows, settings.most_cross_validated);
    let folds = folds(examples, &judged, settings)?;
    let (mut assessed, mut failures) = (Vec::new(), Vec::new());
    for &candidate in &settings.candidates {
        match assess(candidate, examples, &folds, settings) {
            Ok(one) => assessed.push(one),
            Err(error) => failures.push(error.to_string()),
        }
    }
    // A stable sort: of equals the plainer candidate stays first.
    assessed.sort_by(|a, b| a.report.metrics.log_loss.total_cmp(&b.report.metrics.log_loss));
    let Some(best) = assessed.first() else {
        return Err(LearningError::NoCandidate(failures.join("; ")));
    };
    let (artefact, threshold) = finish(best, examples, &rows, &folds, settings)?;
    let model = Model::load(artefact)?;
    let mut profiles = profiles(examples, &rows);
    // Of customers that the model has not seen, as those are whose scores will be compared.
    profiles.push(score_profile(examples.probabilities(&model, &examples.held_out())));
    let report = Report {
        chosen: best.candidate.name().to_owned(),
        trained_on: model.artefact().trained_on.clone(),
        threshold,
        business: settings.business,
        importances: importances(&model, examples, &rows),
        profiles,
        candidates: assessed.into_iter().map(|one| one.report).collect(),
        failures,
    };
    Ok(Trained { artefact: model.artefact().clone(), report })
}

/// The rows that are cross-validated: all of them, or evenly spread ones.
pub(crate) fn cross_validated(rows: &[u32], most: usize) -> Vec<u32> {
    rows.iter().copied().step_by(rows.len().div_ceil(most.max(1)).max(1)).collect()
}

pub(crate) fn folds<'a>(
    examples: &Examples,
    rows: &'a [u32],
    settings: &TrainSettings,
) -> Result<Folds<'a>, LearningError> {
    let count = settings.folds.max(2);
    let least = LEAST_BY_FOLD * usize::from(count);
    let churned = examples.labels(rows).iter().filter(|&&left| left).count();
    if churned < least || rows.len() - churned < least {
        return Err(LearningError::TooFewExamples { rows: rows.len(), churned, least });
    }
    Ok(Folds::new(examples, rows, count, settings.seed))
}

/// Judges a candidate, with and without the state, and chooses its calibration.
pub(crate) fn assess(
    candidate: Candidate,
    examples: &Examples,
    folds: &Folds<'_>,
    settings: &TrainSettings,
) -> Result<Assessed, LearningError> {
    let left = examples.labels(folds.rows);
    let mut raw = cross_validate(candidate, examples, folds, false, settings.seed)?;
    let mut reads_state = false;
    if examples.state_names().len() > 1 {
        let with_state = cross_validate(candidate, examples, folds, true, settings.seed)?;
        if log_loss(&with_state, &left) < log_loss(&raw, &left) * (1.0 - STATE_WORTH) {
            (raw, reads_state) = (with_state, true);
        }
    }
    let calibration = calibrate::choose(&raw, &left, &folds.of_row);
    let calibrated = calibrate::apply_out_of_fold(&raw, &left, &folds.of_row, &calibration);
    let report = CandidateReport {
        name: candidate.name().to_owned(),
        library: candidate.library().to_owned(),
        parameters: candidate.parameters().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        reads_state,
        calibration: name_of(&calibration).to_owned(),
        uncalibrated_log_loss: log_loss(&raw, &left),
        metrics: Metrics::measure(&calibrated, &left),
        intervals: Intervals::measure(&calibrated, &left, settings.seed),
    };
    Ok(Assessed { candidate, report, calibration, calibrated })
}

/// Fits a judged candidate on every row, and chooses its threshold.
pub(crate) fn finish(
    assessed: &Assessed,
    examples: &Examples,
    rows: &[u32],
    folds: &Folds<'_>,
    settings: &TrainSettings,
) -> Result<(Artefact, Threshold), LearningError> {
    let artefact = fit(assessed.candidate, examples, rows, assessed.report.reads_state, settings.seed, true)?;
    let threshold = Threshold::best(&assessed.calibrated, &examples.labels(folds.rows), settings.business);
    let calibration = assessed.calibration.clone();
    Ok((Artefact { calibration, threshold: threshold.probability, ..artefact }, threshold))
}

fn name_of(calibration: &Calibration) -> &'static str {
    match calibration {
        Calibration::None => "none",
        Calibration::Platt { .. } => "platt",
        Calibration::Isotonic { .. } => "isotonic",
    }
}

fn importances(model: &Model, examples: &Examples, rows: &[u32]) -> Vec<(String, f64)> {
    let preparation = &model.artefact().preparation;
    let some = cross_validated(rows, IMPORTANCE_ROWS);
    let columns = examples.prepared(preparation, &some);
    let mut sizes = vec![0.0; preparation.columns.len()];
    for row in 0..some.len() {
        let values: Vec<f64> = columns.iter().copied().skip(row).step_by(some.len()).collect();
        for (size, contribution) in sizes.iter_mut().zip(model.contributions_of(&values)) {
            *size += contribution.abs();
        }
    }
    let all: f64 = sizes.iter().sum();
    let share = |size: f64| if all > 0.0 { size / all } else { 0.0 };
    let mut importances: Vec<(String, f64)> =
        preparation.columns.iter().zip(sizes).map(|(column, size)| (column.name.clone(), share(size))).collect();
    importances.sort_by(|a, b| b.1.total_cmp(&a.1));
    importances
}
