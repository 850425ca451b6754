//! Charges whose own cycle was closed when they were first rated, by the cycle that bills them.

use chrono::{DateTime, Utc};
use sqlx::mysql::MySqlArguments;
use uuid::Uuid;

use crate::insert::{self, Statement, add};

/// A late charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LateCharge {
    /// The cycle (YYYYMM) whose invoice carries it.
    pub(crate) bill_cycle: u32,
    /// The account.
    pub(crate) account_no: u32,
    /// The event's identity.
    pub(crate) started_at: DateTime<Utc>,
    /// The event's identity.
    pub(crate) event_id: Uuid,
    /// The cycle (YYYYMM) in which it started.
    pub(crate) own_cycle: u32,
}

pub(crate) static INSERT: Statement = Statement::new(
    "INSERT INTO late_charges (bill_cycle, account_no, started_at, event_id, own_cycle) VALUES ",
    "(?,?,?,?,?)",
    "",
);

impl insert::Row for LateCharge {
    const COLUMNS: usize = 5;
    const BYTES: usize = 48;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.bill_cycle)?;
        add(arguments, self.account_no)?;
        add(arguments, self.started_at.naive_utc())?;
        add(arguments, self.event_id.as_bytes().as_slice())?;
        add(arguments, self.own_cycle)
    }
}
