//! Options that several commands read.

use chrono::{DateTime, Utc};
use millrace_wire::Topic;

/// One of the three topics.
pub(super) fn topic(text: &str) -> Result<Topic, String> {
    Topic::parse(text).ok_or_else(|| format!("expected one of {}", Topic::ALL.map(Topic::as_str).join(", ")))
}

/// A number above 0.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("expected a number above 0".to_owned()),
    }
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
        assert!(["0", "-1", "NaN", "inf", "ten"].iter().all(|text| positive(text).is_err()));
        assert_eq!(time("2026-11-21T09:00:00+01:00").unwrap().to_rfc3339(), "2026-11-21T08:00:00+00:00");
        assert!(time("2026-11-21").is_err());
    }
}
