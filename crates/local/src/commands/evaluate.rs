//! `millrace evaluate`: every churn candidate fitted on one file and measured on another. It needs no stack.

pub mod candidate;
mod customers;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use millrace_churn_model::{Artefact, Model, Observation};
use millrace_learning::{Candidate, measure};
use serde::Serialize;
use tokio::process::Command;

use self::candidate::Fitted;
use super::output::{print, print_json, table};
use crate::CommandError;

/// The options of `evaluate`.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The labelled customers to train on: CSV with the columns of the public churn files
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// The labelled customers to measure on
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    champion: &'static str,
    rows: Rows,
    candidates: Vec<Row>,
}

#[derive(Serialize)]
struct Rows {
    train: u64,
    test: usize,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    library: &'static str,
    accuracy: f64,
    f1: f64,
    roc_auc: f64,
    pr_auc: f64,
    log_loss: f64,
    fit_seconds: f64,
    predict_rows_per_second: f64,
    peak_rss_mb: f64,
    cross_validated_log_loss: f64,
    cross_validation_seconds: f64,
    calibration: String,
    threshold: f64,
}

impl Evaluate {
    /// Runs the command.
    ///
    /// # Errors
    /// When a file can't be read, or a field of it is missing, wrong or without a label, which is bad input and is named with its
    /// file and line; and when a candidate can't be fitted.
    pub async fn run(self) -> Result<(), CommandError> {
        // It is read at the end; that it is there is seen before the work begins.
        customers::check_opens("--test", &self.test)?;
        let mut fitted = Vec::new();
        for candidate in Candidate::ALL {
            if std::io::stderr().is_terminal() {
                let _ = writeln!(std::io::stderr(), "millrace: fitting {}", candidate.name());
            }
            fitted.push((candidate, fit(candidate, &self.train).await?));
        }
        let answer =
            tokio::task::spawn_blocking(move || measured(fitted, &self.test).map(|answer| (answer, self.json)));
        let (answer, json) = answer.await??;
        if json { print_json(&answer) } else { print(&text(&answer)) }
    }
}

/// Fits a candidate in a process of its own, so that its peak memory is its own.
async fn fit(candidate: Candidate, train: &Path) -> Result<Fitted, CommandError> {
    let program = std::env::current_exe().context("can't find the millrace executable")?;
    let output = Command::new(program)
        .args(["fit-candidate", "--candidate", candidate.name(), "--train"])
        .arg(train)
        .kill_on_drop(true)
        .output()
        .await
        .context("can't start a process of millrace")?;
    if output.status.success() {
        let fitted: Result<Fitted, _> = serde_json::from_slice(&output.stdout);
        return Ok(fitted.with_context(|| format!("the process that fitted {} gave no answer", candidate.name()))?);
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let message = message.trim().trim_start_matches("millrace: ");
    if output.status.code() == Some(2) {
        return Err(CommandError::input(message));
    }
    Err(anyhow!("{} can't be fitted ({}): {message}", candidate.name(), output.status).into())
}

/// Reads the test file, once, and measures every candidate on it.
fn measured(fitted: Vec<(Candidate, Fitted)>, test: &Path) -> Result<Answer, CommandError> {
    let customers = customers::read("--test", test)?;
    let left: Vec<bool> = customers.iter().map(|customer| customer.churn == Some(true)).collect();
    if !(left.contains(&true) && left.contains(&false)) {
        let problem = "expected customers who left and customers who stayed";
        return Err(CommandError::input(format!("--test: {}: {problem}", test.display())));
    }
    let observations: Vec<Observation<'_>> = customers.iter().map(Observation::from).collect();
    let mut rows = Vec::new();
    let mut train = 0;
    for (candidate, fitted) in fitted {
        let model = Model::load(Artefact::from_bytes(fitted.artefact.get().as_bytes())?)?;
        train = model.artefact().trained_on.rows;
        let measured = measure(&model, &observations, &left);
        rows.push(Row {
            name: candidate.name(),
            library: candidate.library(),
            accuracy: measured.metrics.accuracy,
            f1: measured.metrics.f1,
            roc_auc: measured.metrics.roc_auc,
            pr_auc: measured.metrics.pr_auc,
            log_loss: measured.metrics.log_loss,
            fit_seconds: fitted.fit_seconds,
            predict_rows_per_second: measured.predict_rows_per_second,
            peak_rss_mb: fitted.peak_rss_mb,
            cross_validated_log_loss: fitted.cross_validated_log_loss,
            cross_validation_seconds: fitted.cross_validation_seconds,
            calibration: fitted.calibration,
            threshold: model.artefact().threshold,
        });
    }
    // By the training file alone; of equals the plainer candidate, which comes first.
    let best = rows.iter().min_by(|a, b| a.cross_validated_log_loss.total_cmp(&b.cross_validated_log_loss));
    let champion = best.map(|row| row.name).context("there are no candidates")?;
    Ok(Answer { champion, rows: Rows { train, test: customers.len() }, candidates: rows })
}

fn text(answer: &Answer) -> String {
    let header = [
        "candidate",
        "accuracy",
        "F1",
        "ROC AUC",
        "PR AUC",
        "log loss",
        "CV log loss",
        "fit s",
        "rows/s",
        "peak MB",
        "library",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    for row in &answer.candidates {
        let mark = if row.name == answer.champion { "*" } else { "" };
        rows.push([
            format!("{}{mark}", row.name),
            format!("{:.4}", row.accuracy),
            format!("{:.4}", row.f1),
            format!("{:.4}", row.roc_auc),
            format!("{:.4}", row.pr_auc),
            format!("{:.4}", row.log_loss),
            format!("{:.4}", row.cross_validated_log_loss),
            format!("{:.3}", row.fit_seconds),
            format!("{:.0}", row.predict_rows_per_second),
            format!("{:.1}", row.peak_rss_mb),
            row.library.to_owned(),
        ]);
    }
    format!(
        "{}\n* the champion: the lowest log loss in cross-validation of the {} training rows; measured on {} test rows\n",
        table(&rows),
        answer.rows.train,
        answer.rows.test
    )
}
