//! Times on the wire: RFC 3339 with offset, kept as UTC to the millisecond.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Utc};

use crate::Rejection;

/// How far a time may be ahead of the broker's record time.
pub(crate) const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// The years that a `DATETIME` column holds.
const YEARS: std::ops::RangeInclusive<i32> = 1000..=9999;

/// Reads a time, cut to the millisecond. The error says what was expected.
pub(crate) fn parse(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let millis = match plain_millis(text.as_bytes()) {
        Some(millis) => millis,
        None => any_millis(text)?,
    };
    let at = DateTime::from_timestamp_millis(millis).ok_or("is out of range")?;
    if YEARS.contains(&at.year()) { Ok(at) } else { Err("is out of range: expected a year from 1000 to 9999") }
}

/// Milliseconds since 1970 of every form that RFC 3339 allows.
fn any_millis(text: &str) -> Result<i64, &'static str> {
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| "expected an RFC 3339 time with offset")?;
    // By way of the count of milliseconds: a leap second becomes the first second of the next minute, as stores expect.
    Ok(parsed.timestamp_millis())
}

/// The same for the usual form, `2026-03-01T10:15:30.123+01:00`, whose fields stand at fixed places; `None` for any other.
fn plain_millis(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', mi0, mi1, b':', s0, s1] = *date else {
        return None;
    };
    let (hour, minute, second) = (two(h0, h1, 23)?, two(mi0, mi1, 59)?, two(s0, s1, 59)?);
    let year = two(y0, y1, 99)? * 100 + two(y2, y3, 99)?;
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, two(mo0, mo1, 12)?, two(d0, d1, 31)?)?;
    let (millis, rest) = match rest {
        [b'.', rest @ ..] => {
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&len) {
                return None;
            }
            let digit = |at: usize| rest.get(at).filter(|_| at < len).map_or(0, |byte| u32::from(byte - b'0'));
            (digit(0) * 100 + digit(1) * 10 + digit(2), rest.get(len..)?)
        }
        rest => (0, rest),
    };
    let offset = match *rest {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let minutes = i64::from(two(h0, h1, 23)? * 60 + two(m0, m1, 59)?);
            if sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let days = i64::from(day.to_epoch_days());
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second) - offset * 60;
    Some(seconds * 1000 + i64::from(millis))
}

/// A number of two digits that is at most `max`.
fn two(tens: u8, ones: u8, max: u32) -> Option<u32> {
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    Some(u32::from(tens - b'0') * 10 + u32::from(ones - b'0')).filter(|number| *number <= max)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn the_short_way_says_what_the_complete_one_says_or_nothing(
            text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,11})?(Z|z|[+-][0-2][0-9]:?[0-6][0-9]|)"
        ) {
            if let Some(millis) = plain_millis(text.as_bytes()) {
                prop_assert_eq!(Ok(millis), any_millis(&text));
            }
        }
    }

    #[test]
    fn usual_times_take_the_short_way() {
        for text in ["2026-03-01T10:15:30Z", "2024-02-29T23:59:59.123456789-09:30", "0999-12-31T23:59:59.5+23:59"] {
            assert_eq!(plain_millis(text.as_bytes()), any_millis(text).ok(), "{text}");
            assert!(plain_millis(text.as_bytes()).is_some(), "{text}");
        }
    }
}
