//! Bands that hold a share of outcomes, from what earlier forecasts missed by (split conformal prediction, normalised).
//!
//! Errors are brought to one measure by how much is usually missed at that hour of the day and as many days ahead; the band's ends
//! are then the quantiles of all of them. So a few weeks of forecasts are enough, though each hour ahead was forecast only a few
//! times.

use chrono::{TimeDelta, Timelike};

use crate::backtest::Fold;
use crate::series::Series;

/// The share of outcomes that a band holds.
pub(crate) const LEVEL: f64 = 0.8;
const DAY: usize = 24;
/// The weight of what is missed on the whole, in errors, beside that of the hour's own.
const SHRINKAGE: f64 = 8.0;
/// Errors that a band is made from, at least.
const FEWEST: usize = 12;

/// Bands that were made from some forecasts.
pub(crate) struct Bands {
    /// What is usually missed, by days ahead and hour of the day.
    scales: Vec<[f64; DAY]>,
    /// The ends of the band, in that measure.
    low: f64,
    high: f64,
}

impl Bands {
    /// Made from these forecasts, `None` when they are too few.
    pub(crate) fn from<'a>(series: &Series, folds: impl Iterator<Item = &'a Fold> + Clone) -> Option<Self> {
        let errors: Vec<(usize, usize, f64)> = folds
            .flat_map(|fold| {
                fold.errors().map(|(ahead, error)| (ahead / DAY, hour(series, fold.origin + ahead), error))
            })
            .collect();
        if errors.len() < FEWEST {
            return None;
        }
        let scales = scales(&errors);
        let mut ratios: Vec<f64> = errors
            .iter()
            .map(|(day, hour, error)| {
                let scale = scales[*day][*hour];
                if scale > 0.0 { error / scale } else { 0.0 }
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        let outside = (1.0 - LEVEL) / 2.0;
        // The next outcome is as likely to fall into each of the spaces between the errors: that is where n + 1 comes from.
        let low = quantile(&ratios, outside * (ratios.len() + 1) as f64);
        let high = quantile(&ratios, (1.0 - outside) * (ratios.len() + 1) as f64);
        Some(Self { scales, low: low.min(0.0), high: high.max(0.0) })
    }

    /// The band around a point that lies `ahead` (from 0) hours after the first `origin` ones.
    pub(crate) fn around(&self, series: &Series, origin: usize, ahead: usize, point: f64) -> (f64, f64) {
        let day = (ahead / DAY).min(self.scales.len().saturating_sub(1));
        let scale = self.scales.get(day).map_or(0.0, |hours| hours[hour(series, origin + ahead)]);
        let floor = if series.is_never_negative() { 0.0 } else { f64::NEG_INFINITY };
        ((point + self.low * scale).max(floor), (point + self.high * scale).max(floor))
    }
}

/// What share of outcomes such bands held: each forecast's are made from others, which share no hour with it. `None` when there
/// are no such others.
pub(crate) fn coverage(series: &Series, folds: &[Fold]) -> Option<f64> {
    let (mut held, mut known) = (0_u32, 0_u32);
    for fold in folds {
        let apart = |other: &&Fold| other.origin.abs_diff(fold.origin) >= fold.points.len();
        let Some(bands) = Bands::from(series, folds.iter().filter(apart)) else { continue };
        for (ahead, error) in fold.errors() {
            let point = fold.points[ahead];
            let (low, high) = bands.around(series, fold.origin, ahead, point);
            known += 1;
            held += u32::from((low..=high).contains(&(point + error)));
        }
    }
    (known > 0).then(|| f64::from(held) / f64::from(known))
}

fn hour(series: &Series, place: usize) -> usize {
    (series.start + TimeDelta::hours(place as i64)).with_timezone(&series.timezone).hour() as usize
}

/// The mean absolute error by days ahead and hour of the day, with its neighbours' and, by a little, all others'.
fn scales(errors: &[(usize, usize, f64)]) -> Vec<[f64; DAY]> {
    let days = errors.iter().map(|(day, _, _)| day + 1).max().unwrap_or(1);
    let mut sums = vec![[(0.0, 0.0); DAY]; days];
    for (day, hour, error) in errors {
        let (sum, count) = &mut sums[*day][*hour];
        *sum += error.abs();
        *count += 1.0;
    }
    let all = errors.iter().map(|(_, _, error)| error.abs()).sum::<f64>() / errors.len() as f64;
    (0..days)
        .map(|day| {
            std::array::from_fn(|hour| {
                let (mut sum, mut count) = (SHRINKAGE * all, SHRINKAGE);
                for near_day in &sums[day.saturating_sub(1)..(day + 2).min(days)] {
                    for near_hour in [hour + DAY - 1, hour, hour + 1] {
                        let (near_sum, near_count) = near_day[near_hour % DAY];
                        sum += near_sum;
                        count += near_count;
                    }
                }
                sum / count
            })
        })
        .collect()
}

/// The value of a rank, which counts from 1 and may lie between two values.
fn quantile(sorted: &[f64], rank: f64) -> f64 {
    let rank = (rank - 1.0).clamp(0.0, sorted.len().saturating_sub(1) as f64);
    let (below, part) = (rank.floor() as usize, rank.fract());
    let above = (below + 1).min(sorted.len().saturating_sub(1));
    match (sorted.get(below), sorted.get(above)) {
        (Some(low), Some(high)) => low + (high - low) * part,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_between_two_values_is_between_them() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 2.5), 3.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 9.0), 4.0);
        assert_eq!(quantile(&[1.0], 0.1), 1.0);
    }

    #[test]
    fn an_hour_at_which_more_is_missed_has_a_wider_band() {
        let errors: Vec<_> = (0..480).map(|n| (0, n % 24, if n % 24 < 12 { 1.0 } else { 5.0 })).collect();
        let scales = scales(&errors);
        assert!(scales[0][6] < 1.5 && scales[0][18] > 4.0, "{scales:?}");
    }
}
