//! Options that several commands read.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use millrace_wire::Topic;

/// What a rate or a number of seconds may be. Times hold them all, and the pause between two records of every such rate.
const POSITIVE: RangeInclusive<f64> = 1e-6..=1e9;

/// One of the three topics.
pub(super) fn topic(text: &str) -> Result<Topic, String> {
    Topic::parse(text).ok_or_else(|| format!("expected one of {}", Topic::ALL.map(Topic::as_str).join(", ")))
}

/// A number above 0, as of seconds or of records a second.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if POSITIVE.contains(&number) => Ok(number),
        _ => Err(format!("expected a number above 0, from {} to {}", POSITIVE.start(), POSITIVE.end())),
    }
}

/// A time zone by its name.
pub(super) fn timezone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "expected an IANA time zone such as Europe/Paris".to_owned())
}

/// An RFC 3339 time with its offset.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|error| format!("expected a time such as 2026-11-21T08:00:00Z: {error}"))?;
    Ok(time.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn options_say_what_they_expected() {
        assert_eq!(topic("customers").unwrap(), Topic::Customers);
        assert!(topic("users").unwrap_err().contains("usage-events"));
        assert_eq!(positive("2.5").unwrap(), 2.5);
        for text in ["0", "-1", "1e-300", "1e300", "NaN", "inf", "ten"] {
            assert_eq!(positive(text).unwrap_err(), "expected a number above 0, from 0.000001 to 1000000000", "{text}");
        }
        assert_eq!(timezone("Europe/Paris").unwrap(), Tz::Europe__Paris);
        assert!(timezone("Paris").unwrap_err().contains("such as Europe/Paris"));
        assert_eq!(time("2026-11-21T09:00:00+01:00").unwrap().to_rfc3339(), "2026-11-21T08:00:00+00:00");
        assert!(time("2026-11-21").is_err());
    }
}
