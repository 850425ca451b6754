//! Times on the wire: RFC 3339 with offset, kept as UTC to the millisecond.

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};

use crate::Rejection;

/// How far a time may be ahead of the broker's record time.
pub(crate) const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// The years that a `DATETIME` column holds.
const YEARS: std::ops::RangeInclusive<i32> = 1000..=9999;

/// Reads a time, cut to the millisecond. The error says what was expected.
pub(crate) fn parse(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| "expected an RFC 3339 time with offset")?;
    // By way of the count of milliseconds: a leap second becomes the first second of the next minute, as stores expect.
    let at = DateTime::from_timestamp_millis(parsed.timestamp_millis()).ok_or("is out of range")?;
    if YEARS.contains(&at.year()) { Ok(at) } else { Err("is out of range: expected a year from 1000 to 9999") }
}

/// Refuses a time that the broker's clock says is still to come.
pub(crate) fn check_not_ahead(
    field: &'static str,
    at: DateTime<Utc>,
    record_time: DateTime<Utc>,
) -> Result<(), Rejection> {
    if at.signed_duration_since(record_time) > MAX_AHEAD {
        return Err(Rejection::new(field, "is more than 5 minutes ahead of the record's time"));
    }
    Ok(())
}

/// Writes a time with milliseconds, in UTC.
pub(crate) fn format(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
