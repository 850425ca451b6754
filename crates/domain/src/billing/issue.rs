//! Invoices and credit notes as they are issued.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::invoice::{Invoice, InvoiceLine, Party, Status};
use super::money::{OutOfRange, totals};
use crate::cycles::Cycle;
use crate::reference::Operator;
use crate::time::{first_instant, local_day};

/// A cycle of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Billed {
    /// The cycle.
    pub cycle: Cycle,
    /// Its first instant.
    pub starts_at: DateTime<Utc>,
    /// The first instant after it.
    pub ends_at: DateTime<Utc>,
    /// The account.
    pub customer: Party,
    /// Whether it pays no tax.
    pub exempt: bool,
}

impl Billed {
    /// The cycle's first day, and the first one after it, where the operator's days begin.
    pub fn days(&self, operator: &Operator) -> (NaiveDate, NaiveDate) {
        (local_day(self.starts_at, operator.timezone), local_day(self.ends_at, operator.timezone))
    }
}

/// Where and when something is issued.
#[derive(Debug, Clone, Copy)]
pub struct Issuance<'a> {
    /// Who issues it.
    pub operator: &'a Operator,
    /// When.
    pub at: DateTime<Utc>,
}

impl Issuance<'_> {
    /// The day, which decides the year of the number.
    pub fn day(&self) -> NaiveDate {
        local_day(self.at, self.operator.timezone)
    }

    /// The last day to pay.
    pub fn due_on(&self) -> NaiveDate {
        let days = TimeDelta::days(self.operator.payment_days.into());
        self.day().checked_add_signed(days).unwrap_or(NaiveDate::MAX)
    }

    /// The first instant after the last day to pay. `None` is beyond the calendar.
    pub fn overdue_at(&self) -> Option<DateTime<Utc>> {
        first_instant(self.due_on().succ_opt()?, self.operator.timezone)
    }

    /// The number of the `n`th invoice of the year.
    pub fn number(&self, n: u32) -> String {
        invoice_number(&self.operator.invoice_prefix, self.day().year(), n)
    }
}

/// An invoice's number: prefix, year, and at least 8 digits.
pub fn invoice_number(prefix: &str, year: i32, n: u32) -> String {
    format!("{prefix}{year:04}-{n:08}")
}

/// Makes the invoice of `lines`, of which there is at least one.
///
/// # Errors
/// When a sum is out of range.
pub fn issue(billed: Billed, lines: Vec<InvoiceLine>, number: String, by: Issuance<'_>) -> Result<Invoice, OutOfRange> {
    let Issuance { operator, at } = by;
    let sums = totals(&lines, operator.tax_rate, billed.exempt)?;
    let (first_day, end_day) = billed.days(operator);
    Ok(Invoice {
        number,
        cycle: billed.cycle,
        first_day,
        end_day,
        starts_at: billed.starts_at,
        ends_at: billed.ends_at,
        timezone: operator.timezone,
        issued_at: at,
        issued_on: by.day(),
        due_on: by.due_on(),
        seller: seller(operator),
        customer: billed.customer,
        lines,
        net: sums.net,
        tax_rate: operator.tax_rate,
        exempt: billed.exempt,
        tax: sums.tax,
        total: sums.total,
        rounding: sums.rounding,
        currency: operator.currency.clone(),
        status: if sums.total.is_zero() { Status::Paid } else { Status::Issued },
        paid: Decimal::ZERO,
        cancels: None,
        cancelled_by: None,
        reason: String::new(),
    })
}

/// Makes the credit note that takes an invoice back: its lines and sums negated, in the currency and for the parties that it named.
pub fn cancel(invoice: &Invoice, number: String, reason: String, by: Issuance<'_>) -> Invoice {
    let lines = invoice.lines.iter().map(|line| InvoiceLine {
        quantity: negated(line.quantity),
        exact: negated(line.exact),
        net: negated(line.net),
        ..line.clone()
    });
    Invoice {
        number,
        issued_at: by.at,
        issued_on: by.day(),
        due_on: by.due_on(),
        lines: lines.collect(),
        net: negated(invoice.net),
        tax: negated(invoice.tax),
        total: negated(invoice.total),
        rounding: negated(invoice.rounding),
        status: if invoice.total.is_zero() { Status::Paid } else { Status::Issued },
        paid: Decimal::ZERO,
        cancels: Some(invoice.number.clone()),
        cancelled_by: None,
        reason,
        ..invoice.clone()
    }
}

