//! The cycle gate: which cycles are closed, and so which invoice carries a charge.
//!
//! A transaction that gives charges their cycle share-locks the gate; closing a cycle locks its day's row exclusively. So a charge
//! is either committed before its cycle is closed, and billed with it, or it sees that the cycle is closed and goes to the next.

use std::collections::{BTreeMap, HashMap};

use millrace_domain::cycles::Cycle;
use sqlx::{MySqlConnection, Row as _};

use crate::fault::StoreError;
use crate::insert::{Statement, select_by};

/// The gate, share-locked until the transaction ends.
pub(crate) struct Gate {
    /// The latest cycle (YYYYMM) that was closed for any account, by the day on which cycles begin; 0 is none.
    latest_closed: [u32; DAYS],
    /// What is closed, for the accounts that were asked for: cycle (YYYYMM) and whether it is invoiced.
    closed: HashMap<u32, BTreeMap<u32, bool>>,
}

/// Days of the month on which cycles begin, and one that is never asked for.
const DAYS: usize = 29;

static CLOSED: Statement =
    Statement::new("SELECT account_no, cycle, invoiced FROM closed_cycles WHERE account_no IN (", "?", ")");

impl Gate {
    /// Locks it. Waits while a cycle is being closed.
    pub(crate) async fn lock(connection: &mut MySqlConnection) -> Result<Self, StoreError> {
        let rows = sqlx::query("SELECT cycle_day, latest_closed FROM cycle_gates LOCK IN SHARE MODE")
            .fetch_all(connection)
            .await?;
        let mut latest_closed = [0; DAYS];
        for row in rows {
            let day: u8 = row.try_get(0)?;
            if let Some(latest) = latest_closed.get_mut(usize::from(day)) {
                *latest = row.try_get(1)?;
            }
        }
        Ok(Self { latest_closed, closed: HashMap::new() })
    }

    /// Whether a cycle may be closed for accounts whose cycles begin on `cycle_day`: only then [`Gate::read_closed`] is needed
    /// before [`Gate::bill_cycle`].
    pub(crate) fn may_be_closed(&self, cycle_day: u8, cycle: Cycle) -> bool {
        self.latest_closed.get(usize::from(cycle_day)).is_none_or(|latest| cycle.code() <= *latest)
    }

    /// Reads what is closed for accounts, once in the transaction.
    pub(crate) async fn read_closed(
        &mut self,
        connection: &mut MySqlConnection,
        accounts: Vec<u32>,
    ) -> Result<(), StoreError> {
        let mut missing = accounts;
        missing.retain(|account_no| !self.closed.contains_key(account_no));
        missing.sort_unstable();
        missing.dedup();
        self.closed.extend(missing.iter().map(|account_no| (*account_no, BTreeMap::new())));
        for row in select_by(connection, &CLOSED, missing.into_iter()).await? {
            let cycles = self.closed.entry(row.try_get(0)?).or_default();
            cycles.insert(row.try_get(1)?, row.try_get(2)?);
        }
        Ok(())
    }

    /// Whether a cycle is closed for an account.
    pub(crate) fn is_closed(&self, account_no: u32, cycle: u32) -> bool {
        self.closed.get(&account_no).is_some_and(|cycles| cycles.contains_key(&cycle))
    }

    /// Whether a cycle (YYYYMM) of an account is invoiced.
    pub(crate) fn is_invoiced(&self, account_no: u32, cycle: u32) -> bool {
        self.closed.get(&account_no).and_then(|cycles| cycles.get(&cycle)).copied().unwrap_or(false)
    }

    /// The cycle whose invoice carries a charge: its own, or the account's next open one after it when that is closed.
    pub(crate) fn bill_cycle(&self, account_no: u32, own: Cycle) -> Cycle {
        let mut cycle = own;
        while self.is_closed(account_no, cycle.code()) {
            cycle = cycle.next();
        }
        cycle
    }
}
