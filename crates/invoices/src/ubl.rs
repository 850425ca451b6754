//! The invoice as UBL 2.1 with the fields of EN 16931, as docs/ubl.md lays down.
//!
//! A document says what was issued: payments and later cancellations are not part of it.

mod parties;
mod xml;

use millrace_domain::billing::{Invoice, InvoiceLine};
use rust_decimal::Decimal;

use crate::json::plain;
use crate::sheet::money;
use parties::Parties;
use xml::Xml;

const COMMON_AGGREGATES: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
const COMMON_BASICS: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";
const EN_16931: &str = "urn:cen.eu:en16931:2017";

/// Why an invoice is no electronic invoice by EN 16931.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UblError {
    /// The standard requires a field that was empty when the invoice was issued.
    #[error("{field}: EN 16931 requires it ({term}), and it was empty when {number} was issued")]
    Missing {
        /// The field of the reference data, such as `operator.country`.
        field: &'static str,
        /// The standard's name of it, such as `BT-40`.
        term: &'static str,
        /// The invoice.
        number: String,
    },
    /// A country is not given by its code.
    #[error(
        "{field}: EN 16931 requires an ISO 3166-1 code of two letters, such as MA ({term}); {number} says {found:?}"
    )]
    Country {
        /// The field of the reference data.
        field: &'static str,
        /// The standard's name of it.
        term: &'static str,
        /// What stands there.
        found: String,
        /// The invoice.
        number: String,
    },
}

/// The invoice as a UBL 2.1 `Invoice`, or as a `CreditNote` with positive amounts when its total is negative.
///
/// # Errors
/// When a field that EN 16931 requires was empty when it was issued.
pub fn ubl(invoice: &Invoice) -> Result<String, UblError> {
    let kind = Kind::of(invoice);
    let tax = Tax::of(invoice);
    let parties = Parties::of(invoice)?;
    let mut xml = Xml::new();
    let namespaces = [("xmlns", kind.namespace()), ("xmlns:cac", COMMON_AGGREGATES), ("xmlns:cbc", COMMON_BASICS)];
    xml.root(kind.root(), &namespaces, |xml| {
        head(xml, invoice, kind);
        parties.write(xml, invoice);
        if kind.is_credit() {
            // A credit note has no due date; the standard takes terms in its place.
            xml.group("cac:PaymentTerms", |xml| {
                xml.text("cbc:Note", "To be set off against the account or paid back.");
            });
        }
        Writer { invoice, kind, tax }.body(xml);
    });
    Ok(xml.finish())
}

/// Which document it is, and so the sign that makes its amounts positive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invoice,
    /// A cancelled credit note is charged again.
    DebitNote,
    CreditNote,
}

impl Kind {
    fn of(invoice: &Invoice) -> Self {
        match (invoice.cancels.is_some(), invoice.total.cmp(&Decimal::ZERO)) {
            (_, std::cmp::Ordering::Less) | (true, std::cmp::Ordering::Equal) => Self::CreditNote,
            (true, std::cmp::Ordering::Greater) => Self::DebitNote,
            (false, _) => Self::Invoice,
        }
    }

    fn is_credit(self) -> bool {
        self == Self::CreditNote
    }

    fn root(self) -> &'static str {
        if self.is_credit() { "CreditNote" } else { "Invoice" }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::CreditNote => "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
            Self::Invoice | Self::DebitNote => "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
        }
    }

    /// UNTDID 1001.
    fn code(self) -> &'static str {
        match self {
            Self::Invoice => "380",
            Self::DebitNote => "383",
            Self::CreditNote => "381",
        }
    }

    fn sign(self, amount: Decimal) -> Decimal {
        if self.is_credit() && !amount.is_zero() { -amount } else { amount }
    }
}

fn head(xml: &mut Xml, invoice: &Invoice, kind: Kind) {
    xml.text("cbc:CustomizationID", EN_16931);
    xml.text("cbc:ID", &invoice.number);
    xml.text("cbc:IssueDate", invoice.issued_on);
    if kind.is_credit() {
        xml.text("cbc:CreditNoteTypeCode", kind.code());
    } else {
        xml.text("cbc:DueDate", invoice.due_on);
        xml.text("cbc:InvoiceTypeCode", kind.code());
    }
    xml.text("cbc:Note", &invoice.reason);
    xml.text("cbc:DocumentCurrencyCode", &invoice.currency);
    xml.group("cac:InvoicePeriod", |xml| {
        xml.text("cbc:StartDate", invoice.first_day);
        xml.text("cbc:EndDate", invoice.end_day.pred_opt().unwrap_or(invoice.end_day));
    });
    if let Some(cancels) = &invoice.cancels {
        xml.group("cac:BillingReference", |xml| {
            xml.group("cac:InvoiceDocumentReference", |xml| xml.text("cbc:ID", cancels));
        });
    }
}

/// How the invoice is taxed: as a whole, for each account is either exempt or not.
#[derive(Clone)]
struct Tax {
    /// UNTDID 5305, as far as EN 16931 uses it.
    category: Category,
    percent: Decimal,
}

/// UNTDID 5305.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Category {
    /// The standard rate.
    Standard,
    /// The account is exempt.
    Exempt,
    /// The rate is 0.
    Zero,
}

