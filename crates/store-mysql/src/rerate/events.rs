//! Stored events with their charge: read, and written again.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use millrace_domain::identity::{CellId, Destination, Msisdn};
use millrace_domain::usage::UsageEvent;
use rust_decimal::Decimal;
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{MySqlConnection, Row as _};
use uuid::Uuid;

use super::transaction::EventKey;
use crate::charging::Charge;
use crate::fault::StoreError;
use crate::insert::{self, Statement, add};
use crate::usage::{self, service_code, service_of};

/// An event as it is stored.
pub(super) struct StoredEvent {
    pub(super) seq: u64,
    pub(super) event: UsageEvent,
    pub(super) account_no: Option<u32>,
    pub(super) tariff_no: Option<u32>,
    pub(super) zone: String,
    pub(super) amount: Option<Decimal>,
    pub(super) currency: Option<String>,
    pub(super) rating_error: String,
    pub(super) bill_cycle: Option<u32>,
    pub(super) allowance_used: u64,
}

static SELECT: Statement = Statement::new(
    "SELECT started_at, event_id, seq, service, subscriber, destination, usage_amount, cell, roaming, account_no, tariff_no, zone, \
            amount, currency, rating_error, bill_cycle, allowance_used \
     FROM usage_events WHERE (started_at, event_id) IN (",
    "(?,?)",
    ")",
);

static CYCLE_DAYS: Statement =
    Statement::new("SELECT account_no, cycle_day FROM accounts WHERE account_no IN (", "?", ")");

/// The events of some keys, in the order in which they were stored. Nobody else changes them: rating only adds events, and
/// re-rating holds its lease.
pub(super) async fn read(connection: &mut MySqlConnection, keys: &[EventKey]) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = insert::select_by_keys(connection, &SELECT, keys, |arguments, key| {
        add(arguments, key.started_at.naive_utc())?;
        add(arguments, key.event_id.as_slice())
    })
    .await?;
    let mut events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
    events.sort_unstable_by_key(|event| event.seq);
    Ok(events)
}

fn event(row: &MySqlRow) -> Result<StoredEvent, StoreError> {
    let malformed = |column: &str| StoreError::Stored(format!("usage_events.{column} cannot be read back"));
    let some = |text: &'static str| Ok::<_, sqlx::Error>(Some(row.try_get::<&str, _>(text)?).filter(|t| !t.is_empty()));
    Ok(StoredEvent {
        seq: row.try_get("seq")?,
        event: UsageEvent {
            event_id: Uuid::from_slice(row.try_get("event_id")?).map_err(|_| malformed("event_id"))?,
            service: service_of(row.try_get("service")?).ok_or_else(|| malformed("service"))?,
            subscriber: Msisdn::parse(row.try_get("subscriber")?).map_err(|_| malformed("subscriber"))?,
            destination: some("destination")?
                .map(Destination::parse)
                .transpose()
                .map_err(|_| malformed("destination"))?,
            started_at: row.try_get("started_at")?,
            usage: row.try_get("usage_amount")?,
            cell: some("cell")?.map(CellId::parse).transpose().map_err(|_| malformed("cell"))?,
            roaming: row.try_get("roaming")?,
        },
        account_no: row.try_get("account_no")?,
        tariff_no: row.try_get("tariff_no")?,
        zone: row.try_get("zone")?,
        amount: row.try_get("amount")?,
        currency: row.try_get("currency")?,
        rating_error: row.try_get("rating_error")?,
        bill_cycle: row.try_get("bill_cycle")?,
        allowance_used: row.try_get("allowance_used")?,
    })
}

/// The days on which the cycles of some accounts begin.
pub(super) async fn cycle_days(
    connection: &mut MySqlConnection,
    mut accounts: Vec<u32>,
) -> Result<HashMap<u32, u8>, StoreError> {
    accounts.sort_unstable();
    accounts.dedup();
    let rows = insert::select_by(connection, &CYCLE_DAYS, accounts.into_iter()).await?;
    Ok(rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?)
}

/// A row that says its new charge.
pub(super) struct Rewritten<'a> {
    pub(super) old: &'a StoredEvent,
    pub(super) charge: Charge,
    pub(super) bill_cycle: Option<u32>,
}

/// Writes rows again. As an update of many rows by their keys, each with values of its own, it is one statement where plain
/// updates would be one for each; the rows are there, so nothing is ever inserted.
pub(super) static REWRITE: Statement = Statement::new(
    "INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, \
     account_no, tariff_no, zone, amount, currency, rating_error, bill_cycle, allowance_used, seq) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE account_no = VALUES(account_no), tariff_no = VALUES(tariff_no), zone = VALUES(zone), \
     amount = VALUES(amount), currency = VALUES(currency), rating_error = VALUES(rating_error), \
     bill_cycle = VALUES(bill_cycle), allowance_used = VALUES(allowance_used)",
);

impl insert::Row for Rewritten<'_> {
    const COLUMNS: usize = usage::COLUMNS + 1;
    const BYTES: usize = usage::BYTES + 8;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        usage::add_columns(arguments, &self.old.event, &self.charge, self.bill_cycle)?;
        add(arguments, self.old.seq)
    }
}

/// What re-rating did to one event's charge.
pub(super) struct Adjustment<'a> {
    pub(super) run_id: u32,
    pub(super) old: &'a StoredEvent,
    pub(super) new_account_no: Option<u32>,
    pub(super) new_bill_cycle: Option<u32>,
    pub(super) new_amount: Option<Decimal>,
    pub(super) credit: Option<Credit>,
    /// The cycle (YYYYMM) that it corrects.
    pub(super) own_cycle: Option<u32>,
    pub(super) difference: Decimal,
}

/// The invoice that carries a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Credit {
    pub(super) account_no: u32,
    /// YYYYMM.
    pub(super) cycle: u32,
}

pub(super) static ADJUST: Statement = Statement::new(
    "INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, old_account_no, \
     old_bill_cycle, old_amount, new_account_no, new_bill_cycle, new_amount, credit_account_no, credit_cycle, own_cycle, \
     difference) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "",
);

impl insert::Row for Adjustment<'_> {
    const COLUMNS: usize = 17;
    const BYTES: usize = 180;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let event = &self.old.event;
        let started_at: DateTime<Utc> = event.started_at;
        add(arguments, self.run_id)?;
        add(arguments, started_at.naive_utc())?;
        add(arguments, event.event_id.as_bytes().as_slice())?;
        add(arguments, service_code(event.service))?;
        add(arguments, event.subscriber.as_str())?;
        add(arguments, event.cell.as_ref().map_or("", |cell| cell.as_str()))?;
        add(arguments, event.usage)?;
        add(arguments, self.old.account_no)?;
        add(arguments, self.old.bill_cycle)?;
        add(arguments, self.old.amount)?;
        add(arguments, self.new_account_no)?;
        add(arguments, self.new_bill_cycle)?;
        add(arguments, self.new_amount)?;
        add(arguments, self.credit.map(|credit| credit.account_no))?;
        add(arguments, self.credit.map(|credit| credit.cycle))?;
        add(arguments, self.own_cycle)?;
        add(arguments, self.difference)
    }
}
