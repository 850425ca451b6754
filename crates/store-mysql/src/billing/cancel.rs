//! Credit notes that cancel an invoice.

use chrono::{DateTime, Datelike, Utc};
use millrace_domain::billing::{self as rules, Invoice};
use millrace_domain::reference::Operator;
use sqlx::{MySqlConnection, MySqlPool};

use super::read::{self, Found};
use super::rows::InvoiceRow;
use super::turn::{hold, retried};
use super::{BillingError, invoicing, numbers, write};
use crate::fault::StoreError;

/// Issues the credit note that cancels an invoice, and answers it. What the invoice charged is not billed again: neither are
/// corrections of it that stand on no invoice yet.
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
        withhold(&mut transaction, account_no, invoice.cycle.code()).await?;
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

/// Takes back the corrections of what an account was charged in a cycle that no invoice carries yet: an equal and opposite one
/// beside each, as adjustments are only ever added to.
async fn withhold(connection: &mut MySqlConnection, account_no: u32, cycle: u32) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, old_account_no, \
                                  old_bill_cycle, old_amount, new_account_no, new_bill_cycle, new_amount, credit_account_no, \
                                  credit_cycle, own_cycle, difference) \
         SELECT 0, a.started_at, a.event_id, a.service, a.subscriber, a.cell, a.usage_amount, a.new_account_no, a.new_bill_cycle, \
                a.new_amount, a.new_account_no, a.new_bill_cycle, a.new_amount, a.credit_account_no, a.credit_cycle, a.own_cycle, \
                -a.difference \
         FROM adjustments a LEFT JOIN closed_cycles c ON c.account_no = a.credit_account_no AND c.cycle = a.credit_cycle \
         WHERE a.credit_account_no = ? AND a.old_account_no = a.credit_account_no AND a.old_bill_cycle = ? AND a.difference <> 0 \
         AND COALESCE(c.invoiced, FALSE) = FALSE",
    )
    .bind(account_no)
    .bind(cycle)
    .execute(connection)
    .await?;
    Ok(())
}
