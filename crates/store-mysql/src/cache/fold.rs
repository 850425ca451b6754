//! Events, and what re-rating changed of them, become sums by hour and by cycle.
//!
//! An event is folded once, with the charge that its row says then; what was re-rated of it before is in that charge already. So an
//! adjustment counts only if its event was folded before: events and adjustments are read from one snapshot, and adjustments are
//! read to their end before any further event is. They are committed in the order of their numbers, by one writer at a time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rust_decimal::Decimal;
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use super::{Feed, patiently, repeatable_read};
use crate::fault::StoreError;
use crate::insert::{self, Row, Statement, add};

/// Sequence numbers of one transaction: some hundred milliseconds of work, and what is read again after a fault.
const FOLD: u64 = 100_000;
/// Sequence numbers of one statement: its rows are in memory together.
const PAGE: u64 = 20_000;

/// Watermarks beside that of the events.
const ADJUSTMENTS: &str = "adjustments";
const INVOICES: &str = "invoices";

/// Where the sums are after a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    /// Events up to this sequence number are in the sums.
    pub seq: u64,
    /// The version of the sums that were changed last.
    pub version: u64,
    /// Whether the sums hold every event within reach, and every adjustment that was committed by then.
    pub complete: bool,
}

/// Adds the next events, up to `reach` and at most 100,000 of them, and adjustments to the sums: sums and watermarks in one
/// transaction. Notes the cycles of new invoices, too. To be called until the answer is complete.
pub async fn fold(pool: &MySqlPool, reach: u64) -> Result<Folded, StoreError> {
    // Boxed: the transaction is a large state machine, and callers nest it.
    patiently(|| Box::pin(try_fold(pool, reach))).await
}

async fn try_fold(pool: &MySqlPool, reach: u64) -> Result<Folded, StoreError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = repeatable_read(&mut connection).await?;
    let before = Marks::lock(&mut transaction).await?;
    let newest = sqlx::query(
        "SELECT CAST(COALESCE((SELECT MAX(seq) FROM adjustments), 0) AS UNSIGNED), \
                CAST(COALESCE((SELECT MAX(invoice_id) FROM invoices), 0) AS UNSIGNED)",
    )
    .fetch_one(&mut *transaction)
    .await?;
    let (newest_adjustment, invoice): (u64, u64) = (newest.try_get(0)?, newest.try_get(1)?);
    let adjustment = newest_adjustment.min(before.adjustment + FOLD);
    let drained = adjustment == newest_adjustment;
    let event = if drained { reach.min(before.event + FOLD).max(before.event) } else { before.event };

    let mut changes = Changes::default();
    for (after, to) in pages(before.adjustment, adjustment) {
        for row in sqlx::query(ADJUSTED).bind(after).bind(to).fetch_all(&mut *transaction).await? {
            changes.adjust(&Adjustment::read(&row)?, before.event);
        }
    }
    for (after, to) in pages(before.event, event) {
        for row in sqlx::query(EVENTS).bind(after).bind(to).fetch_all(&mut *transaction).await? {
            changes.add(&row)?;
        }
    }
    if invoice > before.invoice {
        for row in sqlx::query(INVOICED).bind(before.invoice).bind(invoice).fetch_all(&mut *transaction).await? {
            changes.invoiced.insert(row.try_get(0)?);
        }
    }
    let version = before.version + u64::from(!changes.is_empty());
    let after = Marks { event, adjustment, invoice, version };
    if after != before {
        changes.save(&mut transaction, version).await?;
        after.save(&mut transaction).await?;
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(Folded { seq: event, version, complete: drained && event >= reach })
}

/// `(from, to]` in pieces.
fn pages(from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut from = from;
    std::iter::from_fn(move || {
        let page = (from, to.min(from + PAGE));
        from = page.1;
        (page.0 < page.1).then_some(page)
    })
}

/// How far the sums are.
#[derive(Clone, Copy, PartialEq)]
struct Marks {
    event: u64,
    adjustment: u64,
    invoice: u64,
    version: u64,
}

impl Marks {
    /// Locks them until the transaction ends.
    async fn lock(connection: &mut MySqlConnection) -> Result<Self, StoreError> {
        let events = Feed::UsageEvents.topic();
        sqlx::query(
            "INSERT INTO cache_watermarks (topic, seq, version) VALUES (?, 0, 0), (?, 0, 0), (?, 0, 0) \
             ON DUPLICATE KEY UPDATE topic = VALUES(topic)",
        )
        .bind(ADJUSTMENTS)
        .bind(INVOICES)
        .bind(events)
        .execute(&mut *connection)
        .await?;
        let rows = sqlx::query(
            "SELECT topic, seq, version FROM cache_watermarks WHERE topic IN (?, ?, ?) ORDER BY topic FOR UPDATE",
        )
        .bind(ADJUSTMENTS)
        .bind(INVOICES)
        .bind(events)
        .fetch_all(connection)
        .await?;
        let mut marks = Self { event: 0, adjustment: 0, invoice: 0, version: 0 };
        for row in rows {
            let seq = row.try_get("seq")?;
            match row.try_get("topic")? {
                ADJUSTMENTS => marks.adjustment = seq,
                INVOICES => marks.invoice = seq,
                _ => (marks.event, marks.version) = (seq, row.try_get("version")?),
            }
        }
        Ok(marks)
    }

