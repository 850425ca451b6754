//! What was measured of one metric, minute by minute, and the datapoints of longer periods made of that.

use std::collections::VecDeque;

use crate::definitions::Statistic;

/// The values of one metric, for as long as its alarm looks back.
#[derive(Debug)]
pub(crate) struct Series {
    minutes: VecDeque<Minute>,
    keep: u64,
    keeps_values: bool,
}

/// The values of one minute that has any.
#[derive(Debug)]
struct Minute {
    number: u64,
    count: u64,
    sum: f64,
    least: f64,
    most: f64,
    /// Each of them, where a percentile is asked for.
    values: Vec<f64>,
}

impl Series {
    /// For datapoints of a statistic over the last `keep` minutes.
    pub(crate) fn new(statistic: Statistic, keep: u64) -> Self {
        Self { minutes: VecDeque::new(), keep, keeps_values: statistic.percentile().is_some() }
    }

    /// Adds a value to a minute, which is not before any other.
    pub(crate) fn add(&mut self, minute: u64, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.minutes.back().is_none_or(|last| last.number != minute) {
            self.minutes.push_back(Minute {
                number: minute,
                count: 0,
                sum: 0.0,
                least: f64::INFINITY,
                most: f64::NEG_INFINITY,
                values: Vec::new(),
            });
        }
        let Some(last) = self.minutes.back_mut() else { return };
        last.count += 1;
        last.sum += value;
        last.least = last.least.min(value);
        last.most = last.most.max(value);
        if self.keeps_values {
            last.values.push(value);
        }
    }

    /// Forgets what no datapoint can need when `minute` begins.
    pub(crate) fn forget_before(&mut self, minute: u64) {
        while self.minutes.front().is_some_and(|first| first.number + self.keep < minute) {
            self.minutes.pop_front();
        }
    }

    /// The statistic of the minutes from `from` to the one before `to`; `None` when nothing was measured.
    pub(crate) fn datapoint(&self, statistic: Statistic, from: u64, to: u64) -> Option<f64> {
        let minutes = || self.minutes.iter().filter(|minute| (from..to).contains(&minute.number));
        let count: u64 = minutes().map(|minute| minute.count).sum();
        if count == 0 {
            return None;
        }
        let sum = || minutes().map(|minute| minute.sum).sum::<f64>();
        Some(match statistic {
            Statistic::Sum => sum(),
            Statistic::Average => sum() / count as f64,
            Statistic::Minimum => minutes().map(|minute| minute.least).fold(f64::INFINITY, f64::min),
            Statistic::Maximum => minutes().map(|minute| minute.most).fold(f64::NEG_INFINITY, f64::max),
            Statistic::SampleCount => count as f64,
            Statistic::P50 | Statistic::P90 | Statistic::P95 | Statistic::P99 => {
                let mut values: Vec<f64> = minutes().flat_map(|minute| minute.values.iter().copied()).collect();
                values.sort_unstable_by(f64::total_cmp);
                let rank = (values.len() * statistic.percentile()?).div_ceil(100).saturating_sub(1);
                return values.get(rank).copied();
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_s_datapoint_is_made_of_its_minutes() {
        let mut series = Series::new(Statistic::Sum, 10);
        for (minute, value) in [(0, 4.0), (1, 1.0), (1, 3.0), (3, 10.0), (3, f64::NAN)] {
            series.add(minute, value);
        }
        let of = |statistic, from, to| series.datapoint(statistic, from, to);
        assert_eq!(of(Statistic::Sum, 1, 4), Some(14.0));
        assert_eq!(of(Statistic::Average, 0, 2), Some(8.0 / 3.0));
        assert_eq!(of(Statistic::Minimum, 0, 4), Some(1.0));
        assert_eq!(of(Statistic::Maximum, 0, 3), Some(4.0));
        assert_eq!(of(Statistic::SampleCount, 0, 4), Some(4.0));
        assert_eq!(of(Statistic::SampleCount, 2, 3), None, "nothing is missing data, not zero");
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let mut series = Series::new(Statistic::P99, 10);
        (1..=100).rev().for_each(|value| series.add(u64::from(value < 50_u8), f64::from(value)));
        assert_eq!(series.datapoint(Statistic::P50, 0, 2), Some(50.0));
        assert_eq!(series.datapoint(Statistic::P95, 0, 2), Some(95.0));
        assert_eq!(series.datapoint(Statistic::P99, 0, 2), Some(99.0));
        assert_eq!(series.datapoint(Statistic::P99, 1, 2), Some(49.0));
    }

    #[test]
    fn what_no_datapoint_needs_is_forgotten() {
        let mut series = Series::new(Statistic::Sum, 2);
        (0..5).for_each(|minute| series.add(minute, 1.0));
        series.forget_before(5);
        assert_eq!(series.datapoint(Statistic::Sum, 0, 5), Some(2.0));
    }
}
