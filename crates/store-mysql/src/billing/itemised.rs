//! The events behind an invoice's lines.

use std::collections::{BTreeSet, HashMap};
use std::io;

use chrono::{DateTime, NaiveDate, Utc};
use futures::TryStreamExt as _;
use millrace_domain::billing::{Invoice, ItemisedCharge, LineKind};
use rust_decimal::Decimal;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, MySqlConnection, MySqlPool, Row as _};
use uuid::Uuid;

use super::rows;
use crate::fault::StoreError;
use crate::usage::service_of;

/// Why itemised usage ended early.
#[derive(Debug, thiserror::Error)]
pub enum ItemisedError {
    /// The database's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was read could not be passed on.
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl From<sqlx::Error> for ItemisedError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Reads what an invoice charges event by event and gives each to `write` as it comes: usage, late usage, then credits, each by
/// number and time. What was re-rated since is told as it was billed.
///
/// # Errors
/// When the database cannot be asked, or `write` fails.
pub async fn itemised(
    pool: &MySqlPool,
    invoice: &Invoice,
    mut write: impl FnMut(&ItemisedCharge) -> io::Result<()>,
) -> Result<(), ItemisedError> {
    let mut connection = pool.acquire().await?;
    let account_no: u32 = sqlx::query_scalar("SELECT account_no FROM invoices WHERE invoice_number = ?")
        .bind(&invoice.number)
        .fetch_one(&mut *connection)
        .await?;
    let reader = Reader { invoice, account_no, billed: billed(&mut connection, invoice, account_no).await? };
    let numbers = |kind| -> BTreeSet<&str> {
        invoice.lines.iter().filter(|line| line.kind == kind).map(|line| line.msisdn.as_str()).collect()
    };
    for number in numbers(LineKind::Usage) {
        reader.usage(&mut connection, number, &mut write).await?;
    }
    if !numbers(LineKind::LateUsage).is_empty() {
        reader.late(&mut connection, &mut write).await?;
    }
    if !numbers(LineKind::Credit).is_empty() {
        reader.credits(&mut connection, &mut write).await?;
    }
    Ok(())
}

type Key = (DateTime<Utc>, Uuid);

/// What events cost when the invoice was issued, of those that were re-rated since. Bill and re-rating exclude each other, so an
/// adjustment is of a time before the invoice or after it.
async fn billed(
    connection: &mut MySqlConnection,
    invoice: &Invoice,
    account_no: u32,
) -> Result<HashMap<Key, Decimal>, StoreError> {
    let mut rows = sqlx::query(
        "SELECT started_at, event_id, old_amount FROM adjustments \
         WHERE old_account_no = ? AND old_bill_cycle = ? AND old_amount IS NOT NULL AND adjusted_at >= ? ORDER BY seq",
    )
    .bind(account_no)
    .bind(invoice.cycle.code())
    .bind(invoice.issued_at.naive_utc())
    .fetch(connection);
    let mut billed = HashMap::new();
    while let Some(row) = rows.try_next().await? {
        billed.entry(key(&row)?).or_insert(row.try_get("old_amount")?);
    }
    Ok(billed)
}

fn key(row: &MySqlRow) -> Result<Key, StoreError> {
    let event_id = Uuid::from_slice(row.try_get("event_id")?);
    Ok((
        row.try_get("started_at")?,
        event_id.map_err(|_| StoreError::Stored("an event_id is not 16 bytes long".into()))?,
    ))
}

const EVENT: &str = "e.started_at, e.event_id, e.service, e.subscriber, e.destination, e.usage_amount, e.cell, e.roaming, e.zone, \
    e.account_no, e.bill_cycle, e.amount";

struct Reader<'a> {
    invoice: &'a Invoice,
    account_no: u32,
    billed: HashMap<Key, Decimal>,
}

