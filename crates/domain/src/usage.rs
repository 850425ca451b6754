//! Usage events: what a subscriber consumed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::identity::{CellId, Destination, Malformed, Msisdn};

/// The service that was used, which also decides the unit of its usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// A call; usage in seconds.
    Voice,
    /// Messages; usage counts them.
    Sms,
    /// A data session; usage in bytes.
    Data,
}

impl Service {
    /// Every service.
    pub const ALL: [Service; 3] = [Service::Voice, Service::Sms, Service::Data];

    /// Reads `voice`, `sms` or `data`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match text {
            "voice" => Ok(Self::Voice),
            "sms" => Ok(Self::Sms),
            "data" => Ok(Self::Data),
            _ => Err(Malformed("expected voice, sms or data".into())),
        }
    }

    /// Its name on topics and in views.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Sms => "sms",
            Self::Data => "data",
        }
    }
}

/// One usage event (CDR). Its identity is `(started_at, event_id)`.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageEvent {
    /// The producer's id of this event.
    pub event_id: Uuid,
    /// What was used.
    pub service: Service,
    /// Who used it.
    pub subscriber: Msisdn,
    /// Where to; `None` for data.
    pub destination: Option<Destination>,
    /// When it began (UTC, cut to the millisecond).
    pub started_at: DateTime<Utc>,
    /// Seconds, messages or bytes, at most 10^15.
    pub usage: u64,
    /// The radio cell it began in.
    pub cell: Option<CellId>,
    /// Whether the subscriber was on another operator's network.
    pub roaming: bool,
}
