//! Records of `usage-events`.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use millrace_domain::identity::{CellId, Destination, Msisdn};
use millrace_domain::usage::{Service, UsageEvent};

use crate::{Rejection, fields, times};

/// The most that one event may have used.
pub const MAX_USAGE: u64 = 1_000_000_000_000_000;

const NAMES: [&str; 8] = ["event_id", "service", "subscriber", "destination", "started_at", "usage", "cell", "roaming"];

/// What an event is held against besides its own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How much older than its record an event may be.
    pub retention: TimeDelta,
}

impl Default for Limits {
    fn default() -> Self {
        Self { retention: TimeDelta::days(400) }
    }
}

/// Reads an event from a record's value. `record_time` is the broker's.
///
/// # Errors
/// Names the first field, in the order of the topic's description, that is missing or wrong.
pub fn decode(json: &[u8], record_time: DateTime<Utc>, limits: &Limits) -> Result<UsageEvent, Rejection> {
    decode_checked(json, |started_at| {
        times::check_not_ahead("started_at", started_at, record_time)?;
        if record_time.signed_duration_since(started_at) > limits.retention {
            let days = limits.retention.num_days();
            return Err(Rejection::new("started_at", format!("is older than the retention of {days} days")));
        }
        Ok(())
    })
}

/// Reads an event that no broker has seen: its time is not held against a record's.
///
/// # Errors
/// As [`decode`].
pub fn decode_untimed(json: &[u8]) -> Result<UsageEvent, Rejection> {
    decode_checked(json, |_| Ok(()))
}

fn decode_checked(
    json: &[u8],
    check_time: impl FnOnce(DateTime<Utc>) -> Result<(), Rejection>,
) -> Result<UsageEvent, Rejection> {
    let [event_id, service, subscriber, destination, started_at, usage, cell, roaming] = fields::scan(json, &NAMES)?;
    let event_id = fields::text("event_id", fields::required("event_id", event_id)?)?;
    let event_id = Uuid::try_parse(&event_id).map_err(|_| Rejection::new("event_id", "expected a UUID"))?;
    let service = fields::parsed("service", fields::required("service", service)?, Service::parse)?;
    let subscriber = fields::parsed("subscriber", fields::required("subscriber", subscriber)?, Msisdn::parse)?;
    let destination = match service {
        Service::Data => None,
        Service::Voice | Service::Sms => {
            Some(fields::parsed("destination", fields::required("destination", destination)?, Destination::parse)?)
        }
    };
    let started_at = fields::time("started_at", fields::required("started_at", started_at)?)?;
    check_time(started_at)?;
    let usage = fields::integer("usage", fields::required("usage", usage)?, MAX_USAGE)?;
    let cell = cell.map(|cell| fields::parsed("cell", cell, CellId::parse)).transpose()?;
    let roaming = match roaming {
        None => false,
        Some(roaming) => roaming.boolean().ok_or_else(|| Rejection::new("roaming", "expected true or false"))?,
    };
    Ok(UsageEvent { event_id, service, subscriber, destination, started_at, usage, cell, roaming })
}

/// Writes an event as a record's value.
pub fn encode(event: &UsageEvent) -> Vec<u8> {
    let shape = Shape {
        event_id: event.event_id,
        service: event.service.as_str(),
        subscriber: event.subscriber.as_str(),
        destination: event.destination.as_ref().map(Destination::as_str),
        started_at: times::format(event.started_at),
        usage: event.usage,
        cell: event.cell.as_ref().map(CellId::as_str),
        roaming: event.roaming,
    };
    fields::to_json(&shape)
}

#[derive(Serialize)]
struct Shape<'a> {
    event_id: Uuid,
    service: &'a str,
    subscriber: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
    started_at: String,
    usage: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<&'a str>,
    roaming: bool,
}