impl Reader<'_> {
    /// A number's events within the cycle. They are looked up by day (UTC) and number, for which there is an index.
    async fn usage(
        &self,
        connection: &mut MySqlConnection,
        number: &str,
        write: &mut impl FnMut(&ItemisedCharge) -> io::Result<()>,
    ) -> Result<(), ItemisedError> {
        let last = self.invoice.ends_at.date_naive();
        let days: Vec<NaiveDate> =
            self.invoice.starts_at.date_naive().iter_days().take_while(|day| *day <= last).collect();
        let sql = format!(
            "SELECT {EVENT} FROM usage_events e WHERE e.day IN ({}) AND e.subscriber = ? AND e.started_at >= ? AND e.started_at < ? \
             AND e.bill_cycle = ? ORDER BY e.started_at, e.event_id",
            vec!["?"; days.len()].join(",")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for day in days {
            query = query.bind(day);
        }
        let mut rows = query
            .bind(number)
            .bind(self.invoice.starts_at.naive_utc())
            .bind(self.invoice.ends_at.naive_utc())
            .bind(self.invoice.cycle.code())
            .fetch(connection);
        while let Some(row) = rows.try_next().await? {
            if let Some(amount) = self.amount(&row)? {
                write(&charge(&row, LineKind::Usage, amount)?)?;
            }
        }
        Ok(())
    }

    async fn late(
        &self,
        connection: &mut MySqlConnection,
        write: &mut impl FnMut(&ItemisedCharge) -> io::Result<()>,
    ) -> Result<(), ItemisedError> {
        let sql = format!(
            "SELECT {EVENT}, l.own_cycle FROM late_charges l \
             JOIN usage_events e ON e.started_at = l.started_at AND e.event_id = l.event_id \
             WHERE l.bill_cycle = ? AND l.account_no = ? ORDER BY e.subscriber, e.started_at, e.event_id"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(self.invoice.cycle.code()).bind(self.account_no);
        let mut rows = query.fetch(connection);
        while let Some(row) = rows.try_next().await? {
            if let Some(amount) = self.amount(&row)? {
                write(&charge(&row, LineKind::LateUsage, amount)?)?;
            }
        }
        Ok(())
    }

    async fn credits(
        &self,
        connection: &mut MySqlConnection,
        write: &mut impl FnMut(&ItemisedCharge) -> io::Result<()>,
    ) -> Result<(), ItemisedError> {
        let sql = format!(
            "SELECT {EVENT}, a.own_cycle, a.difference FROM adjustments a \
             JOIN usage_events e ON e.started_at = a.started_at AND e.event_id = a.event_id \
             WHERE a.credit_cycle = ? AND a.credit_account_no = ? AND a.own_cycle IS NOT NULL \
             ORDER BY e.subscriber, e.started_at, e.event_id, a.seq"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(self.invoice.cycle.code()).bind(self.account_no);
        let mut rows = query.fetch(connection);
        while let Some(row) = rows.try_next().await? {
            write(&charge(&row, LineKind::Credit, row.try_get("difference")?)?)?;
        }
        Ok(())
    }

    /// What the invoice charges for an event; `None` when it is another account's.
    fn amount(&self, row: &MySqlRow) -> Result<Option<Decimal>, StoreError> {
        if let Some(amount) = self.billed.get(&key(row)?) {
            return Ok(Some(*amount));
        }
        let (account_no, cycle): (Option<u32>, Option<u32>) = (row.try_get("account_no")?, row.try_get("bill_cycle")?);
        let ours = account_no == Some(self.account_no) && cycle == Some(self.invoice.cycle.code());
        Ok(row.try_get::<Option<Decimal>, _>("amount")?.filter(|_| ours))
    }
}

fn charge(row: &MySqlRow, kind: LineKind, amount: Decimal) -> Result<ItemisedCharge, StoreError> {
    let (started_at, event_id) = key(row)?;
    let service = service_of(row.try_get("service")?);
    let own_cycle = match kind {
        LineKind::Usage | LineKind::Fee => None,
        LineKind::LateUsage | LineKind::Credit => row.try_get::<Option<u32>, _>("own_cycle")?,
    };
    Ok(ItemisedCharge {
        kind,
        msisdn: row.try_get("subscriber")?,
        started_at,
        service: service.ok_or_else(|| StoreError::Stored("usage_events.service cannot be read back".into()))?,
        destination: row.try_get("destination")?,
        cell: row.try_get("cell")?,
        roaming: row.try_get("roaming")?,
        usage: row.try_get("usage_amount")?,
        zone: row.try_get("zone")?,
        amount,
        own_cycle: own_cycle.map(rows::cycle).transpose()?,
        event_id,
    })
}
