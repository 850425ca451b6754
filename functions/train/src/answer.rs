//! What a training did.

use std::time::Duration;

use millrace_lambda_support::metrics::Metric;
use serde::Serialize;

use crate::drift::Monitoring;

/// What goes on where one machine ends.
pub(crate) const SPARK_JOB: &str = "infra/spark/train_churn.py";

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new model is the champion.
    Promoted,
    /// The champion stays; the new model has its version and its card.
    Kept,
    /// The artefact is the champion's, byte for byte.
    Unchanged,
    /// There is too little to learn from.
    TooLittleData,
    /// Another training is at work.
    Busy,
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub why: String,
    /// Labelled examples that were read.
    pub rows: u64,
    /// Those of them that left.
    pub churned: u64,
    /// Older examples that were left out.
    pub left_out: u64,
    /// What trains on all of them, when some were left out.
    pub instead: Option<&'static str>,
    /// The new model's version.
    pub version: Option<u32>,
    /// The best candidate.
    pub candidate: Option<String>,
    /// The champion's version.
    pub champion: Option<u32>,
    /// How the champion does.
    pub monitoring: Option<Monitoring>,
    /// Why the champion could not be compared with the present, when it could not.
    pub monitoring_error: Option<String>,
}

impl Answer {
    /// Of a training that has just read its examples.
    pub(crate) fn new(rows: usize, churned: usize, left_out: u64) -> Self {
        Self {
            outcome: Outcome::TooLittleData,
            why: String::new(),
            rows: rows as u64,
            churned: churned as u64,
            left_out,
            instead: (left_out > 0).then_some(SPARK_JOB),
            version: None,
            candidate: None,
            champion: None,
            monitoring: None,
            monitoring_error: None,
        }
    }

    /// Of a training that did not get its turn.
    pub(crate) fn busy() -> Self {
        Self { outcome: Outcome::Busy, why: "another training is at work".into(), ..Self::new(0, 0, 0) }
    }

    /// What is to be emitted.
    pub fn metrics(&self, took: Duration) -> Vec<(Metric, f64)> {
        let mut values = vec![(Metric::RunDuration, took.as_secs_f64() * 1e3)];
        if self.outcome == Outcome::Busy {
            return values;
        }
        values.extend([
            (Metric::TrainingRows, self.rows as f64),
            (Metric::TrainingRowsLeftOut, self.left_out as f64),
            (Metric::ModelsPromoted, f64::from(u8::from(self.outcome == Outcome::Promoted))),
            (Metric::MonitoringFailed, f64::from(u8::from(self.monitoring_error.is_some()))),
        ]);
        values.extend(self.monitoring.iter().flat_map(Monitoring::metrics));
        values
    }
}
