//! Whether a new model becomes champion.

use chrono::TimeDelta;
use millrace_churn_model::Model;
use millrace_learning::{Business, Examples, TrainSettings, Trained, compare};

use crate::champion::Reigning;
use crate::settings::Settings;

/// The least number of examples, and of those who left and who stayed among them.
const LEAST_ROWS: usize = 200;
const LEAST_OF_CLASS: usize = 20;
/// Held-out customers of this long before the newest one judge, when there are enough of them.
const FRESH: TimeDelta = TimeDelta::days(90);
/// Enough are this many of those who left and of those who stayed.
const ENOUGH: usize = 100;

/// Whether a new model becomes champion, and why.
pub(crate) struct Verdict {
    pub(crate) promote: bool,
    pub(crate) why: String,
    /// How it did against the champion, where the two met.
    pub(crate) comparison: Option<millrace_learning::Verdict>,
}

impl Verdict {
    /// The champion stays.
    pub(crate) fn keep(why: String) -> Self {
        Self { promote: false, why, comparison: None }
    }
}

/// What training is told.
pub(crate) fn learning_settings(settings: &Settings) -> TrainSettings {
    TrainSettings {
        seed: settings.seed,
        business: Business { contact_cost: settings.contact_cost, value_kept: settings.value_kept },
        ..TrainSettings::default()
    }
}

/// Why there is too little to learn from; `None` when there is enough.
pub(crate) fn too_little(rows: usize, churned: usize) -> Option<String> {
    let too_few = rows < LEAST_ROWS || churned < LEAST_OF_CLASS || rows - churned < LEAST_OF_CLASS;
    too_few.then(|| {
        format!(
            "{rows} labelled customers, of whom {churned} left: at least {LEAST_ROWS} are needed, and {LEAST_OF_CLASS} each of those \
             who left and of those who stayed"
        )
    })
}

/// The held-out examples that judge.
pub(crate) fn judges(examples: &Examples) -> Vec<u32> {
    examples.fresh_held_out(FRESH, ENOUGH)
}

/// Compares a new model with the champion.
pub(crate) fn judge(
    trained: &Trained,
    challenger: &Model,
    reigning: &Reigning,
    examples: &Examples,
    seed: u64,
) -> Verdict {
    match reigning {
        Reigning::Sound { version, model, .. } => {
            let comparison = compare(model, challenger, examples, &judges(examples), seed);
            Verdict {
                promote: comparison.promote,
                why: format!("against version {version}: {}", comparison.reason),
                comparison: Some(comparison),
            }
        }
        Reigning::Nobody => against_nothing(trained, "there was no champion"),
        Reigning::Broken { version, why } => {
            against_nothing(trained, &format!("version {version} cannot score any more ({why})"))
        }
    }
}

/// A model without a rival has to be better than the mere share of those who leave.
fn against_nothing(trained: &Trained, rival: &str) -> Verdict {
    let trained_on = &trained.artefact.trained_on;
    let share = trained_on.churned as f64 / trained_on.rows.max(1) as f64;
    let ignorant = -(share * share.ln() + (1.0 - share) * (1.0 - share).ln());
    let log_loss = trained.report.candidates.first().map_or(f64::INFINITY, |best| best.metrics.log_loss);
    let promote = log_loss < ignorant;
    let than = if promote { "is below" } else { "is not below" };
    let why = format!(
        "{rival}, and its cross-validated log loss of {log_loss:.4} {than} the {ignorant:.4} of knowing only how many leave"
    );
    Verdict { promote, why, comparison: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_classes_are_needed() {
        assert!(too_little(199, 100).is_some());
        assert!(too_little(500, 19).is_some() && too_little(500, 481).is_some());
        assert_eq!(too_little(200, 20), None);
    }
}
