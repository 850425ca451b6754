//! Issuing the invoices of a closed cycle.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Instant;

use chrono::{DateTime, Datelike, Utc};
use futures::{Stream, StreamExt};
use millrace_domain::billing::{self as rules, Charges, Issuance, UsageSum};
use millrace_domain::cycles::Cycle;
use millrace_domain::reference::Operator;
use millrace_domain::time::cut_to_millis;
use rust_decimal::Decimal;
use sqlx::mysql::MySqlRow;
use sqlx::{Connection, Executor, MySqlPool};

use super::due::{self, ByAccount};
use super::rows::InvoiceRow;
use super::turn::{hold, retried};
use super::{BillingError, numbers, write};
use crate::fault::StoreError;
use crate::insert::{self, Statement};

/// Accounts whose invoices one transaction issues.
const ACCOUNTS: usize = 100;

/// Accounts for which a cycle is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Those whose invoice was issued, or which have nothing to bill.
    pub done: u64,
    /// All of them.
    pub all: u64,
}

/// What was issued.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invoiced {
    /// Invoices and credit notes.
    pub invoices: u64,
    /// Accounts that had nothing to bill.
    pub without: u64,
    /// The first number, if there is one.
    pub first: Option<String>,
    /// The last one.
    pub last: Option<String>,
    /// The sums of what was issued.
    pub net: Decimal,
    /// Tax.
    pub tax: Decimal,
    /// Net and tax.
    pub total: Decimal,
    /// Whether every account is done: not when the time was up before.
    pub finished: bool,
}

/// Issues the invoices of a closed cycle, in the order of the accounts' ids, until `until`. `clock` says when each is issued.
///
/// # Errors
/// When the database cannot do it, or `holder` has not the lease. What was issued stays, and the same call goes on from there.
pub async fn invoice(
    pool: &MySqlPool,
    holder: &str,
    operator: &Operator,
    cycle: Cycle,
    clock: fn() -> DateTime<Utc>,
    until: Instant,
) -> Result<Invoiced, BillingError> {
    let mut issued = Invoiced { finished: true, ..Invoiced::default() };
    // A connection of its own, which ends with the run: one snapshot, and the sums are read from it little by little.
    let mut reader = pool.acquire().await?.detach();
    reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
    reader.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await?;
    let pending = due::pending(&mut reader, cycle).await?;
    if !pending.is_empty() {
        let places = pending.iter().zip(0..).map(|(account_no, place)| (*account_no, place)).collect();
        let mut sums = Sums { rows: Box::pin(due::usage(&mut reader, cycle)), places, next: None };
        for (n, accounts) in pending.chunks(ACCOUNTS).enumerate() {
            if Instant::now() >= until {
                issued.finished = false;
                break;
            }
            let usage = sums.until(n * ACCOUNTS + accounts.len()).await?;
            let run = Run { pool, holder, operator, cycle, clock };
            let part = retried("issuing invoices", async || run.issue(accounts, &usage).await).await?;
            issued.add(part);
        }
    }
    reader.close().await?;
    Ok(issued)
}

impl Invoiced {
    fn add(&mut self, part: Self) {
        self.invoices += part.invoices;
        self.without += part.without;
        self.first = self.first.take().or(part.first);
        self.last = part.last.or(self.last.take());
        self.net += part.net;
        self.tax += part.tax;
        self.total += part.total;
    }
}

/// The sums of usage as they come, in the order of the accounts.
struct Sums<'a> {
    rows: Pin<Box<dyn Stream<Item = Result<MySqlRow, sqlx::Error>> + Send + 'a>>,
    /// The place of each account in that order.
    places: HashMap<u32, usize>,
    /// A sum that belongs to a later account.
    next: Option<(usize, u32, UsageSum)>,
}

impl Sums<'_> {
    /// The sums of the accounts before `place`.
    async fn until(&mut self, place: usize) -> Result<ByAccount<UsageSum>, StoreError> {
        let mut sums: ByAccount<UsageSum> = HashMap::new();
        loop {
            let (at, account_no, sum) = match self.next.take() {
                Some(next) => next,
                None => {
                    let Some(row) = self.rows.next().await else { return Ok(sums) };
                    let (account_no, sum) = due::usage_sum(&row?)?;
                    let at = self.places.get(&account_no).copied().ok_or_else(|| {
                        StoreError::Stored(format!("the account number {account_no} is not among those to bill"))
                    })?;
                    (at, account_no, sum)
                }
            };
            if at >= place {
                self.next = Some((at, account_no, sum));
                return Ok(sums);
            }
            sums.entry(account_no).or_default().push(sum);
        }
    }
}

