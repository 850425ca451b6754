//! Which calibration makes a candidate's probabilities mean what they say.

use millrace_churn_model::Calibration;

use crate::metrics::log_loss;

/// The least by which a calibration must lower the log loss to be worth having.
const WORTH: f64 = 1e-4;
/// How many knots an isotonic calibration has at most. Each stands for as many rows as the others.
const MOST_KNOTS: usize = 64;

/// Chooses the calibration of probabilities that a candidate gave to rows it was not fitted on: the one that does best on folds that
/// the calibration was not fitted on either.
pub(crate) fn choose(raw: &[f64], left: &[bool], folds: &[u8]) -> Calibration {
    let mut best = (log_loss(raw, left) - WORTH, Calibration::None);
    for fit in [platt as fn(&[f64], &[bool]) -> Option<Calibration>, isotonic] {
        let Some(calibrated) = out_of_fold(raw, left, folds, fit) else { continue };
        let loss = log_loss(&calibrated, left);
        if loss < best.0
            && let Some(calibration) = fit(raw, left)
        {
            best = (loss, calibration);
        }
    }
    best.1
}

/// The probabilities that a choice of this calibration gives to rows it has not seen.
pub(crate) fn apply_out_of_fold(raw: &[f64], left: &[bool], folds: &[u8], chosen: &Calibration) -> Vec<f64> {
    let fit = match chosen {
        Calibration::None => None,
        Calibration::Platt { .. } => out_of_fold(raw, left, folds, platt),
        Calibration::Isotonic { .. } => out_of_fold(raw, left, folds, isotonic),
    };
    fit.unwrap_or_else(|| raw.to_vec())
}

fn out_of_fold(
    raw: &[f64],
    left: &[bool],
    folds: &[u8],
    fit: fn(&[f64], &[bool]) -> Option<Calibration>,
) -> Option<Vec<f64>> {
    let mut calibrated = raw.to_vec();
    for fold in 0..=folds.iter().copied().max()? {
        let others = |row: &usize| folds[*row] != fold;
        let (some_raw, some_left): (Vec<f64>, Vec<bool>) =
            (0..raw.len()).filter(others).map(|row| (raw[row], left[row])).unzip();
        let calibration = fit(&some_raw, &some_left)?;
        for row in (0..raw.len()).filter(|&row| folds[row] == fold) {
            calibrated[row] = calibration.apply(raw[row]);
        }
    }
    Some(calibrated)
}

/// Platt's calibration by Newton's method, on targets drawn in from 0 and 1 as he does.
fn platt(raw: &[f64], left: &[bool]) -> Option<Calibration> {
    let all = left.len() as f64;
    let gone = left.iter().filter(|&&left| left).count() as f64;
    let targets = [1.0 / (all - gone + 2.0), (gone + 1.0) / (gone + 2.0)];
    let odds: Vec<f64> = raw.iter().map(|&raw| Calibration::log_odds(raw)).collect();
    let (mut slope, mut intercept) = (1.0_f64, 0.0_f64);
    for _ in 0..100 {
        let (mut by_slope, mut by_intercept) = (0.0, 0.0);
        // Never singular: a little of the identity.
        let (mut ss, mut si, mut ii) = (1e-9, 0.0, 1e-9);
        for (&x, &left) in odds.iter().zip(left) {
            let p = 1.0 / (1.0 + (-(slope * x + intercept)).exp());
            let (error, weight) = (p - targets[usize::from(left)], p * (1.0 - p));
            by_slope += error * x;
            by_intercept += error;
            ss += weight * x * x;
            si += weight * x;
            ii += weight;
        }
        let determinant = ss * ii - si * si;
        let step =
            ((ii * by_slope - si * by_intercept) / determinant, (ss * by_intercept - si * by_slope) / determinant);
        // Held in, for a certainty's log-odds would throw the first steps far beyond.
        slope -= step.0.clamp(-0.5, 0.5);
        intercept -= step.1.clamp(-0.5, 0.5);
        if step.0.abs().max(step.1.abs()) < 1e-10 {
            break;
        }
    }
    (slope.is_finite() && intercept.is_finite() && slope > 0.0).then_some(Calibration::Platt { slope, intercept })
}

/// Isotonic regression of groups of rows with like probabilities, by pooling neighbours that are out of order.
fn isotonic(raw: &[f64], left: &[bool]) -> Option<Calibration> {
    let mut rows: Vec<(f64, f64)> =
        raw.iter().zip(left).map(|(&raw, &left)| (raw, f64::from(u8::from(left)))).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Sums of probabilities, of those who left, and of rows.
    let mut pools: Vec<[f64; 3]> = Vec::new();
    for group in rows.chunks(rows.len().div_ceil(MOST_KNOTS).max(1)) {
        let mut pool = group.iter().fold([0.0; 3], |sum, row| [sum[0] + row.0, sum[1] + row.1, sum[2] + 1.0]);
        while let Some(last) = pools.last()
            && (last[1] / last[2] >= pool[1] / pool[2] || last[0] / last[2] >= pool[0] / pool[2])
        {
            pool = [pool[0] + last[0], pool[1] + last[1], pool[2] + last[2]];
            pools.pop();
        }
        pools.push(pool);
    }
    // Drawn in from 0 and 1 as Platt's targets are: no group is certain.
    let mut most = 0.0_f64;
    let drawn_in = |pool: &[f64; 3]| {
        most = most.max((pool[1] + 0.5) / (pool[2] + 1.0));
        most
    };
    let mut to: Vec<f64> = pools.iter().map(drawn_in).collect();
    let mut from: Vec<f64> = pools.iter().map(|pool| pool[0] / pool[2]).collect();
    // Half of the first and of the last pool's rows lie beyond their means: lines towards the ends keep those in order too.
    if let (Some(&lowest), Some(&highest)) = (to.first(), to.last()) {
        from.insert(0, 0.0);
        to.insert(0, lowest / 2.0);
        from.push(1.0);
        to.push(f64::midpoint(highest, 1.0));
    }
    let kept = pools.len() > 1 && from.is_sorted_by(|a, b| a < b);
    kept.then_some(Calibration::Isotonic { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose true probability is a function of what a model says.
    fn rows(truth: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<bool>, Vec<u8>) {
        let raw: Vec<f64> = (0..4000).map(|row| (f64::from(row % 199) + 0.5) / 199.0).collect();
        let left =
            raw.iter().enumerate().map(|(row, &raw)| (row as f64 * 0.618_033_988_749).fract() < truth(raw)).collect();
        (raw, left, (0..4000).map(|row| (row % 5) as u8).collect())
    }

    #[test]
    fn probabilities_that_mean_what_they_say_are_left_alone() {
        let (raw, left, folds) = rows(|raw| raw);
        assert_eq!(choose(&raw, &left, &folds), Calibration::None);
    }

    #[test]
    fn overconfident_probabilities_are_drawn_in() {
        let (raw, left, folds) = rows(|raw| 1.0 / (1.0 + (-0.4 * Calibration::log_odds(raw)).exp()));
        let chosen = choose(&raw, &left, &folds);
        assert_ne!(chosen, Calibration::None);
        assert!((chosen.apply(0.95) - 0.765).abs() < 0.05, "{chosen:?}");
        let out_of_fold = apply_out_of_fold(&raw, &left, &folds, &chosen);
        assert!(log_loss(&out_of_fold, &left) < log_loss(&raw, &left) - 0.01);
    }
}
