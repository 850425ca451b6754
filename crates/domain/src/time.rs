//! Instants. The platform keeps UTC to the millisecond.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// Cuts an instant to the millisecond, as every time is cut before identities and rules see it: MariaDB would cut what MySQL
/// rounds, and the two would disagree on what a duplicate is.
pub fn cut_to_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    let nanos = at.nanosecond() / 1_000_000 * 1_000_000;
    at.with_nanosecond(nanos).unwrap_or(at)
}

/// The first instant of a day in a time zone. That is midnight, but where clocks are put forward over midnight, or over a whole
/// day, it is the moment at which they are. `None` is beyond the calendar.
pub fn first_instant(day: NaiveDate, timezone: Tz) -> Option<DateTime<Utc>> {
    /// No place ever left out more.
    const LONGEST_GAP: TimeDelta = TimeDelta::days(2);
    let midnight = day.and_time(NaiveTime::MIN);
    let local = |at| timezone.from_local_datetime(&at).earliest().map(|at| at.with_timezone(&Utc));
    if let Some(at) = local(midnight) {
        return Some(at);
    }
    let (mut missing, mut there) = (midnight, midnight.checked_add_signed(LONGEST_GAP)?);
    while there - missing > TimeDelta::seconds(1) {
        let middle = missing + (there - missing) / 2;
        let middle = middle.with_nanosecond(0).unwrap_or(middle);
        if local(middle).is_some() { there = middle } else { missing = middle }
    }
    local(there)
}

/// The day that the calendar shows in a time zone.
pub fn local_day(at: DateTime<Utc>, timezone: Tz) -> NaiveDate {
    at.with_timezone(&timezone).date_naive()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn first(day: &str, timezone: Tz) -> String {
        first_instant(day.parse().unwrap(), timezone).unwrap().to_rfc3339()
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_time_zone() {
        assert_eq!(first("2026-07-01", Tz::Africa__Casablanca), "2026-06-30T23:00:00+00:00");
        assert_eq!(first("2026-07-01", Tz::UTC), "2026-07-01T00:00:00+00:00");
    }

    #[test]
    fn a_day_whose_midnight_is_left_out_begins_when_clocks_are_put_forward() {
        // Sao Paulo went from 00:00 to 01:00; Samoa left out 30 December 2011.
        assert_eq!(first("2018-11-04", Tz::America__Sao_Paulo), "2018-11-04T03:00:00+00:00");
        assert_eq!(first("2011-12-30", Tz::Pacific__Apia), first("2011-12-31", Tz::Pacific__Apia));
    }

    #[test]
    fn a_day_whose_midnight_comes_twice_begins_at_the_first() {
        assert_eq!(first("2018-02-18", Tz::America__Sao_Paulo), "2018-02-18T03:00:00+00:00");
        assert_eq!(first("2023-11-05", Tz::America__Havana), "2023-11-05T04:00:00+00:00");
    }

    #[test]
    fn an_instant_is_cut_and_not_rounded() {
        let at: DateTime<Utc> = "2026-03-01T10:15:30.123999Z".parse().unwrap();
        assert_eq!(cut_to_millis(at).to_rfc3339(), "2026-03-01T10:15:30.123+00:00");
    }
}
