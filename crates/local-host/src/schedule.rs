//! EventBridge Scheduler's expressions: `rate(...)`, `cron(...)` and `at(...)`, and when they come due next.

mod cron;
mod runner;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use cron::Cron;
pub(crate) use runner::ScheduleRunner;

/// A schedule's expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// An interval, in seconds.
    Rate(i64),
    Cron(Box<Cron>),
    At(NaiveDateTime),
}

/// An expression that EventBridge Scheduler would refuse: what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExpressionError(pub(crate) String);

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Expression, ExpressionError> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inner("rate") {
            return Ok(Expression(Kind::Rate(parse_rate(rate)?)));
        }
        if let Some(cron) = inner("cron") {
            return Ok(Expression(Kind::Cron(Box::new(cron.parse()?))));
        }
        if let Some(at) = inner("at") {
            let time = NaiveDateTime::parse_from_str(at, "%Y-%m-%dT%H:%M:%S");
            return time
                .map(|time| Expression(Kind::At(time)))
                .map_err(|_| ExpressionError(format!("must be at(yyyy-mm-ddThh:mm:ss), but is at({at})")));
        }
        Err(ExpressionError(format!("must be rate(...), cron(...) or at(...), but is `{text}`")))
    }
}

fn parse_rate(text: &str) -> Result<i64, ExpressionError> {
    let wrong = || {
        ExpressionError(format!("must be rate(1 minute|hour|day) or rate(N minutes|hours|days), but is rate({text})"))
    };
    let (value, unit) = text.split_once(' ').ok_or_else(wrong)?;
    let value: i64 = value.parse().ok().filter(|value| (1..=1_000_000).contains(value)).ok_or_else(wrong)?;
    let seconds = match (value, unit) {
        (1, "minute") => 60,
        (1, "hour") => 3_600,
        (1, "day") => 86_400,
        (2.., "minutes") => 60,
        (2.., "hours") => 3_600,
        (2.., "days") => 86_400,
        _ => return Err(wrong()),
    };
    Ok(value * seconds)
}

impl Expression {
    /// Whether it is due each minute, the most often that there is.
    #[must_use]
    pub fn is_each_minute(&self) -> bool {
        self.0 == Kind::Rate(60)
    }

    /// The first time after `after` at which the expression is due, or `None` when there is none any more.
    ///
    /// A rate is due at whole multiples of its interval since 1970 and not, as on AWS, since the schedule was made: a
    /// laptop's host is started often, and a daily rate would else never come due. A wall-clock time that daylight saving
    /// leaves out is left out, and one that comes twice counts the first time, as Scheduler documents.
    #[must_use]
    pub fn next_after(&self, after: DateTime<Utc>, timezone: Tz) -> Option<DateTime<Utc>> {
        match &self.0 {
            Kind::Rate(seconds) => {
                let next = (after.timestamp().div_euclid(*seconds) + 1).checked_mul(*seconds)?;
                DateTime::from_timestamp(next, 0)
            }
            Kind::At(time) => instant(*time, timezone).filter(|time| *time > after),
            Kind::Cron(cron) => {
                let wall = after.with_timezone(&timezone).naive_local();
                cron.times_from(wall).find_map(|time| instant(time, timezone).filter(|time| *time > after))
            }
        }
    }
}

/// The moment of a wall-clock time: none in a gap, the first of two.
fn instant(time: NaiveDateTime, timezone: Tz) -> Option<DateTime<Utc>> {
    match timezone.from_local_datetime(&time) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.with_timezone(&Utc)),
        LocalResult::None => None,
    }
}
