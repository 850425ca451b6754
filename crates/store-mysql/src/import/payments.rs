//! Payments.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use millrace_domain::reference::Payment;
use rust_decimal::Decimal;
use sqlx::Row as _;
use sqlx::mysql::MySqlArguments;

use super::{Import, ImportError, Imported, Target, numbers_by_name};
use crate::insert::{Row, Statement, add, select_by};

static INVOICES: Statement =
    Statement::new("SELECT invoice_id, invoice_number FROM invoices WHERE invoice_number IN (", "?", ")");

static PAYMENTS: Statement =
    Statement::new("SELECT reference, invoice_id, paid_on, amount FROM payments WHERE reference IN (", "?", ")");

static UPSERT: Statement = Statement::new(
    "INSERT INTO payments (reference, invoice_id, paid_on, amount) VALUES ",
    "(?,?,?,?)",
    " ON DUPLICATE KEY UPDATE invoice_id = VALUES(invoice_id), paid_on = VALUES(paid_on), amount = VALUES(amount)",
);

struct PaymentRow<'a> {
    payment: &'a Payment,
    invoice_id: u32,
}

impl Row for PaymentRow<'_> {
    const COLUMNS: usize = 4;
    const BYTES: usize = 64;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.payment.reference.as_str())?;
        add(arguments, self.invoice_id)?;
        add(arguments, self.payment.paid_on)?;
        add(arguments, self.payment.amount)
    }
}

/// Imports payments. An invoice's status follows from them.
///
/// # Errors
/// When a payment names an invoice that was not issued.
pub async fn payments(target: impl Into<Target<'_>>, payments: &[Payment]) -> Result<Imported, ImportError> {
    let mut import = Import::begin(target).await?;
    let numbers: HashSet<&str> = payments.iter().map(|payment| payment.invoice_number.as_str()).collect();
    let invoices = numbers_by_name(&select_by(import.connection(), &INVOICES, numbers.into_iter()).await?)?;
    let references = payments.iter().map(|payment| payment.reference.as_str());
    let stored = select_by(import.connection(), &PAYMENTS, references).await?;
    let stored = stored.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))));
    let stored: HashMap<String, (u32, NaiveDate, Decimal)> = stored.collect::<Result<_, sqlx::Error>>()?;
    let mut rows = Vec::new();
    for (n, payment) in payments.iter().enumerate() {
        let Some(invoice_id) = invoices.get(&payment.invoice_number).copied() else {
            import.refuse(n, "invoice_number", format!("there is no invoice {}", payment.invoice_number));
            continue;
        };
        if import.differs(&(invoice_id, payment.paid_on, payment.amount), stored.get(&payment.reference)) {
            rows.push((n, PaymentRow { payment, invoice_id }));
        }
    }
    import.finish(&UPSERT, rows).await
}
