//! Reading invoices.

use millrace_domain::billing::Invoice;
use millrace_domain::cycles::Cycle;
use sqlx::{AssertSqlSafe, MySqlConnection, MySqlPool, Row as _};

use super::invoicing::Progress;
use super::rows::{self, INVOICE_COLUMNS};
use crate::fault::StoreError;

/// Reads an invoice with its lines, and how it stands.
///
/// # Errors
/// When the database cannot be asked.
pub async fn read(pool: &MySqlPool, number: &str) -> Result<Option<Invoice>, StoreError> {
    let found = select(&mut *pool.acquire().await?, number).await?;
    Ok(found.map(|found| found.invoice))
}

/// An invoice with what only the store knows of it.
pub(super) struct Found {
    pub(super) invoice_id: u32,
    pub(super) account_no: u32,
    pub(super) invoice: Invoice,
}

pub(super) async fn select(connection: &mut MySqlConnection, number: &str) -> Result<Option<Found>, StoreError> {
    let sql = format!(
        "SELECT {INVOICE_COLUMNS} FROM invoices i JOIN bi_invoices v ON v.invoice_number = i.invoice_number \
         WHERE i.invoice_number = ?"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(number).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let invoice_id = row.try_get("invoice_id")?;
    let mut invoice = rows::invoice(&row)?;
    let lines = sqlx::query(
        "SELECT line_no, kind, msisdn, service, zone, own_cycle, period_from, period_to, plan, description, quantity, unit, exact, \
         net FROM invoice_lines WHERE invoice_id = ? ORDER BY line_no",
    )
    .bind(invoice_id)
    .fetch_all(connection)
    .await?;
    invoice.lines = lines.iter().map(rows::line).collect::<Result<_, _>>()?;
    Ok(Some(Found { invoice_id, account_no: row.try_get("account_no")?, invoice }))
}

/// For how many accounts a cycle is closed, and invoiced.
///
/// # Errors
/// When the database cannot be asked.
pub async fn progress(pool: &MySqlPool, cycle: Cycle) -> Result<Progress, StoreError> {
    let row = sqlx::query(
        "SELECT CAST(COUNT(*) AS UNSIGNED), CAST(COALESCE(SUM(invoiced), 0) AS UNSIGNED) FROM closed_cycles WHERE cycle = ?",
    )
    .bind(cycle.code())
    .fetch_one(pool)
    .await?;
    Ok(Progress { all: row.try_get(0)?, done: row.try_get(1)? })
}
