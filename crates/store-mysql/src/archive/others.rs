//! Adjustments and snapshots of customers, as they are archived.

use chrono::{DateTime, Utc};
use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::usage::Service;
use rust_decimal::Decimal;
use sqlx::Row;
use sqlx::mysql::MySqlRow;
use uuid::Uuid;

use super::{Dataset, Month, Stored};
use crate::customers;
use crate::fault::StoreError;
use crate::usage::service_of;

/// What re-rating changed of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedAdjustment {
    /// Its place among all adjustments.
    pub seq: u64,
    /// The run of re-rating.
    pub run_id: u32,
    /// When it was made (UTC).
    pub adjusted_at: DateTime<Utc>,
    /// When the event began (UTC); with its id, its identity.
    pub started_at: DateTime<Utc>,
    /// The event's id.
    pub event_id: Uuid,
    /// What was used.
    pub service: Service,
    /// Who used it.
    pub subscriber: String,
    /// The account before and after.
    pub accounts: [Option<String>; 2],
    /// The cycle (YYYYMM) whose invoice carries the charge, before and after.
    pub bill_cycles: [Option<u32>; 2],
    /// The charge before and after.
    pub amounts: [Option<Decimal>; 2],
    /// The account that gets the difference from what was invoiced.
    pub credit_account_id: Option<String>,
    /// The cycle (YYYYMM) whose invoice carries that difference.
    pub credit_cycle: Option<u32>,
    /// The cycle (YYYYMM) that it corrects.
    pub own_cycle: Option<u32>,
    /// The difference.
    pub difference: Decimal,
}

impl Stored for ArchivedAdjustment {
    const DATASET: Dataset = Dataset::Adjustments;
    const COLUMNS: &'static str = "t.seq, t.run_id, t.adjusted_at, t.started_at, t.event_id, t.service, t.subscriber, \
        o.account_id AS old_account_id, n.account_id AS new_account_id, c.account_id AS credit_account_id, t.old_bill_cycle, \
        t.new_bill_cycle, t.old_amount, t.new_amount, t.credit_cycle, t.own_cycle, t.difference";
    const JOINS: &'static str = "LEFT JOIN accounts o ON o.account_no = t.old_account_no \
        LEFT JOIN accounts n ON n.account_no = t.new_account_no LEFT JOIN accounts c ON c.account_no = t.credit_account_no";

    fn read(row: &MySqlRow) -> Result<Self, StoreError> {
        let malformed = |column: &str| StoreError::Stored(format!("adjustments.{column} cannot be read back"));
        Ok(Self {
            seq: row.try_get("seq")?,
            run_id: row.try_get("run_id")?,
            adjusted_at: row.try_get("adjusted_at")?,
            started_at: row.try_get("started_at")?,
            event_id: Uuid::from_slice(row.try_get("event_id")?).map_err(|_| malformed("event_id"))?,
            service: service_of(row.try_get("service")?).ok_or_else(|| malformed("service"))?,
            subscriber: row.try_get("subscriber")?,
            accounts: [row.try_get("old_account_id")?, row.try_get("new_account_id")?],
            bill_cycles: [row.try_get("old_bill_cycle")?, row.try_get("new_bill_cycle")?],
            amounts: [row.try_get("old_amount")?, row.try_get("new_amount")?],
            credit_account_id: row.try_get("credit_account_id")?,
            credit_cycle: row.try_get("credit_cycle")?,
            own_cycle: row.try_get("own_cycle")?,
            difference: row.try_get("difference")?,
        })
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn month(&self) -> Month {
        Month::of(self.started_at)
    }
}

/// A snapshot of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSnapshot {
    /// Its place among all snapshots.
    pub seq: u64,
    /// When it was stored (UTC).
    pub stored_at: DateTime<Utc>,
    /// What was observed.
    pub snapshot: CustomerSnapshot,
}

impl Stored for StoredSnapshot {
    const DATASET: Dataset = Dataset::Customers;
    const COLUMNS: &'static str = "t.*";
    const JOINS: &'static str = "";

    fn read(row: &MySqlRow) -> Result<Self, StoreError> {
        let (seq, stored_at) = (row.try_get("seq")?, row.try_get("stored_at")?);
        Ok(Self { seq, stored_at, snapshot: customers::snapshot(row)? })
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn month(&self) -> Month {
        Month::of(self.snapshot.observed_at)
    }
}
