//! Whether a challenger replaces the champion.

use millrace_churn_model::Model;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::examples::Examples;
use crate::metrics::{Interval, Metrics, loss};

/// How often the rows are drawn anew.
const RESAMPLES: usize = 1_000;
/// The least number of rows, of those who left and of those who stayed, that may judge.
const LEAST: usize = 20;

/// How champion and challenger did on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the challenger is better by more than noise.
    pub promote: bool,
    /// Why, in a sentence for the model card.
    pub reason: String,
    /// The rows.
    pub rows: usize,
    /// How the champion did.
    pub champion: Metrics,
    /// How the challenger did.
    pub challenger: Metrics,
    /// By how much the challenger's log loss is lower.
    pub gain: f64,
    /// Where that lies with a confidence of 90 %: the challenger must be better with one of 95 %, which is this one's lower end.
    pub gain_interval: Interval,
}

/// Compares two models on rows that neither was trained on. The rows are drawn anew in pairs: what makes a row hard for both does not
/// count.
#[must_use]
pub fn compare(champion: &Model, challenger: &Model, examples: &Examples, held_out: &[u32], seed: u64) -> Verdict {
    let left = examples.labels(held_out);
    let [old, new] = [champion, challenger].map(|model| examples.probabilities(model, held_out));
    let gains: Vec<f64> = (0..left.len()).map(|row| loss(old[row], left[row]) - loss(new[row], left[row])).collect();
    let gain = gains.iter().sum::<f64>() / gains.len().max(1) as f64;
    let gain_interval = interval(&gains, seed);
    let gone = left.iter().filter(|&&left| left).count();
    let enough = gone >= LEAST && left.len() - gone >= LEAST;
    let promote = enough && gain_interval.low > 0.0;
    let rows = left.len();
    let reason = if !enough {
        format!(
            "the held-out part is too small to judge: {rows} rows of which {gone} left, at least {LEAST} of each are needed"
        )
    } else if promote {
        format!("its log loss is lower by {gain:.5}, at least {:.5} with a confidence of 95 %", gain_interval.low)
    } else {
        format!(
            "its log loss is lower by {gain:.5}, which may be noise: {:.5} at worst with a confidence of 95 %",
            gain_interval.low
        )
    };
    Verdict {
        promote,
        reason,
        rows,
        champion: Metrics::measure(&old, &left),
        challenger: Metrics::measure(&new, &left),
        gain,
        gain_interval,
    }
}

fn interval(gains: &[f64], seed: u64) -> Interval {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut mean =
        || (0..gains.len()).map(|_| gains[rng.random_range(0..gains.len())]).sum::<f64>() / gains.len() as f64;
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| mean()).collect();
    means.sort_by(f64::total_cmp);
    Interval { low: means[RESAMPLES / 20], high: means[RESAMPLES - 1 - RESAMPLES / 20] }
}
