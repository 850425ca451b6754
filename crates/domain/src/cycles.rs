//! Billing cycles: a month of an account, from its cycle day to the same day of the next month.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::identity::Malformed;
use crate::time::first_instant;

/// A billing cycle, named by the month in which it begins. When it begins within that month is up to each account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cycle {
    year: u16,
    /// 1 to 12.
    month: u8,
}

impl Cycle {
    /// Reads `YYYY-MM`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed("expected a cycle as YYYY-MM, such as 2026-03".into());
        let (year, month) = text.split_once('-').ok_or_else(malformed)?;
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(malformed());
        }
        let (year, month) = (year.parse().map_err(|_| malformed())?, month.parse().map_err(|_| malformed())?);
        Self::new(year, month).ok_or_else(malformed)
    }

    fn new(year: u16, month: u8) -> Option<Self> {
        (1..=12).contains(&month).then_some(Self { year, month })
    }

    /// Reads the number that [`Cycle::code`] gave.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::new(u16::try_from(code / 100).ok()?, u8::try_from(code % 100).ok()?)
    }

    /// The cycle as a number, YYYYMM.
    pub fn code(self) -> u32 {
        u32::from(self.year) * 100 + u32::from(self.month)
    }

    /// The cycle that a day lies in, for an account whose cycles begin on `cycle_day`, 1 to 28.
    pub fn of(day: NaiveDate, cycle_day: u8) -> Self {
        let year = u16::try_from(day.year().max(0)).unwrap_or(u16::MAX);
        let month = Self { year, month: u8::try_from(day.month()).unwrap_or(12) };
        if day.day() >= u32::from(cycle_day) { month } else { month.previous() }
    }

    /// The cycle after this one.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { year: self.year, month: month + 1 },
        }
    }

    /// The cycle before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self { year: self.year.saturating_sub(1), month: 12 },
            month => Self { year: self.year, month: month - 1 },
        }
    }

    /// Its first day, for an account whose cycles begin on `cycle_day`, 1 to 28.
    pub fn first_day(self, cycle_day: u8) -> NaiveDate {
        let day = u32::from(cycle_day.clamp(1, 28));
        NaiveDate::from_ymd_opt(i32::from(self.year), u32::from(self.month), day).unwrap_or(NaiveDate::MAX)
    }

    /// The first day after it, for an account whose cycles begin on `cycle_day`, 1 to 28.
    pub fn end_day(self, cycle_day: u8) -> NaiveDate {
        self.next().first_day(cycle_day)
    }

    /// Its first instant and the first one after it, where the operator's days begin. `None` is beyond the calendar.
    pub fn bounds(self, cycle_day: u8, timezone: Tz) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let starts_at = first_instant(self.first_day(cycle_day), timezone)?;
        Some((starts_at, first_instant(self.end_day(cycle_day), timezone)?))
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_lies_in_the_cycle_that_began_last() {
        assert_eq!(Cycle::of(day("2026-03-14"), 15).to_string(), "2026-02");
        assert_eq!(Cycle::of(day("2026-03-15"), 15).to_string(), "2026-03");
        assert_eq!(Cycle::of(day("2026-01-14"), 15).to_string(), "2025-12");
        assert_eq!(Cycle::of(day("2026-01-01"), 1).to_string(), "2026-01");
    }

    #[test]
    fn a_cycle_runs_to_the_same_day_of_the_next_month() {
        let cycle = Cycle::parse("2025-12").unwrap();
        assert_eq!((cycle.first_day(28), cycle.end_day(28)), (day("2025-12-28"), day("2026-01-28")));
        assert_eq!((cycle.previous().to_string(), cycle.next().to_string()), ("2025-11".into(), "2026-01".into()));
    }

    #[test]
    fn a_cycle_is_an_hour_shorter_when_clocks_are_put_forward_in_it() {
        let (from, to) = Cycle::parse("2026-03").unwrap().bounds(1, Tz::Europe__Paris).unwrap();
        assert_eq!(
            (from.to_rfc3339(), to.to_rfc3339()),
            ("2026-02-28T23:00:00+00:00".into(), "2026-03-31T22:00:00+00:00".into())
        );
        assert_eq!((to - from).num_hours(), 31 * 24 - 1);
    }

    #[test]
    fn what_is_no_cycle_is_refused() {
        for text in
            ["", "2026", "2026-13", "2026-00", "2026-1", "26-01", "2026-01-01", "+026-01", "2026/01", " 2026-01"]
        {
            assert!(Cycle::parse(text).is_err(), "{text}");
        }
        assert_eq!(Cycle::from_code(202_613), None);
    }

    proptest! {
        #[test]
        fn a_day_lies_between_the_first_and_the_last_of_its_cycle(days in 0i32..40_000, cycle_day in 1u8..=28) {
            let day = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + chrono::TimeDelta::days(days.into());
            let cycle = Cycle::of(day, cycle_day);
            prop_assert!(cycle.first_day(cycle_day) <= day && day < cycle.end_day(cycle_day));
            prop_assert_eq!(cycle.next().previous(), cycle);
            prop_assert_eq!(Cycle::from_code(cycle.code()), Some(cycle));
            prop_assert_eq!(Cycle::parse(&cycle.to_string()).unwrap(), cycle);
        }
    }
}
