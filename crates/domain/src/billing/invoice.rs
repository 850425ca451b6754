//! What an invoice says.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::cycles::Cycle;
use crate::identity::Malformed;
use crate::usage::Service;

/// An invoice or credit note as it was issued, and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    /// Its number, such as `MR2026-00000001`.
    pub number: String,
    /// The cycle that it bills.
    pub cycle: Cycle,
    /// The cycle's first day.
    pub first_day: NaiveDate,
    /// The first day after the cycle.
    pub end_day: NaiveDate,
    /// The cycle's first instant.
    pub starts_at: DateTime<Utc>,
    /// The first instant after the cycle.
    pub ends_at: DateTime<Utc>,
    /// The operator's time zone when it was issued.
    pub timezone: Tz,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// The day of that in the operator's time zone.
    pub issued_on: NaiveDate,
    /// The last day to pay.
    pub due_on: NaiveDate,
    /// Who issued it.
    pub seller: Party,
    /// Whom it bills.
    pub customer: Party,
    /// Its lines, by number from 1.
    pub lines: Vec<InvoiceLine>,
    /// Sum of the lines, without tax.
    pub net: Decimal,
    /// Tax on net, as a fraction: 0.20 is 20 %.
    pub tax_rate: Decimal,
    /// The account pays no tax, whatever the rate.
    pub exempt: bool,
    /// The tax.
    pub tax: Decimal,
    /// Net and tax. Negative on a credit note.
    pub total: Decimal,
    /// What rounding the usage and credit lines took (positive) or gave: their exact sums less their nets.
    pub rounding: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// How it stands.
    pub status: Status,
    /// What of it is paid.
    pub paid: Decimal,
    /// The number of the invoice that this credit note cancels.
    pub cancels: Option<String>,
    /// The number of the credit note that cancels this invoice.
    pub cancelled_by: Option<String>,
    /// Why it was cancelled, on the credit note; may be empty.
    pub reason: String,
}

impl Invoice {
    /// Whether the operator owes the customer: the total is negative, or it cancels an invoice.
    pub fn is_credit_note(&self) -> bool {
        self.total.is_sign_negative() && !self.total.is_zero() || self.cancels.is_some()
    }
}

/// Who issues an invoice or is billed by it, as they were when it was issued. All but the name may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// The account's id; empty for the operator.
    pub account_id: String,
    /// Name.
    pub name: String,
    /// Address, by lines.
    pub address: Vec<String>,
    /// Postcode.
    pub postcode: String,
    /// City.
    pub city: String,
    /// ISO 3166 country code.
    pub country: String,
    /// Tax registration.
    pub tax_id: String,
}

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct InvoiceLine {
    /// Its number on the invoice, from 1.
    pub line_no: u32,
    /// What it bills.
    pub kind: LineKind,
    /// The subscriber's number.
    pub msisdn: String,
    /// The service; `None` for a fee.
    pub service: Option<Service>,
    /// The zone of the usage; empty for fees and credits.
    pub zone: String,
    /// The closed cycle that late usage and credits belong to.
    pub own_cycle: Option<Cycle>,
    /// The plan of a fee; empty otherwise.
    pub plan: String,
    /// The active days of a fee: the first one, and the first one after them.
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// For people.
    pub description: String,
    /// Seconds, messages or bytes; the active days of a fee; 1 for a credit.
    pub quantity: Decimal,
    /// `second`, `message`, `byte`, `day` or `item`.
    pub unit: String,
    /// The exact sum of the charges; of a fee, the net.
    pub exact: Decimal,
    /// To be paid, without tax, with 2 decimals.
    pub net: Decimal,
}

/// What a line bills, in the order in which lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineKind {
    /// A plan's fee for the active days of the cycle.
    Fee,
    /// Usage in the cycle.
    Usage,
    /// Usage of an earlier cycle that was stored or first rated after its close.
    LateUsage,
    /// What re-rating changed in an earlier cycle.
    Credit,
}

impl LineKind {
    /// Every kind.
    pub const ALL: [LineKind; 4] = [LineKind::Fee, LineKind::Usage, LineKind::LateUsage, LineKind::Credit];

    /// Its name in views and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fee => "fee",
            Self::Usage => "usage",
            Self::LateUsage => "late_usage",
            Self::Credit => "credit",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| Malformed("expected fee, usage, late_usage or credit".into()))
    }
}

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Issued, and not yet to be paid.
    Issued,
    /// Payments reach its total.
    Paid,
    /// The last day to pay has passed.
    Overdue,
    /// A credit note cancels it.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 4] = [Status::Issued, Status::Paid, Status::Overdue, Status::Cancelled];

    /// Its name in views and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Paid => "paid",
            Self::Overdue => "overdue",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let status = Self::ALL.into_iter().find(|status| status.as_str() == text);
        status.ok_or_else(|| Malformed("expected issued, paid, overdue or cancelled".into()))
    }
}
