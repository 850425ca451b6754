//! In which part of the day a call falls: the split of usage that churn is learned from.

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;

/// Parts of a customer's calls. Each call is in one of them.
///
/// They are those of the public churn data set, which does not say its hours; these are the rate periods of the operators whose
/// customers it describes: day from 8 to 17, evening from 17 to 23, night from 23 to 8, on every day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallPeriod {
    /// From 8:00 to 17:00 on the operator's clock.
    Day,
    /// From 17:00 to 23:00.
    Evening,
    /// From 23:00 to 8:00.
    Night,
    /// To another country or while roaming, at any hour.
    International,
}

impl CallPeriod {
    /// Every part.
    pub const ALL: [Self; 4] = [Self::Day, Self::Evening, Self::Night, Self::International];

    /// The part of a call by when it began, who called and whom. `destination` may begin with `+`.
    ///
    /// A call is international while roaming, when the destination begins with `00`, or when the two numbers' country codes differ.
    /// A destination of fewer than 7 digits is a short code, and one that begins with a single `0` is of the country itself.
    pub fn of(started_at: DateTime<Utc>, timezone: Tz, subscriber: &str, destination: &str, roaming: bool) -> Self {
        if roaming || leaves_country(subscriber, destination) {
            return Self::International;
        }
        match started_at.with_timezone(&timezone).hour() {
            8..17 => Self::Day,
            17..23 => Self::Evening,
            _ => Self::Night,
        }
    }
}

fn leaves_country(subscriber: &str, destination: &str) -> bool {
    const SHORTEST_NUMBER: usize = 7;
    let (plus, digits) = match destination.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => (false, destination),
    };
    let number = digits.strip_prefix("00").unwrap_or(digits);
    let in_full = plus || number.len() < digits.len() || (digits.len() >= SHORTEST_NUMBER && !digits.starts_with('0'));
    in_full && country_code(number) != country_code(subscriber)
}

/// The country code that a number in full begins with, by the zones of ITU-T E.164: one digit for 1 and 7, two for those below, three
/// for all others.
fn country_code(number: &str) -> &str {
    let digits = match number.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    };
    number.get(..digits).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(hour: &str, destination: &str, roaming: bool) -> CallPeriod {
        let started_at = format!("2026-01-15T{hour}Z").parse().unwrap();
        CallPeriod::of(started_at, Tz::Europe__Paris, "33612345678", destination, roaming)
    }

    #[test]
    fn the_operators_clock_decides_between_day_evening_and_night() {
        let home = "33698765432";
        let periods =
            ["06:59:59", "07:00:00", "15:59:59", "16:00:00", "21:59:59", "22:00:00"].map(|h| at(h, home, false));
        use CallPeriod::{Day, Evening, Night};
        assert_eq!(periods, [Night, Day, Day, Evening, Evening, Night], "Paris is an hour ahead of UTC in January");
    }

    #[test]
    fn a_call_abroad_or_from_abroad_is_international() {
        for destination in ["212612345678", "+212612345678", "00212612345678", "14155550100", "0049301234567"] {
            assert_eq!(at("12:00:00", destination, false), CallPeriod::International, "{destination}");
        }
        for destination in ["+33698765432", "0033698765432", "0698765432", "118", "3900", ""] {
            assert_eq!(at("12:00:00", destination, false), CallPeriod::Day, "{destination}");
            assert_eq!(at("12:00:00", destination, true), CallPeriod::International, "{destination}");
        }
    }

    #[test]
    fn a_country_code_has_one_to_three_digits() {
        assert_eq!(
            ["12125550100", "79161234567", "46700000001", "212612345678", "35312345"].map(country_code),
            ["1", "7", "46", "212", "353"]
        );
        assert_eq!(country_code("98"), "98");
        assert_eq!(country_code("2"), "2");
    }
}
