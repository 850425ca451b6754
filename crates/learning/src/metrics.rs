//! How good probabilities are, and how sure that is.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How often the rows are drawn anew for an interval.
const RESAMPLES: usize = 400;
/// How near a probability may come to a certainty in the log loss.
const NEAREST: f64 = 1e-15;

/// How good probabilities are against what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The share of right decisions at probability 0.5.
    pub accuracy: f64,
    /// The harmonic mean of precision and recall at probability 0.5; 0 when nobody is predicted to leave.
    pub f1: f64,
    /// The area under the receiver operating characteristic: how often one who left has the higher probability than one who stayed.
    pub roc_auc: f64,
    /// Average precision.
    pub pr_auc: f64,
    /// The mean negative natural logarithm of the probability of what happened.
    pub log_loss: f64,
}

/// Where a figure lies with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The intervals of [`Metrics`], by the bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the accuracy.
    pub accuracy: Interval,
    /// Of F1.
    pub f1: Interval,
    /// Of the area under the receiver operating characteristic.
    pub roc_auc: Interval,
    /// Of the average precision.
    pub pr_auc: Interval,
    /// Of the log loss.
    pub log_loss: Interval,
}

impl Metrics {
    /// Measures probabilities against what happened.
    #[must_use]
    pub fn measure(probabilities: &[f64], left: &[bool]) -> Self {
        Ranked::new(probabilities, left).measure(&vec![1; left.len()])
    }
}

impl Intervals {
    /// The intervals of the same figures, from rows drawn anew.
    #[must_use]
    pub fn measure(probabilities: &[f64], left: &[bool], seed: u64) -> Self {
        let ranked = Ranked::new(probabilities, left);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut counts = vec![0_u32; left.len()];
        let mut measured = Vec::with_capacity(RESAMPLES);
        for _ in 0..if left.is_empty() { 0 } else { RESAMPLES } {
            counts.fill(0);
            for _ in 0..left.len() {
                counts[rng.random_range(0..left.len())] += 1;
            }
            measured.push(ranked.measure(&counts));
        }
        let interval = |of: fn(&Metrics) -> f64| {
            let mut values: Vec<f64> = measured.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            let at = |share: f64| values.get((share * values.len() as f64) as usize).copied().unwrap_or(f64::NAN);
            Interval { low: at(0.025), high: at(0.975) }
        };
        Self {
            accuracy: interval(|metrics| metrics.accuracy),
            f1: interval(|metrics| metrics.f1),
            roc_auc: interval(|metrics| metrics.roc_auc),
            pr_auc: interval(|metrics| metrics.pr_auc),
            log_loss: interval(|metrics| metrics.log_loss),
        }
    }
}

/// The natural log loss of one row.
pub(crate) fn loss(probability: f64, left: bool) -> f64 {
    let of_truth = if left { probability } else { 1.0 - probability };
    -of_truth.clamp(NEAREST, 1.0).ln()
}

/// The mean log loss of many.
pub(crate) fn log_loss(probabilities: &[f64], left: &[bool]) -> f64 {
    let sum: f64 = probabilities.iter().zip(left).map(|(&probability, &left)| loss(probability, left)).sum();
    sum / left.len() as f64
}

/// Rows by falling probability.
struct Ranked {
    /// Probability, whether the customer left, the log loss and the row.
    rows: Vec<(f64, bool, f64, usize)>,
}

impl Ranked {
    fn new(probabilities: &[f64], left: &[bool]) -> Self {
        let mut rows: Vec<(f64, bool, f64, usize)> = probabilities
            .iter()
            .zip(left)
            .enumerate()
            .map(|(row, (&probability, &left))| (probability, left, loss(probability, left), row))
            .collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        Self { rows }
    }

    /// The figures when each row counts so many times.
    fn measure(&self, counts: &[u32]) -> Metrics {
        let (mut left, mut stayed, mut loss, mut right) = (0.0, 0.0, 0.0, 0.0);
        // Those with probability 0.5 or more: who left and who stayed.
        let (mut caught, mut wronged) = (0.0, 0.0);
        let (mut pairs, mut precision) = (0.0, 0.0);
        for tied in self.rows.chunk_by(|a, b| a.0 == b.0) {
            let (left_before, stayed_before) = (left, stayed);
            for &(probability, has_left, row_loss, row) in tied {
                let count = f64::from(counts[row]);
                let predicted = probability >= 0.5;
                *if has_left { &mut left } else { &mut stayed } += count;
                loss += count * row_loss;
                right += if predicted == has_left { count } else { 0.0 };
                if predicted {
                    *if has_left { &mut caught } else { &mut wronged } += count;
                }
            }
            pairs += (stayed - stayed_before) * (left + left_before) / 2.0;
            if left + stayed > 0.0 {
                precision += (left - left_before) * left / (left + stayed);
            }
        }
        let rows = left + stayed;
        let missed = left - caught;
        let called = 2.0 * caught + wronged + missed;
        Metrics {
            accuracy: right / rows,
            f1: if called > 0.0 { 2.0 * caught / called } else { 0.0 },
            roc_auc: pairs / (left * stayed),
            pr_auc: precision / left,
            log_loss: loss / rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_small_case_are_those_worked_out_by_hand() {
        let left = [true, false, true, false];
        let metrics = Metrics::measure(&[0.9, 0.6, 0.4, 0.2], &left);
        assert_eq!((metrics.accuracy, metrics.f1, metrics.roc_auc), (0.5, 0.5, 0.75));
        assert!((metrics.pr_auc - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        let log_loss = -(0.9_f64.ln() + 0.4_f64.ln() + 0.4_f64.ln() + 0.8_f64.ln()) / 4.0;
        assert!((metrics.log_loss - log_loss).abs() < 1e-12);
    }

    #[test]
    fn equal_probabilities_tell_nobody_apart() {
        let metrics = Metrics::measure(&[0.3; 4], &[true, false, false, false]);
        assert_eq!((metrics.roc_auc, metrics.pr_auc, metrics.f1), (0.5, 0.25, 0.0));
    }

    #[test]
    fn intervals_hold_the_figure_and_come_out_the_same_again() {
        let probabilities: Vec<f64> = (0..300).map(|row| f64::from(row % 97) / 97.0).collect();
        let left: Vec<bool> = (0..300).map(|row| row % 97 > 60 || row % 11 == 0).collect();
        let metrics = Metrics::measure(&probabilities, &left);
        let intervals = Intervals::measure(&probabilities, &left, 1);
        assert_eq!(intervals, Intervals::measure(&probabilities, &left, 1));
        assert!(intervals.roc_auc.low < metrics.roc_auc && metrics.roc_auc < intervals.roc_auc.high);
        assert!(intervals.log_loss.low < metrics.log_loss && metrics.log_loss < intervals.log_loss.high);
    }
}
