//! Closes billing cycles and issues their invoices.
//!
//! The schedule invokes it each quarter of an hour with `{}`: at 04:00 on the operator's clock it closes each account's cycle that
//! ended last and has had its hours of grace, and at any time it goes on with what a run that died has left. `{"cycle":"YYYY-MM"}`
//! closes and bills that cycle for every account whose cycle has ended by `as_of`, or by now.

mod request;

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use millrace_domain::cycles::Cycle;
use millrace_domain::reference::Operator;
use millrace_domain::time::local_day;
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::billing::{self, BillingError, Closed};
use millrace_store_mysql::import;
use serde::Serialize;

pub use request::{Malformed, Request};

/// The hour on the operator's clock at which the schedule closes cycles, and how many minutes of it count: the schedule's interval.
const HOUR: u32 = 4;
const MINUTES: u32 = 15;
/// How long a run waits while another one, or a re-rating, is at work.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a run works on.
pub struct Bill {
    /// The record.
    pub pool: MySqlPool,
    /// Who holds the lease while the run goes on: one name for each run.
    pub holder: String,
    /// The clock.
    pub clock: fn() -> DateTime<Utc>,
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Each cycle that was worked on.
    pub cycles: Vec<CycleAnswer>,
    /// Whether all was done; otherwise the same event goes on.
    pub finished: bool,
}

/// What a run did for a cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CycleAnswer {
    /// The cycle, `YYYY-MM`.
    pub cycle: String,
    /// Accounts for which it was closed now.
    pub closed: u64,
    /// Accounts whose cycle has not ended.
    pub not_ended: u64,
    /// Invoices and credit notes issued.
    pub invoices: u64,
    /// Accounts that had nothing to bill.
    pub without_lines: u64,
    /// The first number issued.
    pub first: Option<String>,
    /// The last number issued.
    pub last: Option<String>,
    /// The sum of what was issued, without tax.
    pub net: String,
    /// Its tax.
    pub tax: String,
    /// Net and tax.
    pub total: String,
    /// ISO 4217 code.
    pub currency: String,
}

impl Bill {
    /// Does what `request` asks for, or as much of it as it gets done by `deadline`.
    ///
    /// # Errors
    /// When there is no operator, another run does not end, or the database cannot do it. What was committed stays, and the same
    /// request goes on from there.
    pub async fn run(&self, request: &Request, deadline: Instant) -> Result<Answer, BillingError> {
        let operator = import::stored_operator(&self.pool).await?;
        let Some(operator) = operator else {
            return match request {
                Request::Schedule => Ok(Answer { cycles: Vec::new(), finished: true }),
                Request::Cycle { .. } => Err(BillingError::NoOperator),
            };
        };
        let now = (self.clock)();
        let due = match request {
            Request::Cycle { cycle, as_of } => vec![(*cycle, as_of.unwrap_or(now), None)],
            Request::Schedule => self.scheduled(&operator, now).await?,
        };
        if due.is_empty() {
            return Ok(Answer { cycles: Vec::new(), finished: true });
        }
        loop {
            let patience = deadline.min(Instant::now() + PATIENCE);
            let work = self.in_turn(&operator, &due, deadline);
            match billing::in_turn(&self.pool, &self.holder, patience, work).await {
                // A stall made it miss its turn's end: it takes its turn again and goes on from where it was.
                Err(BillingError::Interrupted) if Instant::now() < deadline => {
                    tracing::warn!("the turn was lost, and is waited for again");
                }
                outcome => return outcome,
            }
        }
    }

    /// The cycles that the schedule works on now: what it closes, and what is closed but not invoiced.
    async fn scheduled(&self, operator: &Operator, now: DateTime<Utc>) -> Result<Vec<Due>, BillingError> {
        let clock = now.with_timezone(&operator.timezone);
        let mut due: Vec<Due> = Vec::new();
        if clock.hour() == HOUR && clock.minute() < MINUTES {
            let as_of = now - TimeDelta::hours(operator.close_after_hours.into());
            for day in billing::cycle_days(&self.pool).await? {
                due.push((Cycle::of(local_day(as_of, operator.timezone), day).previous(), as_of, Some(day)));
            }
        }
        for cycle in billing::unfinished(&self.pool).await? {
            if due.iter().all(|(due, ..)| *due != cycle) {
                due.push((cycle, DateTime::UNIX_EPOCH, Some(0)));
            }
        }
        due.sort();
        Ok(due)
    }

    async fn in_turn(&self, operator: &Operator, due: &[Due], deadline: Instant) -> Result<Answer, BillingError> {
        let mut answer = Answer { cycles: Vec::new(), finished: true };
        for due in due.chunk_by(|a, b| a.0 == b.0) {
            let Some((cycle, ..)) = due.first() else { continue };
            let closed = self.close(operator, *cycle, due).await?;
            let issued = billing::invoice(&self.pool, &self.holder, operator, *cycle, self.clock, deadline).await?;
            tracing::info!(%cycle, closed = closed.accounts, invoices = issued.invoices, finished = issued.finished, "billed");
            answer.finished &= issued.finished;
            answer.cycles.push(CycleAnswer {
                cycle: cycle.to_string(),
                closed: closed.accounts,
                not_ended: closed.not_ended,
                invoices: issued.invoices,
                without_lines: issued.without,
                first: issued.first,
                last: issued.last,
                net: format!("{:.2}", issued.net),
                tax: format!("{:.2}", issued.tax),
                total: format!("{:.2}", issued.total),
                currency: operator.currency.clone(),
            });
        }
        Ok(answer)
    }

    async fn close(&self, operator: &Operator, cycle: Cycle, due: &[Due]) -> Result<Closed, BillingError> {
        let mut all = Closed::default();
        for day in billing::cycle_days(&self.pool).await? {
            let asked = due.iter().find(|(_, _, only)| only.is_none_or(|only| only == day));
            let Some((_, as_of, _)) = asked else { continue };
            let closed = billing::close(&self.pool, &self.holder, (cycle, day), operator.timezone, *as_of).await?;
            all.accounts += closed.accounts;
            all.not_ended += closed.not_ended;
        }
        Ok(all)
    }
}

/// A cycle to bill; by when it must have ended to be closed; and for which cycle day only, if not for all. No account's cycles
/// begin on day 0: nothing is closed.
type Due = (Cycle, DateTime<Utc>, Option<u8>);
