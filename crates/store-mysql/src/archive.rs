//! What the archive function reads and notes: rows by the day (UTC) on which they were stored.
//!
//! A row belongs to the day of its `stored_at`. Once the day is over by [`GRACE`] and the topic's ledger rows were share-locked for a
//! moment ([`crate::cache::reach`]), no transaction can add to it. Should the database's clock have been set back meanwhile, a row
//! that bears the date of a day that is archived already goes with the first day that is not: each row is archived once.

mod days;
pub mod drop;
mod events;
mod months;
mod others;
mod parts;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

pub use days::{Progress, Survey, close, parts_of, pending, progress};
pub use events::ArchivedEvent;
pub use months::Month;
pub use others::{ArchivedAdjustment, StoredSnapshot};
pub use parts::{PartReader, Stored, note_part};

/// How long after its midnight a day is closed: no statement of it is at work any more.
pub const GRACE: TimeDelta = TimeDelta::minutes(15);

/// The lease of the archive function: one run at a time.
pub const LEASE: &str = "archive";

/// What is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dataset {
    /// Usage events with their charges.
    UsageEvents,
    /// What re-rating changed.
    Adjustments,
    /// Snapshots of customers.
    Customers,
}

impl Dataset {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::UsageEvents, Self::Adjustments, Self::Customers];

    /// Its name, as in the archive's folders.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsageEvents => "usage-events",
            Self::Adjustments => "adjustments",
            Self::Customers => "customers",
        }
    }

    const fn table(self) -> &'static str {
        match self {
            Self::UsageEvents => "usage_events",
            Self::Adjustments => "adjustments",
            Self::Customers => "customer_snapshots",
        }
    }

    /// The index by sequence number.
    const fn by_seq(self) -> &'static str {
        match self {
            Self::Adjustments => "PRIMARY",
            Self::UsageEvents | Self::Customers => "by_seq",
        }
    }

    /// When a row was stored.
    const fn stored_at(self) -> &'static str {
        match self {
            Self::Adjustments => "adjusted_at",
            Self::UsageEvents | Self::Customers => "stored_at",
        }
    }

    /// The time by whose month rows are counted.
    const fn happened_at(self) -> &'static str {
        match self {
            Self::UsageEvents | Self::Adjustments => "started_at",
            Self::Customers => "observed_at",
        }
    }
}

/// The first day that is not closed at a time.
#[must_use]
pub fn closed_until(now: DateTime<Utc>) -> NaiveDate {
    (now - GRACE).date_naive()
}

/// Rows by the month in which they happened.
pub type MonthCounts = BTreeMap<Month, u64>;

/// A day that is to be archived, with what the table holds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingDay {
    /// The day.
    pub day: NaiveDate,
    /// Its first sequence number; 0 for a day without rows.
    pub first_seq: u64,
    /// Its last sequence number; 0 for a day without rows.
    pub last_seq: u64,
    /// Its rows.
    pub months: MonthCounts,
    /// Where the day after it is looked for.
    pub next_seq: u64,
    /// Rows above this number belong to it although they bear an earlier date; `None` for all days but the first.
    late_above: Option<u64>,
}

impl PendingDay {
    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.months.values().sum()
    }

    /// Its midnights.
    fn bounds(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let start = self.day.and_time(NaiveTime::MIN).and_utc();
        (start, start + TimeDelta::days(1))
    }
}

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 0 upward without gaps.
    pub part_no: u32,
    /// The first sequence number in it.
    pub first_seq: u64,
    /// The last sequence number in it.
    pub last_seq: u64,
    /// How large the file is, in bytes.
    pub bytes: u64,
    /// The file's SHA-256, in hex.
    pub sha256: String,
    /// Adjustments up to this number are in its charges.
    pub adjustments_seq: u64,
    /// Its rows.
    pub months: MonthCounts,
}

impl Part {
    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.months.values().sum()
    }
}

/// Rows of several parts or days, by month.
#[must_use]
pub fn sum<'a>(counts: impl IntoIterator<Item = &'a MonthCounts>) -> MonthCounts {
    let mut all = MonthCounts::new();
    for (month, rows) in counts.into_iter().flatten() {
        *all.entry(*month).or_default() += rows;
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_day_is_closed_a_quarter_of_an_hour_after_its_end() {
        let until = |now: &str| closed_until(now.parse().unwrap()).to_string();
        assert_eq!(until("2026-03-02T00:14:59.999Z"), "2026-03-01");
        assert_eq!(until("2026-03-02T00:15:00Z"), "2026-03-02");
    }
}
