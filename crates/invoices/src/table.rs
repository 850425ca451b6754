//! The invoice as CSV: a row for each line.

use millrace_domain::billing::Invoice;

use crate::json::{plain, time};
use crate::sheet::{exact, money};

/// The columns: the invoice's, repeated in every row, then the line's.
const HEADER: [&str; 38] = [
    "invoice_number",
    "kind",
    "status",
    "cycle",
    "cycle_start",
    "cycle_end",
    "issued_at",
    "issued_on",
    "due_on",
    "seller",
    "seller_tax_id",
    "account_id",
    "customer",
    "customer_tax_id",
    "currency",
    "invoice_net",
    "tax_rate",
    "tax_exempt",
    "invoice_tax",
    "invoice_total",
    "invoice_rounding",
    "paid",
    "cancels",
    "cancelled_by",
    "line_no",
    "line_kind",
    "msisdn",
    "service",
    "zone",
    "own_cycle",
    "plan",
    "period_from",
    "period_to",
    "description",
    "quantity",
    "unit",
    "exact",
    "net",
];

/// The invoice as CSV (RFC 4180, UTF-8) with a header and a row for each line; the invoice's own fields stand in every row.
#[must_use]
pub fn csv(invoice: &Invoice) -> String {
    let own = [
        invoice.number.clone(),
        (if invoice.is_credit_note() { "credit_note" } else { "invoice" }).to_owned(),
        invoice.status.as_str().to_owned(),
        invoice.cycle.to_string(),
        time(invoice.starts_at),
        time(invoice.ends_at),
        time(invoice.issued_at),
        invoice.issued_on.to_string(),
        invoice.due_on.to_string(),
        invoice.seller.name.clone(),
        invoice.seller.tax_id.clone(),
        invoice.customer.account_id.clone(),
        invoice.customer.name.clone(),
        invoice.customer.tax_id.clone(),
        invoice.currency.clone(),
        money(invoice.net),
        plain(invoice.tax_rate),
        invoice.exempt.to_string(),
        money(invoice.tax),
        money(invoice.total),
        exact(invoice.rounding),
        money(invoice.paid),
        invoice.cancels.clone().unwrap_or_default(),
        invoice.cancelled_by.clone().unwrap_or_default(),
    ];
    let rows = invoice.lines.iter().map(|line| {
        let line = [
            line.line_no.to_string(),
            line.kind.as_str().to_owned(),
            line.msisdn.clone(),
            line.service.map(|service| service.as_str().to_owned()).unwrap_or_default(),
            line.zone.clone(),
            line.own_cycle.map(|cycle| cycle.to_string()).unwrap_or_default(),
            line.plan.clone(),
            line.period.map(|(from, _)| from.to_string()).unwrap_or_default(),
            line.period.map(|(_, to)| to.to_string()).unwrap_or_default(),
            line.description.clone(),
            plain(line.quantity),
            line.unit.clone(),
            exact(line.exact),
            money(line.net),
        ];
        own.iter().cloned().chain(line).collect::<Vec<_>>()
    });
    records(std::iter::once(HEADER.map(str::to_owned).to_vec()).chain(rows))
}

/// Rows as CSV.
pub(crate) fn records(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Memory takes every row, and all are equally long.
        let _ = writer.write_record(&row);
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}
