//! Writing invoices.

use std::collections::HashMap;

use sqlx::{MySqlConnection, Row as _};

use super::BillingError;
use super::rows::{INSERT_INVOICES, INSERT_LINES, InvoiceRow, LineRow};
use crate::fault::StoreError;
use crate::insert::{self, Statement};

static IDS: Statement =
    Statement::new("SELECT invoice_number, invoice_id FROM invoices WHERE invoice_number IN (", "?", ")");

/// Writes invoices with their lines, in the caller's transaction.
pub(super) async fn write(connection: &mut MySqlConnection, invoices: &[InvoiceRow]) -> Result<(), BillingError> {
    insert::insert_all(connection, &INSERT_INVOICES, invoices).await?;
    let mut ids: HashMap<String, u32> = HashMap::with_capacity(invoices.len());
    let numbers = invoices.iter().map(|row| row.invoice.number.as_str());
    for row in insert::select_by(connection, &IDS, numbers).await? {
        ids.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let mut lines = Vec::new();
    for InvoiceRow { invoice, .. } in invoices {
        let missing = || StoreError::Stored(format!("the invoice {} is not there", invoice.number));
        let invoice_id = *ids.get(&invoice.number).ok_or_else(missing)?;
        lines.extend(invoice.lines.iter().map(|line| LineRow { invoice_id, line }));
    }
    Ok(insert::insert_all(connection, &INSERT_LINES, &lines).await?)
}
