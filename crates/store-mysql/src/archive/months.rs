//! Calendar months (UTC), by which tables are partitioned.

use std::fmt;

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};

/// A month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(NaiveDate);

impl Month {
    /// Reads `YYYY-MM`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let wanted = text.len() == 7 && text.as_bytes().get(4) == Some(&b'-');
        NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok().filter(|_| wanted).map(Self)
    }

    /// The month of a time.
    #[must_use]
    pub fn of(time: DateTime<Utc>) -> Self {
        let day = time.date_naive();
        Self(day.with_day(1).unwrap_or(day))
    }

    /// The month of a number, YYYYMM.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(i32::try_from(code / 100).ok()?, code % 100, 1).map(Self)
    }

    /// The month as a number, YYYYMM.
    #[must_use]
    pub fn code(self) -> u32 {
        u32::try_from(self.0.year()).unwrap_or(0) * 100 + self.0.month()
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + Months::new(1))
    }

    /// Its first instant.
    #[must_use]
    pub fn starts_at(self) -> DateTime<Utc> {
        self.0.and_time(NaiveTime::MIN).and_utc()
    }

    /// The first instant after it.
    #[must_use]
    pub fn ends_at(self) -> DateTime<Utc> {
        self.next().starts_at()
    }

    /// The name of its partition.
    pub(super) fn partition(self) -> String {
        self.0.format("p%Y%m").to_string()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_month_is_read_as_it_is_written() {
        let month = Month::parse("2026-12").unwrap();
        assert_eq!(
            (month.to_string().as_str(), month.code(), month.partition().as_str()),
            ("2026-12", 202_612, "p202612")
        );
        assert_eq!(month.ends_at().to_rfc3339(), "2027-01-01T00:00:00+00:00");
        assert_eq!(Month::from_code(202_612), Some(month));
        for wrong in ["2026-13", "2026-1", "26-12", "2026-12-01", ""] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }
}