impl Tax {
    fn of(invoice: &Invoice) -> Self {
        let category = match (invoice.exempt, invoice.tax_rate.is_zero()) {
            (true, _) => Category::Exempt,
            (false, true) => Category::Zero,
            (false, false) => Category::Standard,
        };
        let percent = match category {
            Category::Standard => invoice.tax_rate * Decimal::ONE_HUNDRED,
            Category::Exempt | Category::Zero => Decimal::ZERO,
        };
        Self { category, percent }
    }

    /// A category with its rate; the breakdown also says why no tax is due.
    fn write(&self, xml: &mut Xml, element: &str, with_reason: bool) {
        let (code, reason) = match self.category {
            Category::Standard => ("S", ""),
            Category::Exempt => ("E", "The account is exempt from tax"),
            Category::Zero => ("Z", ""),
        };
        xml.group(element, |xml| {
            xml.text("cbc:ID", code);
            xml.text("cbc:Percent", plain(self.percent));
            if with_reason {
                xml.text("cbc:TaxExemptionReason", reason);
            }
            xml.group("cac:TaxScheme", |xml| xml.text("cbc:ID", "VAT"));
        });
    }
}

/// Writes what has amounts.
struct Writer<'a> {
    invoice: &'a Invoice,
    kind: Kind,
    tax: Tax,
}

impl Writer<'_> {
    fn body(&self, xml: &mut Xml) {
        let invoice = self.invoice;
        xml.group("cac:TaxTotal", |xml| {
            self.amount(xml, "cbc:TaxAmount", invoice.tax);
            xml.group("cac:TaxSubtotal", |xml| {
                self.amount(xml, "cbc:TaxableAmount", invoice.net);
                self.amount(xml, "cbc:TaxAmount", invoice.tax);
                self.tax.write(xml, "cac:TaxCategory", true);
            });
        });
        xml.group("cac:LegalMonetaryTotal", |xml| {
            self.amount(xml, "cbc:LineExtensionAmount", invoice.net);
            self.amount(xml, "cbc:TaxExclusiveAmount", invoice.net);
            self.amount(xml, "cbc:TaxInclusiveAmount", invoice.total);
            self.amount(xml, "cbc:PayableAmount", invoice.total);
        });
        for line in &invoice.lines {
            self.line(xml, line);
        }
    }

    fn amount(&self, xml: &mut Xml, element: &str, amount: Decimal) {
        xml.with(element, &[("currencyID", &self.invoice.currency)], money(self.kind.sign(amount)));
    }

    /// A price must not be negative, so the quantity has the sign. What a unit cost differs from event to event: the price is
    /// that of the whole quantity, which gives the line's net exactly.
    fn line(&self, xml: &mut Xml, line: &InvoiceLine) {
        let net = self.kind.sign(line.net);
        let (size, unit) = match line.quantity.abs() {
            // Of nothing there is no price; it is billed as one item.
            quantity if quantity.is_zero() => (Decimal::ONE, "C62"),
            quantity => (quantity, unit_code(&line.unit)),
        };
        let quantity = if net.is_sign_negative() && !net.is_zero() { -size } else { size };
        let (element, quantity_element) = if self.kind.is_credit() {
            ("cac:CreditNoteLine", "cbc:CreditedQuantity")
        } else {
            ("cac:InvoiceLine", "cbc:InvoicedQuantity")
        };
        xml.group(element, |xml| {
            xml.text("cbc:ID", line.line_no);
            xml.with(quantity_element, &[("unitCode", unit)], plain(quantity));
            self.amount(xml, "cbc:LineExtensionAmount", line.net);
            if let Some((from, to)) = line.period {
                xml.group("cac:InvoicePeriod", |xml| {
                    xml.text("cbc:StartDate", from);
                    xml.text("cbc:EndDate", to.pred_opt().unwrap_or(to));
                });
            }
            xml.group("cac:Item", |xml| {
                xml.text(
                    "cbc:Name",
                    if line.description.trim().is_empty() { line.kind.as_str() } else { &line.description },
                );
                self.tax.write(xml, "cac:ClassifiedTaxCategory", false);
                properties(xml, line);
            });
            xml.group("cac:Price", |xml| {
                xml.with("cbc:PriceAmount", &[("currencyID", &self.invoice.currency)], money(net.abs()));
                xml.with("cbc:BaseQuantity", &[("unitCode", unit)], plain(size));
            });
        });
    }
}

/// What of a line the standard has no field for.
fn properties(xml: &mut Xml, line: &InvoiceLine) {
    let own_cycle = line.own_cycle.map(|cycle| cycle.to_string()).unwrap_or_default();
    let properties = [
        ("Kind", line.kind.as_str()),
        ("Number", &line.msisdn),
        ("Service", line.service.map_or("", |service| service.as_str())),
        ("Zone", &line.zone),
        ("Plan", &line.plan),
        ("Cycle", &own_cycle),
    ];
    for (name, value) in properties {
        if !value.trim().is_empty() {
            xml.group("cac:AdditionalItemProperty", |xml| {
                xml.text("cbc:Name", name);
                xml.text("cbc:Value", value);
            });
        }
    }
}

/// UN/ECE recommendation 20. Messages and items are counted.
fn unit_code(unit: &str) -> &'static str {
    match unit {
        "second" => "SEC",
        "byte" => "AD",
        "day" => "DAY",
        _ => "C62",
    }
}
