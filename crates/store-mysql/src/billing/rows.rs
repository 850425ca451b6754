//! Invoices as rows.

use chrono::{DateTime, NaiveDate, Utc};
use millrace_domain::billing::{Invoice, InvoiceLine, LineKind, Party, Status};
use millrace_domain::cycles::Cycle;
use millrace_domain::usage::Service;
use sqlx::Row as _;
use sqlx::mysql::{MySqlArguments, MySqlRow};

use crate::fault::StoreError;
use crate::insert::{self, Statement, add};

pub(super) static INSERT_INVOICES: Statement = Statement::new(
    "INSERT INTO invoices (invoice_number, account_no, cycle, first_day, end_day, cycle_start, cycle_end, timezone, issued_at, \
     issued_on, due_on, overdue_at, net, tax, total, rounding, currency, tax_rate, tax_exempt, seller_name, seller_address, \
     seller_postcode, seller_city, seller_country, seller_tax_id, customer_name, customer_address, customer_postcode, \
     customer_city, customer_country, customer_tax_id, cancels, reason) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "",
);

pub(super) static INSERT_LINES: Statement = Statement::new(
    "INSERT INTO invoice_lines (invoice_id, line_no, kind, msisdn, service, zone, own_cycle, period_from, period_to, plan, \
     description, quantity, unit, exact, net) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "",
);

/// An invoice that is to be written.
pub(super) struct InvoiceRow {
    pub(super) account_no: u32,
    pub(super) invoice: Invoice,
    pub(super) overdue_at: DateTime<Utc>,
    /// What it cancels.
    pub(super) cancels: Option<u32>,
}

impl insert::Row for InvoiceRow {
    const COLUMNS: usize = 33;
    const BYTES: usize = 600;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let Invoice { seller, customer, .. } = &self.invoice;
        add(arguments, self.invoice.number.as_str())?;
        add(arguments, self.account_no)?;
        add(arguments, self.invoice.cycle.code())?;
        add(arguments, self.invoice.first_day)?;
        add(arguments, self.invoice.end_day)?;
        add(arguments, self.invoice.starts_at.naive_utc())?;
        add(arguments, self.invoice.ends_at.naive_utc())?;
        add(arguments, self.invoice.timezone.name())?;
        add(arguments, self.invoice.issued_at.naive_utc())?;
        add(arguments, self.invoice.issued_on)?;
        add(arguments, self.invoice.due_on)?;
        add(arguments, self.overdue_at.naive_utc())?;
        add(arguments, self.invoice.net)?;
        add(arguments, self.invoice.tax)?;
        add(arguments, self.invoice.total)?;
        add(arguments, self.invoice.rounding)?;
        add(arguments, self.invoice.currency.as_str())?;
        add(arguments, self.invoice.tax_rate)?;
        add(arguments, self.invoice.exempt)?;
        for party in [seller, customer] {
            add(arguments, party.name.as_str())?;
            add(arguments, party.address.join("\n"))?;
            for text in [&party.postcode, &party.city, &party.country, &party.tax_id] {
                add(arguments, text.as_str())?;
            }
        }
        add(arguments, self.cancels)?;
        add(arguments, self.invoice.reason.as_str())
    }
}

/// A line of an invoice that is written.
pub(super) struct LineRow<'a> {
    pub(super) invoice_id: u32,
    pub(super) line: &'a InvoiceLine,
}

impl insert::Row for LineRow<'_> {
    const COLUMNS: usize = 15;
    const BYTES: usize = 160;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let Self { invoice_id, line } = self;
        add(arguments, *invoice_id)?;
        add(arguments, line.line_no)?;
        add(arguments, line.kind.as_str())?;
        add(arguments, line.msisdn.as_str())?;
        add(arguments, line.service.map_or("", Service::as_str))?;
        add(arguments, line.zone.as_str())?;
        add(arguments, line.own_cycle.map(Cycle::code))?;
        add(arguments, line.period.map(|(from, _)| from))?;
        add(arguments, line.period.map(|(_, to)| to))?;
        add(arguments, line.plan.as_str())?;
        add(arguments, line.description.as_str())?;
        add(arguments, line.quantity)?;
        add(arguments, line.unit.as_str())?;
        add(arguments, line.exact)?;
        add(arguments, line.net)
    }
}

