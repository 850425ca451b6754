//! The process that fits one candidate, for `millrace evaluate`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use millrace_learning::{Candidate, LearningError, TrainSettings, fit_candidate};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::customers;
use crate::CommandError;
use crate::commands::output::print_json;

/// The options of `fit-candidate`.
#[derive(Debug, Args)]
pub struct FitCandidate {
    /// Which candidate
    #[arg(long, value_name = "NAME", value_parser = candidate)]
    candidate: Candidate,
    /// The labelled customers to train on
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
}

/// What the process answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fitted {
    /// The artefact as it is stored.
    pub(super) artefact: Box<RawValue>,
    pub(super) cross_validated_log_loss: f64,
    pub(super) calibration: String,
    pub(super) fit_seconds: f64,
    pub(super) cross_validation_seconds: f64,
    pub(super) peak_rss_mb: f64,
}

fn candidate(text: &str) -> Result<Candidate, String> {
    let names = Candidate::ALL.map(Candidate::name).join(", ");
    Candidate::named(text).ok_or_else(|| format!("expected one of {names}"))
}

impl FitCandidate {
    /// Runs the command.
    ///
    /// # Errors
    /// When the file is bad or says too little, which is bad input, and when the candidate can't be fitted.
    pub async fn run(self) -> Result<(), CommandError> {
        tokio::task::spawn_blocking(move || self.fit()).await?
    }

    fn fit(&self) -> Result<(), CommandError> {
        let examples = customers::examples("--train", &self.train)?;
        let fitted =
            fit_candidate(self.candidate, &examples, &TrainSettings::default()).map_err(|error| match error {
                LearningError::TooFewExamples { .. } => {
                    CommandError::input(format!("--train: {}: {error}", self.train.display()))
                }
                error => error.into(),
            })?;
        let artefact = String::from_utf8(fitted.artefact.to_bytes()?).context("the artefact is no text")?;
        print_json(&Fitted {
            artefact: RawValue::from_string(artefact)?,
            cross_validated_log_loss: fitted.report.metrics.log_loss,
            calibration: fitted.report.calibration,
            fit_seconds: fitted.fit_seconds,
            cross_validation_seconds: fitted.cross_validation_seconds,
            peak_rss_mb: peak_rss_mb()?,
        })
    }
}

/// The most memory that this process has held. `getrusage` would also count what the process held before it became this program.
fn peak_rss_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("can't read /proc/self/status")?;
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    let kibibytes: f64 = peak.context("/proc/self/status has no VmHWM")?;
    Ok(kibibytes * 1024.0 / 1e6)
}
