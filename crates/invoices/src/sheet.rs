//! What is printed: the same words and figures in HTML and PDF.

use millrace_domain::billing::{Invoice, InvoiceLine, LineKind, Party, Status};
use millrace_domain::usage::Service;
use rust_decimal::{Decimal, RoundingStrategy};

/// An invoice as a person reads it, from top to bottom.
pub(crate) struct Sheet {
    pub(crate) title: &'static str,
    pub(crate) number: String,
    /// What has become of it, when that must not be overlooked.
    pub(crate) mark: Option<String>,
    pub(crate) seller: Vec<String>,
    pub(crate) customer: Vec<String>,
    /// Label and value.
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) sections: Vec<Section>,
    pub(crate) totals: Vec<Total>,
    pub(crate) notes: Vec<String>,
}

/// The lines of one kind.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Row>,
    pub(crate) subtotal: String,
}

/// A line.
pub(crate) struct Row {
    pub(crate) description: String,
    pub(crate) msisdn: String,
    pub(crate) quantity: String,
    pub(crate) net: String,
}

/// A row under the table.
pub(crate) struct Total {
    pub(crate) label: String,
    pub(crate) amount: String,
    /// What is to be paid, or was charged.
    pub(crate) strong: bool,
}

impl Sheet {
    pub(crate) fn new(invoice: &Invoice) -> Self {
        Self {
            title: title(invoice),
            number: invoice.number.clone(),
            mark: mark(invoice),
            seller: party(&invoice.seller),
            customer: party(&invoice.customer),
            facts: facts(invoice),
            sections: LineKind::ALL.into_iter().filter_map(|kind| section(invoice, kind)).collect(),
            totals: totals(invoice),
            notes: notes(invoice),
        }
    }

    /// The heads of the table's columns; the last one names the currency.
    pub(crate) fn columns(currency: &str) -> [String; 4] {
        ["Description".into(), "Number".into(), "Quantity".into(), format!("Net {currency}")]
    }
}

/// A cancellation that charges again takes a credit note back.
fn title(invoice: &Invoice) -> &'static str {
    match (invoice.cancels.is_some(), invoice.total > Decimal::ZERO) {
        (true, true) => "Debit note",
        _ if invoice.is_credit_note() => "Credit note",
        _ => "Invoice",
    }
}

fn mark(invoice: &Invoice) -> Option<String> {
    match (invoice.status, &invoice.cancelled_by) {
        (_, Some(by)) => Some(format!("Cancelled by {by}")),
        (Status::Cancelled, None) => Some("Cancelled".into()),
        (Status::Paid, None) => Some("Paid".into()),
        (Status::Overdue, None) => Some("Overdue".into()),
        (Status::Issued, None) => None,
    }
}

