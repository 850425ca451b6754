//! The peers: scikit-learn and ONNX Runtime, in `infra/comparison/score_peers.py`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use millrace_churn_model::{Model, Observation};
use millrace_domain::customers::CustomerSnapshot;
use millrace_learning::Examples;
use millrace_test_support::stack::project_root;
use serde_json::Value;

/// What the peers came to.
pub(super) struct Peers {
    /// Their packages with their versions.
    pub(super) versions: String,
    pub(super) sklearn: Peer,
    /// ONNX Runtime with scikit-learn's model, or why there is none.
    pub(super) onnx: Result<Peer, String>,
    /// The largest difference between their probabilities.
    pub(super) difference: f64,
}

/// How one of them did.
pub(super) struct Peer {
    /// One row, in microseconds: half of the calls take less, and one in a hundred more.
    pub(super) single: (f64, f64),
    pub(super) rows_per_second: f64,
    /// On the rows that it was not trained on.
    pub(super) log_loss: f64,
}

/// Has scikit-learn fit the same family on the prepared rows that `model` was trained on, and both peers score the others.
pub(super) fn run(
    python: &Path,
    model: &Model,
    customers: &[CustomerSnapshot],
    examples: &Examples,
    batch: usize,
    singles: u32,
) -> anyhow::Result<Peers> {
    let folder = tempfile::tempdir()?;
    let (train, test) = (folder.path().join("train"), folder.path().join("test"));
    std::fs::write(&train, prepared(model, customers, &examples.for_training())?)?;
    std::fs::write(&test, prepared(model, customers, &examples.held_out())?)?;
    let width = model.artefact().preparation.columns.len();
    let output = Command::new(python)
        .arg(project_root().join("infra/comparison/score_peers.py"))
        .args([&train, &test])
        .args([width, batch, singles as usize].map(|number| number.to_string()))
        .envs(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"].map(|name| (name, "1")))
        .output()
        .with_context(|| format!("can't run {}", python.display()))?;
    if !output.status.success() {
        bail!("the peers in Python: {}", String::from_utf8_lossy(&output.stderr));
    }
    let answer: Value = serde_json::from_slice(&output.stdout).context("the answer of the peers in Python")?;
    let onnx = match answer["onnx"]["failure"].as_str() {
        Some(failure) => Err(failure.to_owned()),
        None => Ok(peer(&answer["onnx"])?),
    };
    Ok(Peers {
        versions: answer["versions"].as_str().context("the answer of the peers in Python has no versions")?.to_owned(),
        sklearn: peer(&answer["sklearn"])?,
        difference: answer["onnx"]["largest_difference"].as_f64().unwrap_or_default(),
        onnx,
    })
}

/// Rows as the model reads them, each followed by its label, as little-endian doubles.
fn prepared(model: &Model, customers: &[CustomerSnapshot], rows: &[u32]) -> anyhow::Result<Vec<u8>> {
    let preparation = model.artefact().preparation.ready()?;
    let mut row = vec![0.0; preparation.width()];
    let mut bytes = Vec::with_capacity(rows.len() * (row.len() + 1) * 8);
    for customer in rows.iter().map(|&row| &customers[row as usize]) {
        preparation.fill(&Observation::from(customer), &mut row);
        let label = f64::from(u8::from(customer.churn.unwrap_or_default()));
        bytes.extend(row.iter().chain([&label]).flat_map(|number| number.to_le_bytes()));
    }
    Ok(bytes)
}

fn peer(answer: &Value) -> anyhow::Result<Peer> {
    let figure =
        |figure: &Value| figure.as_f64().with_context(|| format!("a figure is missing among the peers': {answer}"));
    Ok(Peer {
        single: (figure(&answer["single_us"][0])?, figure(&answer["single_us"][1])?),
        rows_per_second: figure(&answer["rows_per_second"])?,
        log_loss: figure(&answer["log_loss"])?,
    })
}
