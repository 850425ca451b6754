//! What stands behind an invoice's usage and credit lines.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::billing::LineKind;
use crate::cycles::Cycle;
use crate::usage::Service;

/// One event's part in an invoice. Of a kind, number and service, the amounts sum to the lines' exact sums.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemisedCharge {
    /// The kind of line that it is part of: usage, late usage or a credit.
    pub kind: LineKind,
    /// The subscriber's number.
    pub msisdn: String,
    /// When the event began.
    pub started_at: DateTime<Utc>,
    /// What was used.
    pub service: Service,
    /// Where to; empty for data.
    pub destination: String,
    /// The radio cell it began in; may be empty.
    pub cell: String,
    /// Whether the subscriber was on another operator's network.
    pub roaming: bool,
    /// Seconds, messages or bytes.
    pub usage: u64,
    /// The zone that the event is summed under; as it is now, when re-rating changed it since.
    pub zone: String,
    /// What the invoice charges for it; of a credit, the difference. With up to 4 decimals.
    pub amount: Decimal,
    /// The closed cycle that late usage and credits belong to.
    pub own_cycle: Option<Cycle>,
    /// The event's id.
    pub event_id: Uuid,
}
