//! What the function is asked for.

use chrono::{DateTime, Utc};
use millrace_domain::cycles::Cycle;
use serde::Deserialize;

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// The schedule's.
    Schedule,
    /// To close and bill a cycle.
    Cycle {
        /// Which one.
        cycle: Cycle,
        /// By when it must have ended; `None` is now.
        as_of: Option<DateTime<Utc>>,
    },
}

/// An event that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is no JSON object, or has other fields.
    #[error("expected {{}} or {{\"cycle\":\"YYYY-MM\",\"as_of\":\"…\"}}: {0}")]
    Event(String),
    /// A field is wrong.
    #[error("{field}: {reason}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What was expected.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    cycle: Option<String>,
    as_of: Option<String>,
}

impl Request {
    /// Reads an event.
    ///
    /// # Errors
    /// Names what was wrong with it.
    pub fn parse(event: &str) -> Result<Self, Malformed> {
        let event: Event = serde_json::from_str(event).map_err(|error| Malformed::Event(error.to_string()))?;
        let Some(cycle) = event.cycle else {
            return match event.as_of {
                None => Ok(Self::Schedule),
                Some(_) => Err(Malformed::Field { field: "cycle", reason: "is missing".into() }),
            };
        };
        let cycle =
            Cycle::parse(&cycle).map_err(|error| Malformed::Field { field: "cycle", reason: error.to_string() })?;
        let as_of = event.as_of.map(|text| DateTime::parse_from_rfc3339(&text)).transpose();
        let as_of = as_of.map_err(|_| Malformed::Field {
            field: "as_of",
            reason: "expected a time as RFC 3339, such as 2026-04-01T00:00:00Z".into(),
        })?;
        Ok(Self::Cycle { cycle, as_of: as_of.map(|at| at.to_utc()) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_schedule_and_a_cycle_are_told_apart() {
        let cycle = Cycle::parse("2026-03").unwrap();
        assert_eq!(Request::parse("{}").unwrap(), Request::Schedule);
        assert_eq!(Request::parse(r#"{"cycle":"2026-03"}"#).unwrap(), Request::Cycle { cycle, as_of: None });
        let asked = Request::parse(r#"{"cycle":"2026-03","as_of":"2026-04-02T01:00:00+01:00"}"#).unwrap();
        assert_eq!(asked, Request::Cycle { cycle, as_of: Some("2026-04-02T00:00:00Z".parse().unwrap()) });
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |event| Request::parse(event).unwrap_err().to_string();
        assert_eq!(wrong(r#"{"cycle":"2026-3"}"#), "cycle: expected a cycle as YYYY-MM, such as 2026-03");
        assert!(wrong(r#"{"cycle":"2026-03","as_of":"tomorrow"}"#).starts_with("as_of: expected a time"));
        assert_eq!(wrong(r#"{"as_of":"2026-04-02T00:00:00Z"}"#), "cycle: is missing");
        assert!(wrong(r#"{"month":"2026-03"}"#).contains("month"));
    }
}
