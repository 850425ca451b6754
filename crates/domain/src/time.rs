//! Instants. The platform keeps UTC to the millisecond.

use chrono::{DateTime, Timelike, Utc};

/// Cuts an instant to the millisecond, as every time is cut before identities and rules see it: MariaDB would cut what MySQL
/// rounds, and the two would disagree on what a duplicate is.
pub fn cut_to_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    let nanos = at.nanosecond() / 1_000_000 * 1_000_000;
    at.with_nanosecond(nanos).unwrap_or(at)
}
