//! Events, and what re-rating changed of them, become sums by hour and by cycle.
//!
//! An event is folded once, with the charge that its row says then; what was re-rated of it before is in that charge already. So an
//! adjustment counts only if its event was folded before: events and adjustments are read from one snapshot, and adjustments are
//! read to their end before any further event is. They are committed in the order of their numbers, by one writer at a time.

mod calls;
mod changes;
mod rows;

use chrono_tz::Tz;
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use self::changes::{Adjustment, Changes};
use super::{Feed, patiently, repeatable_read};
use crate::fault::StoreError;

/// Sequence numbers of one transaction: some hundred milliseconds of work, and what is read again after a fault.
const FOLD: u64 = 100_000;
/// Sequence numbers of one statement: its rows are in memory together.
const PAGE: u64 = 20_000;

/// Watermarks beside that of the events.
const ADJUSTMENTS: &str = "adjustments";
const INVOICES: &str = "invoices";
const CALLS: &str = "customer-usage";

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
                CAST(COALESCE((SELECT MAX(invoice_id) FROM invoices), 0) AS UNSIGNED), \
                COALESCE((SELECT timezone FROM operator WHERE id = 1), 'UTC')",
    )
    .fetch_one(&mut *transaction)
    .await?;
    let (newest_adjustment, invoice): (u64, u64) = (newest.try_get(0)?, newest.try_get(1)?);
    let timezone: Tz =
        newest.try_get::<&str, _>(2)?.parse().map_err(|_| StoreError::Stored("operator.timezone is unknown".into()))?;
    let adjustment = newest_adjustment.min(before.adjustment + FOLD);
    let drained = adjustment == newest_adjustment;
    // Calls are kept since later than the other sums: what those hold already is caught up with first.
    let behind = before.calls < before.event;
    let event = if drained && !behind { reach.min(before.event + FOLD).max(before.event) } else { before.event };
    let calls = if drained { event.min(before.calls + FOLD) } else { before.calls };

    let mut changes = Changes::new(timezone);
    for (after, to) in pages(before.adjustment, adjustment) {
        for row in sqlx::query(ADJUSTED).bind(after).bind(to).fetch_all(&mut *transaction).await? {
            changes.adjust(&Adjustment::read(&row)?, before.event, before.calls);
        }
    }
    for (after, to) in pages(before.calls, calls) {
        for row in sqlx::query(EVENTS).bind(after).bind(to).fetch_all(&mut *transaction).await? {
            changes.add_call(&row)?;
            if !behind {
                changes.add(&row)?;
            }
        }
    }
    if invoice > before.invoice {
        for row in sqlx::query(INVOICED).bind(before.invoice).bind(invoice).fetch_all(&mut *transaction).await? {
            changes.invoiced.insert(row.try_get(0)?);
        }
    }
    let version = before.version + u64::from(!changes.is_empty());
    let after = Marks { event, calls, adjustment, invoice, version };
    if after != before {
        changes.save(&mut transaction, version).await?;
        after.save(&mut transaction).await?;
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(Folded { seq: event, version, complete: drained && event >= reach && calls == event })
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
    /// Events up to here are in customers' usage.
    calls: u64,
    adjustment: u64,
    invoice: u64,
    version: u64,
}

impl Marks {
    /// Locks them until the transaction ends.
    async fn lock(connection: &mut MySqlConnection) -> Result<Self, StoreError> {
        let events = Feed::UsageEvents.topic();
        sqlx::query(
            "INSERT INTO cache_watermarks (topic, seq, version) VALUES (?, 0, 0), (?, 0, 0), (?, 0, 0), (?, 0, 0) \
             ON DUPLICATE KEY UPDATE topic = VALUES(topic)",
        )
        .bind(ADJUSTMENTS)
        .bind(CALLS)
        .bind(INVOICES)
        .bind(events)
        .execute(&mut *connection)
        .await?;
        let rows = sqlx::query(
            "SELECT topic, seq, version FROM cache_watermarks WHERE topic IN (?, ?, ?, ?) ORDER BY topic FOR UPDATE",
        )
        .bind(ADJUSTMENTS)
        .bind(CALLS)
        .bind(INVOICES)
        .bind(events)
        .fetch_all(connection)
        .await?;
        let mut marks = Self { event: 0, calls: 0, adjustment: 0, invoice: 0, version: 0 };
        for row in rows {
            let seq = row.try_get("seq")?;
            match row.try_get("topic")? {
                ADJUSTMENTS => marks.adjustment = seq,
                CALLS => marks.calls = seq,
                INVOICES => marks.invoice = seq,
                _ => (marks.event, marks.version) = (seq, row.try_get("version")?),
            }
        }
        Ok(marks)
    }

    async fn save(self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        let events = Feed::UsageEvents.topic();
        let marks =
            [(ADJUSTMENTS, self.adjustment), (CALLS, self.calls), (INVOICES, self.invoice), (events, self.event)];
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

const EVENTS: &str = "SELECT started_at, service, cell, usage_amount, amount, bill_cycle, account_no, subscriber, destination, \
    roaming FROM usage_events FORCE INDEX (by_seq) WHERE seq > ? AND seq <= ?";

const ADJUSTED: &str = "SELECT a.started_at, a.service, a.cell, a.old_amount, a.old_bill_cycle, a.old_account_no, a.new_amount, \
    a.new_bill_cycle, a.new_account_no, a.difference, a.credit_cycle, a.credit_account_no, a.usage_amount, a.subscriber, e.destination, e.roaming, e.seq AS event_seq \
    FROM adjustments a LEFT JOIN usage_events e ON e.started_at = a.started_at AND e.event_id = a.event_id \
    WHERE a.seq > ? AND a.seq <= ?";

const INVOICED: &str = "SELECT DISTINCT cycle FROM invoices WHERE invoice_id > ? AND invoice_id <= ?";
