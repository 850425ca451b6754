//! Churn scores with their reasons, by the model that boosted trees make of the customers, beside scikit-learn and ONNX Runtime.

mod customers;
mod peers;

use std::hint::black_box;
use std::time::Instant;

use millrace_churn_model::{Model, Observation};
use millrace_learning::{Candidate, Examples, Metrics, TrainSettings, train};

use crate::figures::{grouped, percentile, short, times};
use crate::machine;
use crate::options::Options;
use crate::report::Table;
use crate::timing::{RUNS, per_second};
use peers::{Peer, Peers};

/// The largest batch that `score` is given (its function.json).
const BATCH: usize = 10_000;
/// Reasons that `score` keeps.
const REASONS: usize = 5;
/// Single calls before those that count.
const WARM_UP: usize = 500;
/// The goals: microseconds of a row, rows a second.
const GOAL: (f64, f64) = (50.0, 200_000.0);

/// Trains the model and scores customers by it, alone and in batches, with and without reasons.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let (customers, source) = customers::labelled()?;
    let examples = Examples::from_snapshots(&customers);
    let candidate = Candidate::BoostedTrees;
    let settings = TrainSettings { candidates: vec![candidate], ..TrainSettings::default() };
    let model = Model::load(train(&examples, &settings)?.artefact)?;
    let observations: Vec<Observation<'_>> = customers.iter().cycle().take(BATCH).map(Observation::from).collect();

    let singles = options.scored as usize;
    let scores = Ours {
        single: single(&observations, singles, |observation| {
            black_box(model.score(observation));
        }),
        rows_per_second: per_second(BATCH, || {
            black_box(model.score_all(&observations));
        }),
    };
    eprintln!("  scores: {} µs alone, {} rows/s", short(scores.single.0), grouped(scores.rows_per_second));
    let with_reasons = Ours {
        single: single(&observations, singles, |observation| {
            black_box((model.score(observation), model.reasons(observation, REASONS)));
        }),
        rows_per_second: per_second(BATCH, || {
            for (score, observation) in model.score_all(&observations).iter().zip(&observations) {
                black_box((score, model.reasons(observation, REASONS)));
            }
        }),
    };
    eprintln!(
        "  with reasons: {} µs alone, {} rows/s",
        short(with_reasons.single.0),
        grouped(with_reasons.rows_per_second)
    );
    let held_out = examples.held_out();
    let metrics = Metrics::measure(&examples.probabilities(&model, &held_out), &examples.labels(&held_out));
    let peers = options
        .learning_python
        .as_deref()
        .map(|python| peers::run(python, &model, &customers, &examples, BATCH, options.scored))
        .transpose()?;

    let parameters = candidate.parameters();
    let parameter = |name: &str| grouped(parameters.get(name).copied().unwrap_or_default());
    Ok(format!(
        "## Scoring\n\n{}.\n\nThe boosted model ({} trees of depth {}, {} columns) of {} customers {source}, by one thread. A row \
         alone is one of {} calls one after another, each timed by itself; batches have {} rows, medians of {RUNS} runs. Ours \
         begin with the customer's snapshot and end with the calibrated probability and the decision; reasons are the {REASONS} \
         greatest of all columns' exact Shapley values. {} The log loss is that of the {} customers who are set aside.\n\n{}\n\
         A whole batch of {} snapshots takes {} ms with its reasons, {} ms without; `score` does it before its transaction begins.",
        machine::base()?,
        parameter("trees"),
        parameter("depth"),
        model.artefact().preparation.columns.len(),
        grouped(examples.for_training().len() as f64),
        grouped(options.scored.into()),
        grouped(BATCH as f64),
        said_of(peers.as_ref()),
        grouped(held_out.len() as f64),
        table(&scores, &with_reasons, metrics.log_loss, peers.as_ref()).text(),
        grouped(BATCH as f64),
        short(BATCH as f64 / with_reasons.rows_per_second * 1e3),
        short(BATCH as f64 / scores.rows_per_second * 1e3),
    ))
}

/// How fast the model is.
struct Ours {
    /// One row, in microseconds: half of the calls take less, and one in a hundred more.
    single: (f64, f64),
    rows_per_second: f64,
}

/// Times calls with one row each, in microseconds: their median, and what one in a hundred exceeds.
fn single(observations: &[Observation<'_>], calls: usize, mut score: impl FnMut(&Observation<'_>)) -> (f64, f64) {
    let mut taken = Vec::with_capacity(calls);
    for (call, observation) in observations.iter().cycle().take(WARM_UP + calls).enumerate() {
        let begun = Instant::now();
        score(black_box(observation));
        let microseconds = begun.elapsed().as_secs_f64() * 1e6;
        if call >= WARM_UP {
            taken.push(microseconds);
        }
    }
    (percentile(&mut taken, 0.5), percentile(&mut taken, 0.99))
}

fn said_of(peers: Option<&Peers>) -> String {
    let Some(peers) = peers else {
        return "The peers in Python were left out: their environment could not be made.".into();
    };
    let onnx = match &peers.onnx {
        Ok(_) => format!(
            "ONNX Runtime has that same model, by skl2onnx (the largest difference of a probability is {:.1e})",
            peers.difference
        ),
        Err(failure) => format!("ONNX Runtime was left out, as that model could not be converted ({failure})"),
    };
    format!(
        "scikit-learn's HistGradientBoostingClassifier has as many trees of that depth and learns from the same prepared rows; \
         {onnx}. Peers are given prepared rows, on one thread, and give no reasons ({}).",
        peers.versions
    )
}

fn table(scores: &Ours, with_reasons: &Ours, log_loss: f64, peers: Option<&Peers>) -> Table {
    let mut table = Table::new(&["", "row alone, p50, µs", "row alone, p99, µs", "rows/s and core", "log loss"]);
    let mut row = |what: &str, (p50, p99): (f64, f64), rows_per_second: f64, log_loss: Option<f64>| {
        let log_loss = log_loss.map(|value| format!("{value:.3}")).unwrap_or_default();
        table.row(&[what.to_owned(), short(p50), short(p99), grouped(rows_per_second), log_loss]);
    };
    row("**Millrace**", scores.single, scores.rows_per_second, Some(log_loss));
    row(&format!("Millrace with {REASONS} reasons"), with_reasons.single, with_reasons.rows_per_second, None);
    let peers: Vec<(&str, &Peer)> = peers
        .into_iter()
        .flat_map(|peers| {
            [Some(("scikit-learn", &peers.sklearn)), peers.onnx.as_ref().ok().map(|peer| ("ONNX Runtime", peer))]
        })
        .flatten()
        .collect();
    for (name, peer) in &peers {
        row(name, peer.single, peer.rows_per_second, Some(peer.log_loss));
    }
    let mut faster = |than: &str, single: (f64, f64), rows_per_second: f64| {
        table.row(&[
            format!("**times as fast as {than}**"),
            times(single.0 / scores.single.0),
            times(single.1 / scores.single.1),
            times(scores.rows_per_second / rows_per_second),
        ]);
    };
    for (name, peer) in &peers {
        faster(name, peer.single, peer.rows_per_second);
    }
    let goal = format!("the goal of {} µs and {} rows/s", grouped(GOAL.0), grouped(GOAL.1));
    faster(&goal, (GOAL.0, GOAL.0), GOAL.1);
    table
}
