//! What a fold changes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlConnection, Row as _};

use super::calls::{Call, CallKey, CallRow, CallsChange};
use super::rows::{CALLS, CHARGES, CYCLES, ChargeRow, CycleRow, HOURS, HourRow};
use crate::fault::StoreError;
use crate::insert;

/// An hour, a service and a cell.
pub(super) type HourKey = (DateTime<Utc>, u8, String);

/// What is added to an hour's sums. Re-rating can take from them.
#[derive(Default)]
pub(super) struct HourChange {
    pub(super) events: u64,
    pub(super) usage: Decimal,
    pub(super) amount: Decimal,
    pub(super) unrated: i64,
}

/// A cycle (YYYYMM) and an account.
pub(super) type CycleKey = (u32, u32);

/// A charge on the invoice that carries it.
pub(super) struct Billed {
    pub(super) amount: Decimal,
    pub(super) key: CycleKey,
}

/// What re-rating changed of an event.
pub(super) struct Adjustment {
    hour: HourKey,
    old: Option<Decimal>,
    new: Option<Decimal>,
    billed_old: Option<Billed>,
    billed_new: Option<Billed>,
    /// Whether another invoice carries the charge, or that of another account.
    moved: bool,
    /// The difference, when the charge was invoiced before.
    credit: Option<Billed>,
    event_seq: Option<u64>,
    /// The call that the event is, if it is one.
    call: Option<Call>,
}

impl Adjustment {
    pub(super) fn read(row: &MySqlRow) -> Result<Self, StoreError> {
        let (old, new) = (row.try_get("old_amount")?, row.try_get("new_amount")?);
        let old_invoice = (row.try_get("old_bill_cycle")?, row.try_get("old_account_no")?);
        let new_invoice = (row.try_get("new_bill_cycle")?, row.try_get("new_account_no")?);
        let credit = (row.try_get("credit_cycle")?, row.try_get("credit_account_no")?);
        Ok(Self {
            hour: hour(row)?,
            old,
            new,
            billed_old: billed(old, old_invoice),
            billed_new: billed(new, new_invoice),
            moved: old_invoice != new_invoice,
            credit: billed(row.try_get("difference")?, credit),
            event_seq: row.try_get("event_seq")?,
            call: Call::read(row)?,
        })
    }
}

fn hour(row: &MySqlRow) -> Result<HourKey, StoreError> {
    let started_at: DateTime<Utc> = row.try_get("started_at")?;
    let hour = started_at
        .duration_trunc(TimeDelta::hours(1))
        .map_err(|_| StoreError::Stored(format!("an event began at {started_at}")))?;
    Ok((hour, row.try_get("service")?, row.try_get("cell")?))
}

/// An amount on the invoice of a cycle (YYYYMM) and an account, where there is one.
fn billed(amount: Option<Decimal>, (cycle, account_no): (Option<u32>, Option<u32>)) -> Option<Billed> {
    Some(Billed { amount: amount?, key: (cycle?, account_no?) })
}

/// What a fold changes.
pub(super) struct Changes {
    timezone: Tz,
    hours: BTreeMap<HourKey, HourChange>,
    cycles: BTreeMap<CycleKey, Decimal>,
    calls: BTreeMap<CallKey, CallsChange>,
    /// The cycles of new invoices.
    pub(super) invoiced: BTreeSet<u32>,
}

