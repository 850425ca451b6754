//! An hourly series without holes: what was missing is filled in, and known to be.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::error::ForecastError;

const DAY: usize = 24;
const WEEK: usize = 168;
/// Holes up to this many hours are bridged by a straight line.
const SHORT_GAP: usize = 3;
/// The longest span that is looked at, in hours: what came before is another time.
const LONGEST: usize = 26 * WEEK;

/// Values of consecutive hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub(crate) start: DateTime<Utc>,
    pub(crate) values: Vec<f64>,
    /// Whether the hour's value was there.
    pub(crate) observed: Vec<bool>,
    /// Where the day begins and weekends are.
    pub(crate) timezone: Tz,
    gaps: Vec<Gap>,
}

/// Hours without a value, one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first of them.
    pub from: DateTime<Utc>,
    /// How many.
    pub hours: usize,
}

impl Series {
    /// Puts the observations in order and fills the hours that are missing between them. `timezone` is where the people live whose
    /// days and weekends the series follows. At most the last half year is kept.
    ///
    /// # Errors
    /// When two values are of one hour, a time is off the hours that the first one begins, a value is not finite, or more hours
    /// are missing than there are.
    pub fn new(observations: &[(DateTime<Utc>, f64)], timezone: Tz) -> Result<Self, ForecastError> {
        let mut known = BTreeMap::new();
        for (time, value) in observations {
            if !value.is_finite() {
                return Err(ForecastError::NotFinite(*time));
            }
            if known.insert(*time, *value).is_some() {
                return Err(ForecastError::Twice(*time));
            }
        }
        let (Some(start), Some(end)) = (known.keys().next().copied(), known.keys().next_back().copied()) else {
            return Ok(Self {
                start: DateTime::UNIX_EPOCH,
                values: Vec::new(),
                observed: Vec::new(),
                timezone,
                gaps: Vec::new(),
            });
        };
        let hour = TimeDelta::hours(1).num_milliseconds();
        if let Some(off) = known.keys().find(|time| (**time - start).num_milliseconds() % hour != 0) {
            return Err(ForecastError::OffTheHour(*off));
        }
        let span = ((end - start).num_hours() + 1) as usize;
        let start = start + TimeDelta::hours(span.saturating_sub(LONGEST) as i64);
        let known = known.split_off(&start);
        // The half year may begin in a hole.
        let start = known.keys().next().copied().unwrap_or(start);
        let hours = ((end - start).num_hours() + 1) as usize;
        if known.len() * 2 < hours {
            return Err(ForecastError::MostlyGaps { missing: hours - known.len(), hours });
        }
        let mut sparse = vec![None; hours];
        for (time, value) in known {
            sparse[(time - start).num_hours() as usize] = Some(value);
        }
        let gaps = gaps(&sparse, start);
        let values = filled(&sparse, &gaps, start);
        Ok(Self { start, values, observed: sparse.iter().map(Option::is_some).collect(), timezone, gaps })
    }

    /// Hours from the first to the last.
    #[must_use]
    pub fn hours(&self) -> usize {
        self.values.len()
    }

    /// The hours that had no value.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// How many hours had no value.
    #[must_use]
    pub fn hours_filled(&self) -> usize {
        self.gaps.iter().map(|gap| gap.hours).sum()
    }

    /// The time of an hour by its place, which may lie ahead.
    pub(crate) fn time(&self, place: usize) -> DateTime<Utc> {
        self.start + TimeDelta::hours(place as i64)
    }

    /// Whether no value was ever below zero: then none is forecast.
    pub(crate) fn is_never_negative(&self) -> bool {
        self.values.iter().all(|value| *value >= 0.0)
    }
}

fn gaps(sparse: &[Option<f64>], start: DateTime<Utc>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut open = false;
    for (place, value) in sparse.iter().enumerate() {
        match (value, gaps.last_mut()) {
            (Some(_), _) => open = false,
            (None, Some(gap)) if open => gap.hours += 1,
            (None, _) => {
                gaps.push(Gap { from: start + TimeDelta::hours(place as i64), hours: 1 });
                open = true;
            }
        }
    }
    gaps
}

/// A short hole is bridged; a long one has the values of the same hour a week away, or a day, with the line as the last resort.
fn filled(sparse: &[Option<f64>], gaps: &[Gap], start: DateTime<Utc>) -> Vec<f64> {
    let mut values: Vec<f64> = sparse.iter().map(|value| value.unwrap_or_default()).collect();
    for gap in gaps {
        let first = (gap.from - start).num_hours() as usize;
        let past = first + gap.hours;
        // A series begins and ends with a value, so that a hole has one on either side.
        let (before, after) = (values[first - 1], sparse[past].unwrap_or_default());
        for (place, value) in values.iter_mut().enumerate().take(past).skip(first) {
            let part = (place + 1 - first) as f64 / (gap.hours + 1) as f64;
            let line = before + (after - before) * part;
            *value = if gap.hours <= SHORT_GAP {
                line
            } else {
                [WEEK, DAY].into_iter().find_map(|season| beside(sparse, place, season)).unwrap_or(line)
            };
        }
    }
    values
}

/// The mean of the values one season before and after.
fn beside(sparse: &[Option<f64>], place: usize, season: usize) -> Option<f64> {
    let before = place.checked_sub(season).and_then(|place| sparse[place]);
    let after = sparse.get(place + season).copied().flatten();
    let (sum, count) = [before, after].into_iter().flatten().fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 / 3600 * 3600, 0).unwrap() + TimeDelta::hours(hour)
    }

    fn series(observations: &[(i64, f64)]) -> Result<Series, ForecastError> {
        let observations: Vec<_> = observations.iter().map(|(hour, value)| (at(*hour), *value)).collect();
        Series::new(&observations, Tz::UTC)
    }

    #[test]
    fn a_short_hole_is_bridged_and_told() {
        let series = series(&[(0, 1.0), (1, 2.0), (4, 5.0)]).unwrap();
        assert_eq!(series.values, [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(series.gaps(), [Gap { from: at(2), hours: 2 }]);
        assert_eq!(series.observed, [true, true, false, false, true]);
    }

    #[test]
    fn a_long_hole_has_the_values_of_the_same_hours_on_other_days() {
        let day = |hour: i64| (hour, (hour % 24) as f64);
        let known: Vec<_> = (0..72).filter(|hour| !(26..36).contains(hour)).map(day).collect();
        let series = series(&known).unwrap();
        assert_eq!(series.hours_filled(), 10);
        assert_eq!(series.values[30], 6.0);
    }

    #[test]
    fn the_order_of_the_observations_does_not_matter() {
        assert_eq!(series(&[(2, 3.0), (0, 1.0), (1, 2.0)]), series(&[(0, 1.0), (1, 2.0), (2, 3.0)]));
    }

    #[test]
    fn what_cannot_be_a_series_is_refused() {
        assert_eq!(series(&[(0, 1.0), (0, 2.0)]), Err(ForecastError::Twice(at(0))));
        assert_eq!(series(&[(0, 1.0), (1, f64::NAN)]), Err(ForecastError::NotFinite(at(1))));
        assert_eq!(series(&[(0, 1.0), (9, 1.0)]), Err(ForecastError::MostlyGaps { missing: 8, hours: 10 }));
        let late = at(1) + TimeDelta::minutes(1);
        assert_eq!(Series::new(&[(at(0), 1.0), (late, 1.0)], Tz::UTC), Err(ForecastError::OffTheHour(late)));
    }

    #[test]
    fn no_observation_is_a_series_of_no_hours() {
        assert_eq!(series(&[]).unwrap().hours(), 0);
    }
}
