//! What the function is asked for.

use chrono::NaiveDate;
use millrace_store_mysql::archive::Month;
use serde::Deserialize;

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To archive every closed day, or those up to a day.
    Archive {
        /// The last day.
        through: Option<NaiveDate>,
    },
    /// To drop the partition of a month.
    Drop {
        /// The month.
        month: Month,
    },
}

/// An event that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is no JSON object, or has other fields.
    #[error("expected {{\"task\":\"archive\"}} or {{\"task\":\"drop\",\"month\":\"YYYY-MM\"}}: {0}")]
    Event(String),
    /// A field is wrong.
    #[error("{field}: expected {expected}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    task: Option<String>,
    through: Option<String>,
    month: Option<String>,
}

impl Request {
    /// Reads an event; `{}` asks to archive.
    ///
    /// # Errors
    /// Names what was wrong with it.
    pub fn parse(event: &str) -> Result<Self, Malformed> {
        let malformed = |field, expected| Malformed::Field { field, expected };
        let event: Event = serde_json::from_str(event).map_err(|error| Malformed::Event(error.to_string()))?;
        match event.task.as_deref() {
            None | Some("archive") => {
                if event.month.is_some() {
                    return Err(malformed("task", "drop, as a month is named"));
                }
                let through = event.through.map(|day| day.parse()).transpose();
                Ok(Self::Archive { through: through.map_err(|_| malformed("through", "a day as YYYY-MM-DD"))? })
            }
            Some("drop") => {
                if event.through.is_some() {
                    return Err(malformed("through", "nothing: a month is dropped whole"));
                }
                let month = event.month.as_deref().and_then(Month::parse);
                Ok(Self::Drop { month: month.ok_or(malformed("month", "a month as YYYY-MM, such as 2026-03"))? })
            }
            Some(_) => Err(malformed("task", "archive or drop")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_schedule_a_day_and_a_month_are_told_apart() {
        let all = Request::Archive { through: None };
        assert_eq!([Request::parse("{}"), Request::parse(r#"{"task":"archive"}"#)], [Ok(all), Ok(all)]);
        let through = NaiveDate::from_ymd_opt(2026, 3, 1);
        assert_eq!(Request::parse(r#"{"through":"2026-03-01"}"#), Ok(Request::Archive { through }));
        let month = Month::parse("2026-03").unwrap();
        assert_eq!(Request::parse(r#"{"task":"drop","month":"2026-03"}"#), Ok(Request::Drop { month }));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |event| Request::parse(event).unwrap_err().to_string();
        assert_eq!(wrong(r#"{"task":"drop"}"#), "month: expected a month as YYYY-MM, such as 2026-03");
        assert_eq!(wrong(r#"{"task":"drop","month":"2026-3"}"#), "month: expected a month as YYYY-MM, such as 2026-03");
        assert_eq!(wrong(r#"{"task":"burn"}"#), "task: expected archive or drop");
        assert_eq!(wrong(r#"{"through":"today"}"#), "through: expected a day as YYYY-MM-DD");
        assert!(wrong(r#"{"day":"2026-03-01"}"#).contains("day"));
    }
}
