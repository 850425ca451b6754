//! One family, fitted as the other libraries' workers do it, with the same answer.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use millrace_churn_model::Model;
use millrace_learning::{Candidate, TrainSettings, fit_candidate};
use serde_json::json;

use crate::rows;

/// What to fit.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Parquet of the training rows
    #[arg(long)]
    train: PathBuf,
    /// Parquet of the test rows
    #[arg(long)]
    test: PathBuf,
    /// The family
    #[arg(long)]
    family: Family,
    /// How many cores it may use
    #[arg(long)]
    cores: usize,
    /// How often to fit: the first is cold, the others are warm
    #[arg(long, default_value_t = 2)]
    fits: usize,
    /// Where the probabilities of the test rows go, as little-endian doubles
    #[arg(long)]
    predictions: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Family {
    Logistic,
    Forest,
    Boosted,
}

impl Family {
    fn candidate(self) -> Candidate {
        match self {
            Self::Logistic => Candidate::LogisticRegression,
            Self::Forest => Candidate::RandomForest,
            Self::Boosted => Candidate::BoostedTrees,
        }
    }
}

/// Fits, predicts and prints how long each took. The time of a fit is that of preparation and fit on every row; what
/// cross-validation took to choose calibration and threshold is told beside it, since the other libraries choose neither.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    rayon::ThreadPoolBuilder::new().num_threads(options.cores).build_global()?;
    let begun = Instant::now();
    let train = rows::read(&options.train)?;
    let test = rows::read(&options.test)?;
    let load_seconds = begun.elapsed().as_secs_f64();
    let candidate = options.family.candidate();
    let mut fit_seconds = Vec::new();
    let mut choosing_seconds = Vec::new();
    let mut artefact = None;
    for _ in 0..options.fits.max(1) {
        let fitted = fit_candidate(candidate, &train, &TrainSettings::default())?;
        fit_seconds.push(fitted.fit_seconds);
        choosing_seconds.push(fitted.cross_validation_seconds);
        artefact = Some(fitted.artefact);
    }
    let begun = Instant::now();
    let mut bytes = Vec::new();
    if let Some(artefact) = artefact {
        let model = Model::load(artefact)?;
        for probability in test.probabilities(&model, &test.all()) {
            bytes.extend_from_slice(&probability.to_le_bytes());
        }
    }
    let predict_seconds = begun.elapsed().as_secs_f64();
    fs::write(&options.predictions, bytes)?;
    println!(
        "{}",
        json!({
            "start_seconds": 0.0,
            "load_seconds": load_seconds,
            "fit_seconds": fit_seconds,
            "choosing_seconds": choosing_seconds,
            "predict_seconds": predict_seconds,
            "versions": {"millrace": env!("CARGO_PKG_VERSION")},
        })
    );
    Ok(())
}