fn party(party: &Party) -> Vec<String> {
    let place = [party.postcode.as_str(), party.city.as_str()].map(str::trim).join(" ");
    let mut lines = vec![party.name.clone()];
    lines.extend(party.address.iter().cloned());
    lines.extend([place.trim().to_owned(), party.country.clone()]);
    if !party.tax_id.is_empty() {
        lines.push(format!("Tax ID {}", party.tax_id));
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

fn facts(invoice: &Invoice) -> Vec<(&'static str, String)> {
    let last = invoice.end_day.pred_opt().unwrap_or(invoice.end_day);
    let mut facts = vec![
        ("Issued", invoice.issued_on.to_string()),
        ("Account", invoice.customer.account_id.clone()),
        ("Billing period", format!("{} to {last}", invoice.first_day)),
    ];
    if let Some(cancels) = &invoice.cancels {
        facts.push(("Cancels", cancels.clone()));
    }
    if invoice.total > Decimal::ZERO {
        facts.push(("Payable by", invoice.due_on.to_string()));
    }
    facts
}

fn section(invoice: &Invoice, kind: LineKind) -> Option<Section> {
    let lines = || invoice.lines.iter().filter(|line| line.kind == kind);
    let title = match kind {
        LineKind::Fee => "Plans",
        LineKind::Usage => "Usage",
        LineKind::LateUsage => "Usage of earlier periods",
        LineKind::Credit => "Corrections of earlier periods",
    };
    let rows: Vec<Row> = lines().map(row).collect();
    let subtotal = grouped(lines().map(|line| line.net).sum());
    (!rows.is_empty()).then_some(Section { title, rows, subtotal })
}

fn row(line: &InvoiceLine) -> Row {
    let quantity = match (line.kind, line.service) {
        (LineKind::Fee, _) if line.quantity.abs() == Decimal::ONE => format!("{} day", line.quantity.normalize()),
        (LineKind::Fee, _) => format!("{} days", line.quantity.normalize()),
        (LineKind::Credit, _) => String::new(),
        (_, Some(service)) => quantity(service, line.quantity),
        (_, None) => line.quantity.normalize().to_string(),
    };
    Row { description: line.description.clone(), msisdn: line.msisdn.clone(), quantity, net: grouped(line.net) }
}

/// Usage as people speak of it: hours, minutes and seconds; messages; decimal multiples of bytes.
fn quantity(service: Service, amount: Decimal) -> String {
    let sign = if amount < Decimal::ZERO { "-" } else { "" };
    let amount = amount.abs();
    match service {
        Service::Voice => {
            let seconds = u128::try_from(amount.trunc()).unwrap_or(u128::MAX);
            format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        Service::Sms if amount == Decimal::ONE => format!("{sign}1 message"),
        Service::Sms => format!("{sign}{} messages", thousands(&amount.normalize().to_string())),
        Service::Data => {
            let (unit, name) = [(1_000_000_000_000_i64, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")]
                .into_iter()
                .find(|(unit, _)| amount >= Decimal::from(*unit))
                .unwrap_or((1, "B"));
            let decimals = if unit == 1 { 0 } else { 3 };
            let rounded = amount / Decimal::from(unit);
            let rounded = rounded.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
            format!("{sign}{} {name}", thousands(&format!("{rounded:.0$}", decimals as usize)))
        }
    }
}

fn totals(invoice: &Invoice) -> Vec<Total> {
    let total = |label: String, amount: Decimal, strong| Total { label, amount: grouped(amount), strong };
    let tax = if invoice.exempt {
        "Tax (exempt)".to_owned()
    } else {
        format!("Tax {} %", (invoice.tax_rate * Decimal::ONE_HUNDRED).normalize())
    };
    let mut totals = vec![
        total("Net".into(), invoice.net, false),
        total(tax, invoice.tax, false),
        total(format!("Total {}", invoice.currency), invoice.total, true),
    ];
    if !invoice.paid.is_zero() {
        totals.push(total("Paid".into(), invoice.paid, false));
    }
    // What is cancelled is not asked for any more.
    if !invoice.paid.is_zero() && invoice.status != Status::Cancelled {
        totals.push(total(format!("Still to pay {}", invoice.currency), invoice.total - invoice.paid, true));
    }
    totals
}

fn notes(invoice: &Invoice) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(cancels) = &invoice.cancels {
        let reason = if invoice.reason.is_empty() { String::new() } else { format!(" Reason: {}", invoice.reason) };
        notes.push(format!("This document cancels {cancels}.{reason}"));
    }
    if let Some(by) = &invoice.cancelled_by {
        notes.push(format!("{by} cancels this document: nothing is to be paid on it."));
    } else if invoice.total > Decimal::ZERO && invoice.status != Status::Paid {
        notes.push(format!("Please pay by {}, quoting {}.", invoice.due_on, invoice.number));
    } else if invoice.total < Decimal::ZERO {
        notes.push(format!("{} {} is in your favour.", grouped(-invoice.total), invoice.currency));
    }
    if invoice.exempt {
        notes.push("This account is exempt from tax.".into());
    }
    notes
}

/// Money with its 2 decimals.
pub(crate) fn money(amount: Decimal) -> String {
    format!("{amount:.2}")
}

/// An exact sum, with the 4 decimals that charges have at most.
pub(crate) fn exact(amount: Decimal) -> String {
    format!("{amount:.4}")
}

/// Money for people: thousands apart.
pub(crate) fn grouped(amount: Decimal) -> String {
    thousands(&money(amount))
}

fn thousands(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |number| ("-", number));
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut grouped = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let grouped = |text: &str| thousands(text);
        assert_eq!(
            ["0.00", "-12.30", "999.99", "1000.00", "-1234567.89", "123456"].map(grouped),
            ["0.00", "-12.30", "999.99", "1,000.00", "-1,234,567.89", "123,456"]
        );
    }

    #[test]
    fn usage_is_told_as_people_speak_of_it() {
        assert_eq!(quantity(Service::Voice, Decimal::from(3_725)), "1:02:05");
        assert_eq!(quantity(Service::Voice, Decimal::from(360_000)), "100:00:00");
        assert_eq!(quantity(Service::Sms, Decimal::ONE), "1 message");
        assert_eq!(quantity(Service::Sms, Decimal::from(1_200)), "1,200 messages");
        assert_eq!(quantity(Service::Data, Decimal::from(999)), "999 B");
        assert_eq!(quantity(Service::Data, Decimal::from(1_234_567_890_i64)), "1.235 GB");
        assert_eq!(quantity(Service::Data, Decimal::from(-1_500)), "-1.500 kB");
    }
}
