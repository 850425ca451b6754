//! The rows that a fold writes.

use rust_decimal::Decimal;
use sqlx::mysql::MySqlArguments;

use super::calls::CallRow;
use super::changes::{CycleKey, HourChange, HourKey};
use crate::insert::{Row, Statement, add};

pub(super) static HOURS: Statement = Statement::new(
    "INSERT INTO usage_hourly (hour, service, cell, events, usage_total, amount, unrated, version) VALUES ",
    "(?,?,?,?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE events = events + VALUES(events), usage_total = usage_total + VALUES(usage_total), \
     amount = amount + VALUES(amount), unrated = unrated + VALUES(unrated), version = VALUES(version)",
);

pub(super) struct HourRow<'a> {
    pub(super) key: &'a HourKey,
    pub(super) change: &'a HourChange,
    pub(super) version: u64,
}

impl Row for HourRow<'_> {
    const COLUMNS: usize = 8;
    const BYTES: usize = 80;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let (hour, service, cell) = self.key;
        add(arguments, hour.naive_utc())?;
        add(arguments, *service)?;
        add(arguments, cell.as_str())?;
        add(arguments, self.change.events)?;
        add(arguments, self.change.usage)?;
        add(arguments, self.change.amount)?;
        add(arguments, self.change.unrated)?;
        add(arguments, self.version)
    }
}

pub(super) static CHARGES: Statement = Statement::new(
    "INSERT INTO charges_by_cycle (cycle, account_no, amount, version) VALUES ",
    "(?,?,?,?)",
    " ON DUPLICATE KEY UPDATE amount = amount + VALUES(amount), version = VALUES(version)",
);

pub(super) struct ChargeRow {
    pub(super) key: CycleKey,
    pub(super) amount: Decimal,
    pub(super) version: u64,
}

impl Row for ChargeRow {
    const COLUMNS: usize = 4;
    const BYTES: usize = 40;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.key.0)?;
        add(arguments, self.key.1)?;
        add(arguments, self.amount)?;
        add(arguments, self.version)
    }
}

pub(super) static CYCLES: Statement = Statement::new(
    "INSERT INTO cycle_versions (cycle, version) VALUES ",
    "(?,?)",
    " ON DUPLICATE KEY UPDATE version = VALUES(version)",
);

pub(super) struct CycleRow {
    pub(super) cycle: u32,
    pub(super) version: u64,
}

impl Row for CycleRow {
    const COLUMNS: usize = 2;
    const BYTES: usize = 12;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.cycle)?;
        add(arguments, self.version)
    }
}

pub(super) static CALLS: Statement = Statement::new(
    "INSERT INTO customer_usage (cycle, account_no, period, seconds, calls, charge, version) VALUES ",
    "(?,?,?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE seconds = seconds + VALUES(seconds), calls = calls + VALUES(calls), \
     charge = charge + VALUES(charge), version = VALUES(version)",
);

impl Row for CallRow<'_> {
    const COLUMNS: usize = 7;
    const BYTES: usize = 56;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let (cycle, account_no, period) = self.key;
        add(arguments, *cycle)?;
        add(arguments, *account_no)?;
        add(arguments, *period)?;
        add(arguments, self.change.seconds)?;
        add(arguments, self.change.calls)?;
        add(arguments, self.change.charge)?;
        add(arguments, self.version)
    }
}
