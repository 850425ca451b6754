#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::Expression;

fn utc(text: &str) -> DateTime<Utc> {
    format!("{text}Z").parse().unwrap()
}

/// The next times of an expression after `after`, as UTC.
fn times(expression: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let expression: Expression = expression.parse().unwrap();
    let mut at = utc(after);
    let mut times = Vec::new();
    while times.len() < count
        && let Some(next) = expression.next_after(at, zone)
    {
        times.push(next.format("%Y-%m-%dT%H:%M").to_string());
        at = next;
    }
    times
}

#[test]
fn a_rate_is_due_at_whole_multiples_of_its_interval() {
    assert_eq!(times("rate(1 minute)", Tz::UTC, "2026-11-21T09:00:30", 2), ["2026-11-21T09:01", "2026-11-21T09:02"]);
    assert_eq!(times("rate(6 hours)", Tz::UTC, "2026-11-21T09:00:30", 2), ["2026-11-21T12:00", "2026-11-21T18:00"]);
    assert_eq!(times("rate(1 day)", Tz::UTC, "2026-11-21T00:00:00", 1), ["2026-11-22T00:00"]);
}

#[test]
fn the_examples_of_the_documentation_are_due_as_they_say() {
    let cases = [
        // Every day at 10:15.
        ("cron(15 10 * * ? *)", ["2026-01-01T10:15", "2026-01-02T10:15"]),
        // Every Monday to Friday at 18:00.
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01T18:00", "2026-01-02T18:00"]),
        // The first day of every month at 8:00.
        ("cron(0 8 1 * ? *)", ["2026-01-01T08:00", "2026-02-01T08:00"]),
        // Every 10 minutes.
        ("cron(0/10 * * * ? *)", ["2026-01-01T00:10", "2026-01-01T00:20"]),
        // Every 5 minutes from 8:00 to 17:55, Monday to Friday.
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-01T08:00", "2026-01-01T08:05"]),
        // The first Monday of each month.
        ("cron(0 9 ? * 2#1 *)", ["2026-01-05T09:00", "2026-02-02T09:00"]),
        // The last Friday of each month.
        ("cron(15 10 ? * 6L 2026-2030)", ["2026-01-30T10:15", "2026-02-27T10:15"]),
        // The last day of each month.
        ("cron(0 0 L * ? *)", ["2026-01-31T00:00", "2026-02-28T00:00"]),
        // The working day nearest to the 15th (February's is a Sunday, so Monday).
        ("cron(0 0 15W * ? *)", ["2026-01-15T00:00", "2026-02-16T00:00"]),
        // Nearest to the 1st: a Saturday's is Monday the 3rd, never in the month before.
        ("cron(0 0 1W 8-9 ? *)", ["2026-08-03T00:00", "2026-09-01T00:00"]),
        ("cron(0 0 LW 1,2 ? *)", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        ("cron(0 0 ? * L *)", ["2026-01-03T00:00", "2026-01-10T00:00"]),
        ("cron(0 0 29 FEB ? *)", ["2028-02-29T00:00", "2032-02-29T00:00"]),
    ];
    for (expression, expected) in cases {
        assert_eq!(times(expression, Tz::UTC, "2026-01-01T00:00:00", 2), expected, "{expression}");
    }
}

#[test]
fn years_come_to_an_end() {
    assert_eq!(times("cron(0 0 1 1 ? 2026)", Tz::UTC, "2026-01-01T00:00:00", 1), Vec::<String>::new());
    assert_eq!(times("cron(0 0 1 1 ? 2027)", Tz::UTC, "2026-01-01T00:00:00", 5), ["2027-01-01T00:00"]);
    assert_eq!(times("cron(0 0 31 2 ? *)", Tz::UTC, "2026-01-01T00:00:00", 1), Vec::<String>::new());
}

#[test]
fn a_time_that_the_clock_jumps_over_is_left_out() {
    // Paris, 29 March 2026: 02:00 becomes 03:00.
    assert_eq!(
        times("cron(30 2 * * ? *)", Tz::Europe__Paris, "2026-03-28T00:00:00", 2),
        ["2026-03-28T01:30", "2026-03-30T00:30"]
    );
}

#[test]
fn a_time_that_comes_twice_is_due_once() {
    // Paris, 25 October 2026: 03:00 becomes 02:00.
    assert_eq!(
        times("cron(30 2 * * ? *)", Tz::Europe__Paris, "2026-10-24T12:00:00", 2),
        ["2026-10-25T00:30", "2026-10-26T01:30"]
    );
    assert_eq!(
        times("cron(0/30 * * * ? *)", Tz::Europe__Paris, "2026-10-24T23:59:00", 4),
        ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T02:00", "2026-10-25T02:30"]
    );
}

#[test]
fn at_is_due_once_by_the_wall_clock_of_its_zone() {
    assert_eq!(times("at(2026-07-01T08:30:00)", Tz::Europe__Paris, "2026-06-01T00:00:00", 3), ["2026-07-01T06:30"]);
    assert_eq!(times("at(2026-07-01T08:30:00)", Tz::Europe__Paris, "2026-07-01T06:30:00", 1), Vec::<String>::new());
}

#[test]
fn what_scheduler_refuses_is_refused_with_what_was_expected() {
    for (text, expected) in [
        ("every day", "must be rate(...), cron(...) or at(...)"),
        ("rate(0 minutes)", "must be rate("),
        ("rate(2 minute)", "must be rate("),
        ("rate(5 seconds)", "must be rate("),
        ("cron(0 0 * * *)", "must have six fields"),
        ("cron(0 0 * * * *)", "must have `?` as the day of month or as the day of week"),
        ("cron(0 0 ? * ? *)", "must name a day of month or a day of week"),
        ("cron(60 0 * * ? *)", "minutes must be 0 to 59"),
        ("cron(0 24 * * ? *)", "hours must be 0 to 23"),
        ("cron(0 0 0 * ? *)", "day of month must be 1 to 31"),
        ("cron(0 0 1 13 ? *)", "month must be 1 to 12"),
        ("cron(0 0 ? * 8 *)", "day of week must be 1 to 7"),
        ("cron(0 0 ? * 2#6 *)", "day of week must be 1 to 7"),
        ("cron(0 0 1 1 ? 1969)", "year must be 1970 to 2199"),
        ("cron(5-1 0 * * ? *)", "minutes must be 0 to 59"),
        ("cron(0/0 0 * * ? *)", "minutes must be 0 to 59"),
        ("at(2026-07-01 08:30)", "must be at(yyyy-mm-ddThh:mm:ss)"),
    ] {
        let error = text.parse::<Expression>().unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn the_next_time_is_later_and_fits_and_none_between_fits(
        minute in 0_u32..60, hour in 0_u32..24, seconds in 0_i64..400_000_000, zone in 0_usize..4,
    ) {
        let zone = [Tz::UTC, Tz::Europe__Paris, Tz::America__New_York, Tz::Australia__Lord_Howe][zone];
        let expression: Expression = format!("cron({minute} {hour} * * ? *)").parse().unwrap();
        let after = utc("2020-01-01T00:00:00") + chrono::Duration::seconds(seconds);
        let next = expression.next_after(after, zone).unwrap();
        prop_assert!(next > after);
        let local = next.with_timezone(&zone);
        prop_assert_eq!((local.hour(), local.minute(), local.second()), (hour, minute, 0));
        // A day without it is one whose clock jumps over it, or whose second one was due already.
        let days = local.date_naive().num_days_from_ce() - after.with_timezone(&zone).date_naive().num_days_from_ce();
        prop_assert!((0..=2).contains(&days), "{} days on", days);
        prop_assert_eq!(expression.next_after(next - chrono::Duration::seconds(1), zone), Some(next));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(rate|cron|at)\\([0-9A-Z*?/#,LW -]{0,30}\\)") {
        if let Ok(expression) = text.parse::<Expression>() {
            let after = utc("2026-01-01T00:00:00");
            prop_assert!(expression.next_after(after, Tz::Europe__Paris).is_none_or(|next| next > after));
        }
    }
}
