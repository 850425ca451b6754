//! Credit notes that cancel an invoice.

use chrono::{DateTime, Datelike, Utc};
use millrace_domain::billing::{self as rules, Invoice};
use millrace_domain::reference::Operator;
use sqlx::MySqlPool;

use super::read::{self, Found};
use super::rows::InvoiceRow;
use super::turn::{hold, retried};
use super::{BillingError, corrections, invoicing, numbers, write};
use crate::fault::StoreError;

/// Issues the credit note that cancels an invoice, and answers it. What the invoice charged is not billed again, and
/// corrections of it come to nothing; those of other invoices that it carries go on the account's next invoice.
///
/// # Errors
/// When there is no such invoice, it is cancelled already or is itself such a credit note; when the database cannot do it, or
/// `holder` has not the lease.
pub async fn cancel(
    pool: &MySqlPool,
    holder: &str,
    operator: &Operator,
    number: &str,
    reason: &str,
    clock: fn() -> DateTime<Utc>,
) -> Result<Invoice, BillingError> {
    retried("issuing a credit note", async || {
        let mut transaction = pool.begin().await?;
        hold(&mut transaction, holder).await?;
        let found = read::select(&mut transaction, number).await?;
        let Found { invoice_id, account_no, invoice } = found.ok_or_else(|| BillingError::Unknown(number.into()))?;
        if let Some(cancels) = invoice.cancels {
            return Err(BillingError::IsCreditNote { number: invoice.number, cancels });
        }
        if let Some(by) = invoice.cancelled_by {
            return Err(BillingError::Cancelled { number: invoice.number, by });
        }
        corrections::settle(&mut transaction, account_no, invoice.cycle).await?;
        let (by, last) = invoicing::number(&mut transaction, operator, clock).await?;
        let overdue_at =
            by.overdue_at().ok_or_else(|| StoreError::Stored("operator.payment_days is out of range".into()))?;
        let note = rules::cancel(&invoice, by.number(last + 1), reason.into(), by);
        numbers::take(&mut transaction, by.day().year(), last + 1).await?;
        let row = InvoiceRow { account_no, invoice: note, overdue_at, cancels: Some(invoice_id) };
        write::write(&mut transaction, std::slice::from_ref(&row)).await?;
        transaction.commit().await?;
        Ok(row.invoice)
    })
    .await
}