/// What every query of invoices selects: `i` is the invoice, `v` its row of `bi_invoices`.
pub(super) const INVOICE_COLUMNS: &str = "i.invoice_id, i.account_no, i.invoice_number, i.cycle, i.first_day, i.end_day, \
    i.cycle_start, i.cycle_end, i.timezone, i.issued_at, i.issued_on, i.due_on, i.net, i.tax, i.total, i.rounding, i.currency, \
    i.tax_rate, i.tax_exempt, i.seller_name, i.seller_address, i.seller_postcode, i.seller_city, i.seller_country, \
    i.seller_tax_id, i.customer_name, i.customer_address, i.customer_postcode, i.customer_city, i.customer_country, \
    i.customer_tax_id, i.reason, v.account_id, v.status, v.paid, v.cancels AS cancels_number, v.cancelled_by";

/// Reads an invoice back, without its lines.
pub(super) fn invoice(row: &MySqlRow) -> Result<Invoice, StoreError> {
    let malformed = |column: &str| StoreError::Stored(format!("invoices.{column} cannot be read back"));
    let named =
        |column: &'static str| Ok::<_, sqlx::Error>(Some(row.try_get::<String, _>(column)?).filter(|n| !n.is_empty()));
    Ok(Invoice {
        number: row.try_get("invoice_number")?,
        cycle: cycle(row.try_get("cycle")?)?,
        first_day: row.try_get("first_day")?,
        end_day: row.try_get("end_day")?,
        starts_at: row.try_get("cycle_start")?,
        ends_at: row.try_get("cycle_end")?,
        timezone: row.try_get::<&str, _>("timezone")?.parse().map_err(|_| malformed("timezone"))?,
        issued_at: row.try_get("issued_at")?,
        issued_on: row.try_get("issued_on")?,
        due_on: row.try_get("due_on")?,
        seller: party(row, "seller", String::new())?,
        customer: party(row, "customer", row.try_get("account_id")?)?,
        lines: Vec::new(),
        net: row.try_get("net")?,
        tax_rate: row.try_get("tax_rate")?,
        exempt: row.try_get("tax_exempt")?,
        tax: row.try_get("tax")?,
        total: row.try_get("total")?,
        rounding: row.try_get("rounding")?,
        currency: row.try_get("currency")?,
        status: Status::parse(row.try_get("status")?).map_err(|_| malformed("status"))?,
        paid: row.try_get("paid")?,
        cancels: named("cancels_number")?,
        cancelled_by: named("cancelled_by")?,
        reason: row.try_get("reason")?,
    })
}

fn party(row: &MySqlRow, who: &str, account_id: String) -> Result<Party, sqlx::Error> {
    let text = |what: &str| row.try_get::<String, _>(format!("{who}_{what}").as_str());
    Ok(Party {
        account_id,
        name: text("name")?,
        address: text("address")?.lines().map(str::to_owned).collect(),
        postcode: text("postcode")?,
        city: text("city")?,
        country: text("country")?,
        tax_id: text("tax_id")?,
    })
}

/// Reads a line back.
pub(super) fn line(row: &MySqlRow) -> Result<InvoiceLine, StoreError> {
    let malformed = |column: &str| StoreError::Stored(format!("invoice_lines.{column} cannot be read back"));
    let service: &str = row.try_get("service")?;
    let service = Some(service).filter(|service| !service.is_empty());
    let from: Option<NaiveDate> = row.try_get("period_from")?;
    let to: Option<NaiveDate> = row.try_get("period_to")?;
    Ok(InvoiceLine {
        line_no: row.try_get("line_no")?,
        kind: LineKind::parse(row.try_get("kind")?).map_err(|_| malformed("kind"))?,
        msisdn: row.try_get("msisdn")?,
        service: service.map(Service::parse).transpose().map_err(|_| malformed("service"))?,
        zone: row.try_get("zone")?,
        own_cycle: row.try_get::<Option<u32>, _>("own_cycle")?.map(cycle).transpose()?,
        plan: row.try_get("plan")?,
        period: from.zip(to),
        description: row.try_get("description")?,
        quantity: row.try_get("quantity")?,
        unit: row.try_get("unit")?,
        exact: row.try_get("exact")?,
        net: row.try_get("net")?,
    })
}

/// A cycle by its stored number.
pub(super) fn cycle(code: u32) -> Result<Cycle, StoreError> {
    Cycle::from_code(code).ok_or_else(|| StoreError::Stored(format!("{code} is no cycle")))
}
