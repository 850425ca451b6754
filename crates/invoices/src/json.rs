//! The invoice as one JSON document.

use chrono::SecondsFormat;
use millrace_domain::billing::{Invoice, InvoiceLine, Party};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::sheet::{exact, money};

/// The invoice as one JSON document that ends with a line feed. Money is decimal strings; dates are of the operator's time zone,
/// times are UTC; a missing value is null or an empty string.
#[must_use]
pub fn json(invoice: &Invoice) -> String {
    let lines = invoice.lines.iter().map(Line::from).collect();
    let document = Document {
        invoice_number: &invoice.number,
        kind: if invoice.is_credit_note() { "credit_note" } else { "invoice" },
        status: invoice.status.as_str(),
        cycle: invoice.cycle.to_string(),
        cycle_start: time(invoice.starts_at),
        cycle_end: time(invoice.ends_at),
        first_day: invoice.first_day.to_string(),
        end_day: invoice.end_day.to_string(),
        timezone: invoice.timezone.name(),
        issued_at: time(invoice.issued_at),
        issued_on: invoice.issued_on.to_string(),
        due_on: invoice.due_on.to_string(),
        seller: Seller::from(&invoice.seller),
        customer: Customer { account_id: &invoice.customer.account_id, party: Seller::from(&invoice.customer) },
        currency: &invoice.currency,
        lines,
        net: money(invoice.net),
        tax_rate: plain(invoice.tax_rate),
        tax_exempt: invoice.exempt,
        tax: money(invoice.tax),
        total: money(invoice.total),
        rounding: exact(invoice.rounding),
        paid: money(invoice.paid),
        cancels: invoice.cancels.as_deref(),
        cancelled_by: invoice.cancelled_by.as_deref(),
        reason: &invoice.reason,
    };
    // Strings, numbers and booleans in structs: nothing of it can be refused.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document<'a> {
    invoice_number: &'a str,
    kind: &'static str,
    status: &'static str,
    cycle: String,
    cycle_start: String,
    cycle_end: String,
    first_day: String,
    end_day: String,
    timezone: &'a str,
    issued_at: String,
    issued_on: String,
    due_on: String,
    seller: Seller<'a>,
    customer: Customer<'a>,
    currency: &'a str,
    lines: Vec<Line<'a>>,
    net: String,
    tax_rate: String,
    tax_exempt: bool,
    tax: String,
    total: String,
    rounding: String,
    paid: String,
    cancels: Option<&'a str>,
    cancelled_by: Option<&'a str>,
    reason: &'a str,
}

#[derive(Serialize)]
struct Seller<'a> {
    name: &'a str,
    address: &'a [String],
    postcode: &'a str,
    city: &'a str,
    country: &'a str,
    tax_id: &'a str,
}

impl<'a> From<&'a Party> for Seller<'a> {
    fn from(party: &'a Party) -> Self {
        Self {
            name: &party.name,
            address: &party.address,
            postcode: &party.postcode,
            city: &party.city,
            country: &party.country,
            tax_id: &party.tax_id,
        }
    }
}

#[derive(Serialize)]
struct Customer<'a> {
    account_id: &'a str,
    #[serde(flatten)]
    party: Seller<'a>,
}

#[derive(Serialize)]
struct Line<'a> {
    line_no: u32,
    kind: &'static str,
    msisdn: &'a str,
    service: Option<&'static str>,
    zone: &'a str,
    own_cycle: Option<String>,
    plan: &'a str,
    period_from: Option<String>,
    period_to: Option<String>,
    description: &'a str,
    quantity: String,
    unit: &'a str,
    exact: String,
    net: String,
}

impl<'a> From<&'a InvoiceLine> for Line<'a> {
    fn from(line: &'a InvoiceLine) -> Self {
        Self {
            line_no: line.line_no,
            kind: line.kind.as_str(),
            msisdn: &line.msisdn,
            service: line.service.map(|service| service.as_str()),
            zone: &line.zone,
            own_cycle: line.own_cycle.map(|cycle| cycle.to_string()),
            plan: &line.plan,
            period_from: line.period.map(|(from, _)| from.to_string()),
            period_to: line.period.map(|(_, to)| to.to_string()),
            description: &line.description,
            quantity: plain(line.quantity),
            unit: &line.unit,
            exact: exact(line.exact),
            net: money(line.net),
        }
    }
}

pub(crate) fn time(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// As few decimals as it takes.
pub(crate) fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}
