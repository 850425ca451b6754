//! When a rate holds, by the local wall clock.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Timelike};

use super::spec::TimingSpec;

/// Seconds of a day that the clock counts.
pub(crate) const DAY: u32 = 86_400;

/// The Gregorian calendar, weekdays included, repeats after so many days.
const CALENDAR_CYCLE: u64 = 146_097;

/// A checked timing: sets as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timing {
    weekdays: u8,
    months: u16,
    month_days: u32,
    years: Option<Vec<i32>>,
    /// Seconds of the day.
    pub(crate) from: u32,
    /// Exclusive.
    pub(crate) to: u32,
}

impl Timing {
    /// Checks a timing; `wrong` hears of a key and what is wrong with it.
    pub(crate) fn new(spec: &TimingSpec, mut wrong: impl FnMut(&str, &str)) -> Self {
        let mut listed = |key: &str, len: Option<usize>, in_range: bool, expected: &str| {
            if len == Some(0) {
                wrong(key, "expected at least one entry");
            } else if !in_range {
                wrong(key, expected);
            }
        };
        let within = |list: &Option<Vec<u32>>, max: u32| list.iter().flatten().all(|entry| (1..=max).contains(entry));
        listed("weekdays", spec.weekdays.as_ref().map(Vec::len), true, "");
        listed("months", spec.months.as_ref().map(Vec::len), within(&spec.months, 12), "expected months from 1 to 12");
        listed(
            "month_days",
            spec.month_days.as_ref().map(Vec::len),
            within(&spec.month_days, 31),
            "expected days from 1 to 31",
        );
        let years_known = spec.years.iter().flatten().all(|year| (1..=9999).contains(year));
        listed("years", spec.years.as_ref().map(Vec::len), years_known, "expected years from 1 to 9999");
        let (from, to) = (spec.from.unwrap_or(0), spec.to.unwrap_or(1440));
        if from >= 1440 {
            wrong("from", "expected 00:00 to 23:59");
        } else if to > 1440 {
            wrong("to", "expected 00:01 to 24:00");
        } else if from >= to {
            wrong("to", "must be later than from; over midnight takes two timings");
        }
        let bits = |list: &Option<Vec<u32>>| match list {
            None => u32::MAX,
            Some(list) => list.iter().fold(0, |bits, entry| bits | 1_u32.checked_shl(*entry).unwrap_or(0)),
        };
        let weekdays = match &spec.weekdays {
            None => u8::MAX,
            Some(days) => days.iter().fold(0, |bits, day| bits | 1 << day.num_days_from_monday()),
        };
        Self {
            weekdays,
            months: bits(&spec.months) as u16,
            month_days: bits(&spec.month_days),
            years: spec.years.clone(),
            from: u32::from(from) * 60,
            to: u32::from(to) * 60,
        }
    }

    /// Whether it holds at every instant.
    pub(crate) fn always(&self) -> bool {
        self.any_day() && self.from == 0 && self.to == DAY
    }

    fn any_day(&self) -> bool {
        self.weekdays == u8::MAX && self.months == u16::MAX && self.month_days == u32::MAX && self.years.is_none()
    }

    /// Whether it holds at a reading of the wall clock.
    pub(crate) fn holds(&self, local: NaiveDateTime) -> bool {
        let second = local.num_seconds_from_midnight();
        self.from <= second && second < self.to && (self.any_day() || self.holds_on(local.date()))
    }

    fn holds_on(&self, day: NaiveDate) -> bool {
        self.weekdays & 1 << day.weekday().num_days_from_monday() != 0
            && self.months & 1 << day.month() != 0
            && self.month_days & 1 << day.day() != 0
            && self.years.as_ref().is_none_or(|years| years.contains(&day.year()))
    }

    /// Whether some reading of the wall clock lies in both. The calendar decides: 30 February never comes, and a date falls on
    /// one weekday in one year.
    pub(crate) fn can_hold_with(&self, other: &Self) -> bool {
        if self.from.max(other.from) >= self.to.min(other.to) {
            return false;
        }
        let both = |day: &NaiveDate| self.holds_on(*day) && other.holds_on(*day);
        match self.years.as_ref().or(other.years.as_ref()) {
            Some(years) => years.iter().any(|year| days_of(*year).any(|day| both(&day))),
            None => NaiveDate::from_ymd_opt(2000, 1, 1).is_some_and(|first| {
                (0..CALENDAR_CYCLE).filter_map(|day| first.checked_add_days(Days::new(day))).any(|day| both(&day))
            }),
        }
    }
}

fn days_of(year: i32) -> impl Iterator<Item = NaiveDate> {
    (1..=366).filter_map(move |day| NaiveDate::from_yo_opt(year, day))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use chrono::Weekday;

    use super::*;

    fn timing(spec: TimingSpec) -> Timing {
        Timing::new(&spec, |key, reason| panic!("{key}: {reason}"))
    }

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn every_key_restricts_and_a_missing_one_does_not() {
        let any = timing(TimingSpec::default());
        assert!(any.always() && any.holds(at("2026-02-28T23:59:59")));
        let work = timing(TimingSpec {
            weekdays: Some(vec![Weekday::Mon]),
            from: Some(480),
            to: Some(1140),
            ..TimingSpec::default()
        });
        assert!(work.holds(at("2026-11-23T08:00:00")), "a Monday at 08:00");
        assert!(
            !work.holds(at("2026-11-23T07:59:59"))
                && !work.holds(at("2026-11-23T19:00:00"))
                && !work.holds(at("2026-11-24T09:00:00"))
        );
        let evening = timing(TimingSpec { from: Some(1140), to: Some(1440), ..TimingSpec::default() });
        assert!(evening.holds(at("2026-11-23T23:59:59")) && !evening.holds(at("2026-11-24T00:00:00")));
        let day = timing(TimingSpec {
            months: Some(vec![1]),
            month_days: Some(vec![1]),
            years: Some(vec![2026]),
            ..TimingSpec::default()
        });
        assert!(
            day.holds(at("2026-01-01T12:00:00"))
                && !day.holds(at("2027-01-01T12:00:00"))
                && !day.holds(at("2026-12-01T12:00:00"))
        );
    }

    #[test]
    fn the_calendar_decides_whether_two_timings_can_hold_together() {
        let weekend = timing(TimingSpec { weekdays: Some(vec![Weekday::Sat, Weekday::Sun]), ..TimingSpec::default() });
        let new_year = TimingSpec { months: Some(vec![1]), month_days: Some(vec![1]), ..TimingSpec::default() };
        assert!(timing(new_year.clone()).can_hold_with(&weekend));
        assert!(
            !timing(TimingSpec { years: Some(vec![2026]), ..new_year }).can_hold_with(&weekend),
            "1 January 2026 is a Thursday"
        );
        let never = timing(TimingSpec { months: Some(vec![2]), month_days: Some(vec![30]), ..TimingSpec::default() });
        assert!(!never.can_hold_with(&timing(TimingSpec::default())));
        let morning = timing(TimingSpec { to: Some(720), ..TimingSpec::default() });
        assert!(!morning.can_hold_with(&timing(TimingSpec { from: Some(720), ..TimingSpec::default() })));
    }
}
