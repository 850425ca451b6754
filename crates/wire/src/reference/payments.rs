//! Payments of invoices.

use millrace_domain::reference::Payment;
use rust_decimal::Decimal;

use super::Faulty;
use super::table::{self, Column, date, id, money, name, required};

const PAYMENTS: [Column; 4] =
    [required("reference"), required("invoice_number"), required("paid_on"), required("amount")];

/// Reads payments (CSV). A negative amount takes an earlier payment back.
///
/// # Errors
/// Every wrong line.
pub fn parse_payments(bytes: &[u8]) -> Result<Vec<Payment>, Faulty<Payment>> {
    let (payments, mut errors) = table::read(bytes, &PAYMENTS, |row| {
        let reference = row.get("reference", id);
        let invoice_number = row.get("invoice_number", name(40));
        let paid_on = row.get("paid_on", date);
        let amount = row.get("amount", amount);
        Some(Payment { reference: reference?, invoice_number: invoice_number?, paid_on: paid_on?, amount: amount? })
    });
    table::refuse_doubles(&payments, "reference", &mut errors, |payment| payment.reference.clone());
    table::finish(payments, errors)
}

fn amount(cell: &str) -> Result<Decimal, String> {
    let amount = money(2)(cell)?;
    if amount.is_zero() { Err("must not be 0".into()) } else { Ok(amount) }
}

/// Writes payments as [`parse_payments`] reads them.
pub fn write_payments(payments: &[Payment]) -> String {
    let rows = payments.iter().map(|payment| {
        [
            payment.reference.clone(),
            payment.invoice_number.clone(),
            payment.paid_on.to_string(),
            payment.amount.to_string(),
        ]
    });
    table::write(PAYMENTS.map(|column| column.name), rows)
}
