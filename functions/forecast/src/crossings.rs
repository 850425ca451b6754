//! Thresholds that a forecast crosses.

use millrace_domain::forecasts::{Crossing, ForecastPoint};

/// Hours of a day, over which revenue is summed.
const DAY: usize = 24;

/// The first hour at which a site is expected above its threshold.
pub(crate) fn rises_above(series: &str, threshold: f64, points: &[ForecastPoint]) -> Option<Crossing> {
    let point = *points.iter().find(|point| point.value > threshold)?;
    Some(Crossing { series: series.to_owned(), threshold, above: true, point })
}

/// The first 24 hours whose revenue is expected to stay below the plan of a day. Their sum stands at their beginning; its band is
/// the sum of their bands, which is wider than need be.
pub(crate) fn falls_below_plan(series: &str, plan: f64, points: &[ForecastPoint]) -> Option<Crossing> {
    let days = points.chunks_exact(DAY).map(|day| ForecastPoint {
        time: day[0].time,
        value: day.iter().map(|point| point.value).sum(),
        low: day.iter().map(|point| point.low).sum(),
        high: day.iter().map(|point| point.high).sum(),
    });
    let point = days.into_iter().find(|day| day.value < plan)?;
    Some(Crossing { series: series.to_owned(), threshold: plan, above: false, point })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<ForecastPoint> {
        let time = |hour: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        let values = (0..).zip(values);
        values
            .map(|(hour, value)| ForecastPoint { time: time(hour), value, low: value - 1.0, high: value + 1.0 })
            .collect()
    }

    #[test]
    fn the_first_hour_above_the_threshold_is_told() {
        let crossing = rises_above("temperature/A", 80.0, &points([79.0, 80.0, 81.0, 90.0])).unwrap();
        assert_eq!((crossing.point.value, crossing.above), (81.0, true));
        assert_eq!(rises_above("temperature/A", 80.0, &points([80.0])), None, "at the threshold is not above it");
    }

    #[test]
    fn the_first_day_below_plan_is_told_and_a_part_of_a_day_is_none() {
        let values = [vec![10.0; 24], vec![5.0; 24], vec![0.0; 5]].concat();
        let crossing = falls_below_plan("revenue", 200.0, &points(values.clone())).unwrap();
        assert_eq!((crossing.point.value, crossing.point.low), (120.0, 96.0));
        assert_eq!(crossing.point.time, DateTime::UNIX_EPOCH + TimeDelta::hours(24));
        assert_eq!(falls_below_plan("revenue", 100.0, &points(values)), None);
    }
}
