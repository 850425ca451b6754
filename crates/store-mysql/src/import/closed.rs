//! What closed cycles, and charges that were stored, keep from being changed.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use millrace_domain::cycles::Cycle;
use millrace_domain::time::local_day;
use sqlx::{MySqlConnection, Row as _};

use crate::fault::StoreError;
use crate::insert::{Statement, select_by};

/// The closed cycles of some accounts.
pub(super) struct ClosedCycles(HashMap<u32, Vec<ClosedCycle>>);

/// A closed cycle of an account, by its days (operator's time zone).
struct ClosedCycle {
    cycle: Cycle,
    first: NaiveDate,
    /// The first day after it.
    end: NaiveDate,
}

/// Days from the first until the second, exclusive; without a second they have no end.
pub(super) type Days = (NaiveDate, Option<NaiveDate>);

static CLOSED: Statement = Statement::new(
    "SELECT account_no, cycle, starts_at, ends_at FROM closed_cycles WHERE account_no IN (",
    "?",
    ") ORDER BY account_no, cycle",
);

impl ClosedCycles {
    /// Reads them for `accounts`. The gate was locked before, so that none is closed until the import has ended.
    pub(super) async fn read(
        connection: &mut MySqlConnection,
        accounts: impl Iterator<Item = u32>,
        timezone: Tz,
    ) -> Result<Self, StoreError> {
        let mut found: HashMap<u32, Vec<ClosedCycle>> = HashMap::new();
        for row in select_by(connection, &CLOSED, accounts).await? {
            let code: u32 = row.try_get(1)?;
            let day = |column| Ok::<_, sqlx::Error>(local_day(row.try_get::<DateTime<Utc>, _>(column)?, timezone));
            found.entry(row.try_get(0)?).or_default().push(ClosedCycle {
                cycle: cycle(code)?,
                first: day(2)?,
                end: day(3)?,
            });
        }
        Ok(Self(found))
    }

    /// The latest closed cycle of an account.
    pub(super) fn latest(&self, account_no: u32) -> Option<Cycle> {
        self.0.get(&account_no)?.iter().map(|closed| closed.cycle).max()
    }

    /// The first closed cycle of an account that some of the days belong to.
    pub(super) fn touched(&self, account_no: u32, (from, to): Days) -> Option<Cycle> {
        let closed = self.0.get(&account_no)?;
        let touched = closed.iter().filter(|closed| from < closed.end && to.is_none_or(|to| closed.first < to));
        touched.map(|closed| closed.cycle).min()
    }
}

/// A cycle by its stored number.
fn cycle(code: u32) -> Result<Cycle, StoreError> {
    Cycle::from_code(code).ok_or_else(|| StoreError::Stored(format!("{code} is no cycle")))
}

/// Locks the gate against the closing of cycles, until the import ends.
pub(super) async fn hold_gate(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT cycle_day FROM cycle_gates LOCK IN SHARE MODE").fetch_all(connection).await?;
    Ok(())
}

/// Locks the gate against everything that gives charges their cycle: waits for the batches in flight, and those that follow wait
/// for the import and price by what it says.
pub(super) async fn close_gate(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT cycle_day FROM cycle_gates FOR UPDATE").fetch_all(connection).await?;
    Ok(())
}

/// The latest cycle that is closed for any account.
pub(super) async fn latest_closed(connection: &mut MySqlConnection) -> Result<Option<Cycle>, StoreError> {
    let row = sqlx::query("SELECT MAX(cycle) FROM closed_cycles").fetch_one(connection).await?;
    row.try_get::<Option<u32>, _>(0)?.map(cycle).transpose()
}

/// Whether a charge was ever stored. The gate is closed.
pub(super) async fn has_charges(connection: &mut MySqlConnection) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM charges_by_cycle) OR EXISTS (\
             SELECT 1 FROM usage_events FORCE INDEX (by_seq) \
             WHERE seq > COALESCE((SELECT w.seq FROM cache_watermarks w WHERE w.topic = 'usage-events'), 0) \
             AND bill_cycle IS NOT NULL)",
    )
    .fetch_one(connection)
    .await?;
    Ok(row.try_get::<i64, _>(0)? != 0)
}

static SUMMED: Statement =
    Statement::new("SELECT DISTINCT account_no FROM charges_by_cycle WHERE account_no IN (", "?", ")");

// What the cache has not summed yet.
static NEW: Statement = Statement::new(
    "SELECT DISTINCT account_no FROM usage_events FORCE INDEX (by_seq) \
     WHERE seq > COALESCE((SELECT w.seq FROM cache_watermarks w WHERE w.topic = 'usage-events'), 0) \
     AND bill_cycle IS NOT NULL AND account_no IN (",
    "?",
    ")",
);

static RERATED: Statement = Statement::new(
    "SELECT DISTINCT new_account_no FROM adjustments \
     WHERE seq > COALESCE((SELECT w.seq FROM cache_watermarks w WHERE w.topic = 'adjustments'), 0) \
     AND new_bill_cycle IS NOT NULL AND new_account_no IN (",
    "?",
    ")",
);

/// Those of `accounts` that have charges: in the cache's sums, or in what came since. The gate is closed.
pub(super) async fn charged(connection: &mut MySqlConnection, accounts: &[u32]) -> Result<Vec<u32>, StoreError> {
    let mut charged = Vec::new();
    for statement in [&SUMMED, &NEW, &RERATED] {
        for row in select_by(connection, statement, accounts.iter().copied()).await? {
            charged.push(row.try_get(0)?);
        }
    }
    Ok(charged)
}