fn negated(sum: Decimal) -> Decimal {
    if sum.is_zero() { sum } else { -sum }
}

fn seller(operator: &Operator) -> Party {
    Party {
        account_id: String::new(),
        name: operator.name.clone(),
        address: operator.address.clone(),
        postcode: operator.postcode.clone(),
        city: operator.city.clone(),
        country: operator.country.clone(),
        tax_id: operator.tax_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono_tz::Tz;

    use super::*;
    use crate::billing::{Charges, CreditSum, lines};
    use crate::usage::Service;

    fn operator() -> Operator {
        Operator {
            name: "Operator".into(),
            address: vec!["1, Rue de la Paix".into()],
            currency: "MAD".into(),
            timezone: Tz::Africa__Casablanca,
            tax_rate: Decimal::new(20, 2),
            invoice_prefix: "MR".into(),
            payment_days: 30,
            close_after_hours: 48,
            tax_id: "T1".into(),
            postcode: "20000".into(),
            city: "Casablanca".into(),
            country: "MA".into(),
        }
    }

    fn billed(operator: &Operator) -> Billed {
        let cycle = Cycle::parse("2025-11").unwrap();
        let (starts_at, ends_at) = cycle.bounds(15, operator.timezone).unwrap();
        let customer = Party { account_id: "A1".into(), name: "Customer".into(), ..Party::default() };
        Billed { cycle, starts_at, ends_at, customer, exempt: false }
    }

    fn credit(exact: &str) -> Charges {
        let own_cycle = Cycle::parse("2025-10").unwrap();
        let credit = CreditSum {
            msisdn: "212600000001".into(),
            service: Service::Voice,
            own_cycle,
            exact: exact.parse().unwrap(),
        };
        Charges { credits: vec![credit], ..Charges::default() }
    }

    #[test]
    fn the_years_of_numbers_and_the_days_to_pay_are_the_operators() {
        let operator = operator();
        // In Casablanca it is 00:30 of the new year already.
        let by = Issuance { operator: &operator, at: "2025-12-31T23:30:00Z".parse().unwrap() };
        assert_eq!(by.number(7), "MR2026-00000007");
        assert_eq!((by.day().to_string(), by.due_on().to_string()), ("2026-01-01".into(), "2026-01-31".into()));
        assert_eq!(by.overdue_at().unwrap().to_rfc3339(), "2026-01-31T23:00:00+00:00");
        assert_eq!(by.number(123_456_789), "MR2026-123456789");
    }

    #[test]
    fn a_negative_total_is_a_credit_note() {
        let operator = operator();
        let by = Issuance { operator: &operator, at: "2026-01-02T00:00:00Z".parse().unwrap() };
        let billed = billed(&operator);
        let lines = lines(credit("-1.2250"), billed.days(&operator)).unwrap();
        let note = issue(billed, lines, by.number(1), by).unwrap();
        assert_eq!(
            [note.net, note.tax, note.total, note.rounding].map(|sum| sum.to_string()),
            ["-1.23", "-0.25", "-1.48", "0.0050"]
        );
        assert!(note.is_credit_note() && note.cancels.is_none());
        assert_eq!((note.first_day.to_string(), note.end_day.to_string()), ("2025-11-15".into(), "2025-12-15".into()));
    }

    #[test]
    fn a_cancelled_invoice_and_its_credit_note_come_to_nothing() {
        let operator = operator();
        let at = |text: &str| Issuance { operator: &operator, at: text.parse().unwrap() };
        let billed = billed(&operator);
        let lines = lines(credit("10.0049"), billed.days(&operator)).unwrap();
        let invoice = issue(billed, lines, "MR2026-00000001".into(), at("2026-01-02T00:00:00Z")).unwrap();
        let note = cancel(&invoice, "MR2026-00000002".into(), "wrong plan".into(), at("2026-02-01T00:00:00Z"));
        for sum in [|of: &Invoice| of.net, |of: &Invoice| of.tax, |of: &Invoice| of.total, |of: &Invoice| of.rounding] {
            assert_eq!(sum(&invoice) + sum(&note), Decimal::ZERO);
        }
        assert!(
            invoice
                .lines
                .iter()
                .zip(&note.lines)
                .all(|(a, b)| a.net + b.net == Decimal::ZERO && a.description == b.description)
        );
        assert_eq!((note.cancels.as_deref(), note.reason.as_str()), (Some("MR2026-00000001"), "wrong plan"));
        assert_eq!((note.issued_on.to_string(), note.cycle), ("2026-02-01".into(), invoice.cycle));
    }
}