    async fn save(self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        let marks = [(ADJUSTMENTS, self.adjustment), (INVOICES, self.invoice), (Feed::UsageEvents.topic(), self.event)];
        for (topic, seq) in marks {
            sqlx::query("UPDATE cache_watermarks SET seq = ?, version = ? WHERE topic = ?")
                .bind(seq)
                .bind(self.version)
                .bind(topic)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

const EVENTS: &str = "SELECT started_at, service, cell, usage_amount, amount, bill_cycle, account_no \
    FROM usage_events FORCE INDEX (by_seq) WHERE seq > ? AND seq <= ?";

const ADJUSTED: &str = "SELECT a.started_at, a.service, a.cell, a.old_amount, a.old_bill_cycle, a.old_account_no, a.new_amount, \
    a.new_bill_cycle, a.new_account_no, a.difference, a.credit_cycle, a.credit_account_no, e.seq AS event_seq \
    FROM adjustments a LEFT JOIN usage_events e ON e.started_at = a.started_at AND e.event_id = a.event_id \
    WHERE a.seq > ? AND a.seq <= ?";

const INVOICED: &str = "SELECT DISTINCT cycle FROM invoices WHERE invoice_id > ? AND invoice_id <= ?";

/// An hour, a service and a cell.
type HourKey = (DateTime<Utc>, u8, String);

/// What is added to an hour's sums. Re-rating can take from them.
#[derive(Default)]
struct HourChange {
    events: u64,
    usage: Decimal,
    amount: Decimal,
    unrated: i64,
}

/// A cycle (YYYYMM) and an account.
type CycleKey = (u32, u32);

/// A charge on the invoice that carries it.
struct Billed {
    amount: Decimal,
    key: CycleKey,
}

/// What re-rating changed of an event.
struct Adjustment {
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
}

impl Adjustment {
    fn read(row: &MySqlRow) -> Result<Self, StoreError> {
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
#[derive(Default)]
struct Changes {
    hours: BTreeMap<HourKey, HourChange>,
    cycles: BTreeMap<CycleKey, Decimal>,
    /// The cycles of new invoices.
    invoiced: BTreeSet<u32>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.cycles.is_empty() && self.invoiced.is_empty()
    }

    fn add(&mut self, row: &MySqlRow) -> Result<(), StoreError> {
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

    /// `folded` is the number up to which events were folded before.
    fn adjust(&mut self, adjustment: &Adjustment, folded: u64) {
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

    async fn save(&self, connection: &mut MySqlConnection, version: u64) -> Result<(), StoreError> {
        let hours: Vec<HourRow<'_>> = self.hours.iter().map(|(key, change)| HourRow { key, change, version }).collect();
        insert::insert_all(connection, &HOURS, &hours).await?;
        let charges: Vec<ChargeRow> =
            self.cycles.iter().map(|(key, amount)| ChargeRow { key: *key, amount: *amount, version }).collect();
        insert::insert_all(connection, &CHARGES, &charges).await?;
        let cycles: BTreeSet<u32> = self.cycles.keys().map(|(cycle, _)| *cycle).chain(self.invoiced.clone()).collect();
        let cycles: Vec<CycleRow> = cycles.into_iter().map(|cycle| CycleRow { cycle, version }).collect();
        insert::insert_all(connection, &CYCLES, &cycles).await?;
        Ok(())
    }
}

static HOURS: Statement = Statement::new(
    "INSERT INTO usage_hourly (hour, service, cell, events, usage_total, amount, unrated, version) VALUES ",
    "(?,?,?,?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE events = events + VALUES(events), usage_total = usage_total + VALUES(usage_total), \
     amount = amount + VALUES(amount), unrated = unrated + VALUES(unrated), version = VALUES(version)",
);

struct HourRow<'a> {
    key: &'a HourKey,
    change: &'a HourChange,
    version: u64,
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

static CHARGES: Statement = Statement::new(
    "INSERT INTO charges_by_cycle (cycle, account_no, amount, version) VALUES ",
    "(?,?,?,?)",
    " ON DUPLICATE KEY UPDATE amount = amount + VALUES(amount), version = VALUES(version)",
);

struct ChargeRow {
    key: CycleKey,
    amount: Decimal,
    version: u64,
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

static CYCLES: Statement = Statement::new(
    "INSERT INTO cycle_versions (cycle, version) VALUES ",
    "(?,?)",
    " ON DUPLICATE KEY UPDATE version = VALUES(version)",
);

struct CycleRow {
    cycle: u32,
    version: u64,
}

impl Row for CycleRow {
    const COLUMNS: usize = 2;
    const BYTES: usize = 12;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.cycle)?;
        add(arguments, self.version)
    }
}
