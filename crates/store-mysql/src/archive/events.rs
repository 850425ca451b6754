//! Usage events with their charges, as they are archived.

use chrono::{DateTime, Utc};
use millrace_domain::usage::Service;
use rust_decimal::Decimal;
use sqlx::Row;
use sqlx::mysql::MySqlRow;
use uuid::Uuid;

use super::{Dataset, Month, Stored};
use crate::fault::StoreError;
use crate::usage::service_of;

/// An event with its charge.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedEvent {
    /// Its place among all events: the order in which they were stored and allowances were spent.
    pub seq: u64,
    /// When it was stored (UTC).
    pub stored_at: DateTime<Utc>,
    /// The producer's id.
    pub event_id: Uuid,
    /// What was used.
    pub service: Service,
    /// Who used it.
    pub subscriber: String,
    /// Where to; empty for data.
    pub destination: String,
    /// When it began (UTC).
    pub started_at: DateTime<Utc>,
    /// Seconds, messages or bytes.
    pub usage: u64,
    /// The radio cell; may be empty.
    pub cell: String,
    /// Whether on another operator's network.
    pub roaming: bool,
    /// The account that pays, if there is one.
    pub account_id: Option<String>,
    /// Whose account it is: the account's customer, or the account's own id where it names none.
    pub customer_id: Option<String>,
    /// The day on which that account's cycles begin.
    pub cycle_day: Option<u8>,
    /// The number of the tariff version that priced it.
    pub tariff_no: Option<u32>,
    /// The zone; empty while unrated.
    pub zone: String,
    /// The charge, with at most 4 decimals; `None` while unrated.
    pub amount: Option<Decimal>,
    /// ISO 4217 code; `None` while unrated.
    pub currency: Option<String>,
    /// Why there is no charge; empty when there is one.
    pub rating_error: String,
    /// The cycle (YYYYMM) whose invoice carries the charge.
    pub bill_cycle: Option<u32>,
    /// Units that the number's allowance paid for.
    pub allowance_used: u64,
}

impl Stored for ArchivedEvent {
    const DATASET: Dataset = Dataset::UsageEvents;
    const COLUMNS: &'static str = "t.seq, t.stored_at, t.event_id, t.service, t.subscriber, t.destination, t.started_at, \
        t.usage_amount, t.cell, t.roaming, a.account_id, \
        COALESCE(NULLIF(a.customer_id, ''), a.account_id) AS customer_id, a.cycle_day, t.tariff_no, t.zone, t.amount, t.currency, t.rating_error, \
        t.bill_cycle, t.allowance_used";
    const JOINS: &'static str = "LEFT JOIN accounts a ON a.account_no = t.account_no";

    fn read(row: &MySqlRow) -> Result<Self, StoreError> {
        let malformed = |column: &str| StoreError::Stored(format!("usage_events.{column} cannot be read back"));
        Ok(Self {
            seq: row.try_get("seq")?,
            stored_at: row.try_get("stored_at")?,
            event_id: Uuid::from_slice(row.try_get("event_id")?).map_err(|_| malformed("event_id"))?,
            service: service_of(row.try_get("service")?).ok_or_else(|| malformed("service"))?,
            subscriber: row.try_get("subscriber")?,
            destination: row.try_get("destination")?,
            started_at: row.try_get("started_at")?,
            usage: row.try_get("usage_amount")?,
            cell: row.try_get("cell")?,
            roaming: row.try_get("roaming")?,
            account_id: row.try_get("account_id")?,
            customer_id: row.try_get("customer_id")?,
            cycle_day: row.try_get("cycle_day")?,
            tariff_no: row.try_get("tariff_no")?,
            zone: row.try_get("zone")?,
            amount: row.try_get("amount")?,
            currency: row.try_get("currency")?,
            rating_error: row.try_get("rating_error")?,
            bill_cycle: row.try_get("bill_cycle")?,
            allowance_used: row.try_get("allowance_used")?,
        })
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn month(&self) -> Month {
        Month::of(self.started_at)
    }
}