/// What every transaction of a run needs.
struct Run<'a> {
    pool: &'a MySqlPool,
    holder: &'a str,
    operator: &'a Operator,
    cycle: Cycle,
    clock: fn() -> DateTime<Utc>,
}

static DONE: Statement =
    Statement::new("UPDATE closed_cycles SET invoiced = TRUE WHERE (account_no, cycle) IN (", "(?,?)", ")");

impl Run<'_> {
    /// One transaction: the invoices of some accounts, in their order.
    async fn issue(&self, accounts: &[u32], usage: &ByAccount<UsageSum>) -> Result<Invoiced, BillingError> {
        let mut transaction = self.pool.begin().await?;
        hold(&mut transaction, self.holder).await?;
        let mut billed = due::lock(&mut transaction, self.cycle, accounts).await?;
        let mut fees = due::fees(&mut transaction, accounts).await?;
        let mut late = due::late(&mut transaction, self.cycle, accounts).await?;
        let mut credits = due::credits(&mut transaction, self.cycle, accounts).await?;

        let mut to_issue = Vec::with_capacity(accounts.len());
        let mut issued = Invoiced::default();
        for account_no in accounts {
            let Some(billed) = billed.remove(account_no) else { continue };
            let mut usage = usage.get(account_no).cloned().unwrap_or_default();
            usage.extend(late.remove(account_no).unwrap_or_default());
            let charges = Charges {
                fees: fees.remove(account_no).unwrap_or_default(),
                usage,
                credits: credits.remove(account_no).unwrap_or_default(),
            };
            let out_of_range = |_| BillingError::OutOfRange { account_id: billed.customer.account_id.clone() };
            let lines = rules::lines(charges, billed.days(self.operator)).map_err(out_of_range)?;
            if lines.is_empty() {
                issued.without += 1;
            } else {
                to_issue.push((*account_no, billed, lines));
            }
        }
        // The number's row is locked last, and the clock read then, so that numbers rise with time.
        let mut rows: Vec<InvoiceRow> = Vec::with_capacity(to_issue.len());
        if !to_issue.is_empty() {
            let (by, mut last) = self.number(&mut transaction).await?;
            let overdue_at =
                by.overdue_at().ok_or_else(|| StoreError::Stored("operator.payment_days is out of range".into()))?;
            for (account_no, billed, lines) in to_issue {
                last += 1;
                let account_id = billed.customer.account_id.clone();
                let invoice = rules::issue(billed, lines, by.number(last), by)
                    .map_err(|_| BillingError::OutOfRange { account_id })?;
                issued.invoices += 1;
                issued.net += invoice.net;
                issued.tax += invoice.tax;
                issued.total += invoice.total;
                rows.push(InvoiceRow { account_no, invoice, overdue_at, cancels: None });
            }
            numbers::take(&mut transaction, by.day().year(), last).await?;
        }
        write::write(&mut transaction, &rows).await?;
        let done = due::in_cycle(accounts, self.cycle);
        insert::execute_by_keys(&mut transaction, &DONE, &done, due::add_account_cycle).await?;
        transaction.commit().await?;
        issued.first = rows.first().map(|row| row.invoice.number.clone());
        issued.last = rows.last().map(|row| row.invoice.number.clone());
        Ok(issued)
    }

    /// The last number that was taken in the current year, locked.
    async fn number(&self, connection: &mut sqlx::MySqlConnection) -> Result<(Issuance<'_>, u32), BillingError> {
        number(connection, self.operator, self.clock).await
    }
}

/// When and where something is issued now, and the last number that was taken in that year, locked until the transaction ends.
pub(super) async fn number<'a>(
    connection: &mut sqlx::MySqlConnection,
    operator: &'a Operator,
    clock: fn() -> DateTime<Utc>,
) -> Result<(Issuance<'a>, u32), BillingError> {
    loop {
        let now = || Issuance { operator, at: cut_to_millis(clock()) };
        let year = now().day().year();
        let last = numbers::lock(connection, year).await?;
        // While the row was waited for a new year may have begun.
        let by = now();
        if by.day().year() == year {
            return Ok((by, last));
        }
    }
}