impl Changes {
    /// None yet. The operator's time zone says when a call was.
    pub(super) fn new(timezone: Tz) -> Self {
        Self {
            timezone,
            hours: BTreeMap::new(),
            cycles: BTreeMap::new(),
            calls: BTreeMap::new(),
            invoiced: BTreeSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.cycles.is_empty() && self.calls.is_empty() && self.invoiced.is_empty()
    }

    /// Adds an event to its customer's usage, if it is a call that has its charge.
    pub(super) fn add_call(&mut self, row: &MySqlRow) -> Result<(), StoreError> {
        let invoice = (row.try_get("bill_cycle")?, row.try_get("account_no")?);
        if let (Some(call), Some(billed)) = (Call::read(row)?, billed(row.try_get("amount")?, invoice)) {
            self.call(&call, &billed, 1);
        }
        Ok(())
    }

    fn call(&mut self, call: &Call, billed: &Billed, sign: i8) {
        let (cycle, account_no) = billed.key;
        self.calls.entry((cycle, account_no, call.period(self.timezone))).or_default().add(call, billed.amount, sign);
    }

    pub(super) fn add(&mut self, row: &MySqlRow) -> Result<(), StoreError> {
        let amount: Option<Decimal> = row.try_get("amount")?;
        let usage: u64 = row.try_get("usage_amount")?;
        let change = self.hours.entry(hour(row)?).or_default();
        change.events += 1;
        change.usage += Decimal::from(usage);
        change.amount += amount.unwrap_or_default();
        change.unrated += i64::from(amount.is_none());
        let invoice = (row.try_get("bill_cycle")?, row.try_get("account_no")?);
        self.bill(billed(amount, invoice).as_ref(), Decimal::ONE);
        Ok(())
    }

    fn bill(&mut self, billed: Option<&Billed>, sign: Decimal) {
        if let Some(Billed { amount, key }) = billed {
            *self.cycles.entry(*key).or_default() += amount * sign;
        }
    }

    /// Events were folded before up to the number `folded`, and calls up to `calls`.
    pub(super) fn adjust(&mut self, adjustment: &Adjustment, folded: u64, calls: u64) {
        // What the event's row said gives way to what it says now. Of an event that is gone nothing can be told.
        if let Some(call) = adjustment.call.as_ref().filter(|_| adjustment.event_seq.is_some_and(|seq| seq <= calls)) {
            for (billed, sign) in [(&adjustment.billed_old, -1), (&adjustment.billed_new, 1)] {
                if let Some(billed) = billed {
                    self.call(call, billed, sign);
                }
            }
        }
        // An event that is gone was folded long ago.
        let was_folded = adjustment.event_seq.is_none_or(|seq| seq <= folded);
        if was_folded {
            let change = self.hours.entry(adjustment.hour.clone()).or_default();
            change.amount += adjustment.new.unwrap_or_default() - adjustment.old.unwrap_or_default();
            change.unrated += i64::from(adjustment.new.is_none()) - i64::from(adjustment.old.is_none());
        }
        let (credit, old, new) = (&adjustment.credit, &adjustment.billed_old, &adjustment.billed_new);
        self.bill(credit.as_ref(), Decimal::ONE);
        match (credit.is_some(), was_folded) {
            // The old charge stays on its invoice; the row's new one counts if it is on another.
            (true, true) if adjustment.moved => self.bill(new.as_ref(), Decimal::ONE),
            (true, true) => {}
            // The same, of a row that will be folded with its new charge.
            (true, false) => {
                self.bill(old.as_ref(), Decimal::ONE);
                if !adjustment.moved {
                    self.bill(new.as_ref(), Decimal::NEGATIVE_ONE);
                }
            }
            (false, true) => {
                self.bill(old.as_ref(), Decimal::NEGATIVE_ONE);
                self.bill(new.as_ref(), Decimal::ONE);
            }
            (false, false) => {}
        }
    }

    pub(super) async fn save(&self, connection: &mut MySqlConnection, version: u64) -> Result<(), StoreError> {
        let hours: Vec<HourRow<'_>> = self.hours.iter().map(|(key, change)| HourRow { key, change, version }).collect();
        insert::insert_all(connection, &HOURS, &hours).await?;
        let charges: Vec<ChargeRow> =
            self.cycles.iter().map(|(key, amount)| ChargeRow { key: *key, amount: *amount, version }).collect();
        insert::insert_all(connection, &CHARGES, &charges).await?;
        let calls: Vec<CallRow<'_>> = self.calls.iter().map(|(key, change)| CallRow { key, change, version }).collect();
        insert::insert_all(connection, &CALLS, &calls).await?;
        let cycles: BTreeSet<u32> = self.cycles.keys().map(|(cycle, _)| *cycle).chain(self.invoiced.clone()).collect();
        let cycles: Vec<CycleRow> = cycles.into_iter().map(|cycle| CycleRow { cycle, version }).collect();
        insert::insert_all(connection, &CYCLES, &cycles).await?;
        Ok(())
    }
}
