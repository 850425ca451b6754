//! The operator's reference data: who is billed for what, and where things stand.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::alarms::Thresholds;
use crate::identity::{CellId, Msisdn, SensorId};
use crate::tariffs::Tariff;

/// The operator whose platform this is.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// Its name, as on invoices.
    pub name: String,
    /// Its address, by lines.
    pub address: Vec<String>,
    /// ISO 4217 code of everything billed.
    pub currency: String,
    /// Where its days and cycles begin.
    pub timezone: Tz,
    /// Tax on net, as a fraction: 0.20 is 20 %.
    pub tax_rate: Decimal,
    /// What invoice numbers begin with.
    pub invoice_prefix: String,
    /// Days until an invoice is overdue.
    pub payment_days: u16,
    /// Hours after a cycle's end until the schedule closes it.
    pub close_after_hours: u16,
    /// Tax registration; may be empty, as may those that follow.
    pub tax_id: String,
    /// Postcode.
    pub postcode: String,
    /// City.
    pub city: String,
    /// ISO 3166 country code.
    pub country: String,
}

/// One version of a tariff.
#[derive(Debug, Clone, PartialEq)]
pub struct TariffVersion {
    /// The tariff's name; a version is named by it and `valid_from`.
    pub name: String,
    /// In force from here.
    pub valid_from: DateTime<Utc>,
    /// Until here, exclusive; `None` is open.
    pub valid_to: Option<DateTime<Utc>>,
    /// The rates.
    pub tariff: Tariff,
}

/// What a subscription buys.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its name.
    pub plan: String,
    /// For people.
    pub description: String,
    /// For a whole cycle.
    pub fee: Decimal,
    /// The tariff's name.
    pub tariff: String,
}

/// Who is billed.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its id.
    pub account_id: String,
    /// The customer's name.
    pub name: String,
    /// Market segment.
    pub segment: String,
    /// City.
    pub city: String,
    /// Day of the month on which its cycles begin, 1 to 28.
    pub cycle_day: u8,
    /// Pays no tax.
    pub tax_exempt: bool,
    /// The customer that scores speak of; may be empty, as may those that follow.
    pub customer_id: String,
    /// Street address.
    pub address: String,
    /// Postcode.
    pub postcode: String,
    /// ISO 3166 country code.
    pub country: String,
    /// Tax registration.
    pub tax_id: String,
}

/// A number's plan over a span of days (operator's time zone).
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    /// The number.
    pub msisdn: Msisdn,
    /// First day.
    pub active_from: NaiveDate,
    /// First day after the last; `None` is open.
    pub active_to: Option<NaiveDate>,
    /// Who pays.
    pub account_id: String,
    /// For what.
    pub plan: String,
}

/// A payment of an invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// Whoever took the payment knows it by this.
    pub reference: String,
    /// The invoice.
    pub invoice_number: String,
    /// The day (operator's time zone).
    pub paid_on: NaiveDate,
    /// In the operator's currency, with up to 2 decimals; negative when an earlier payment was taken back.
    pub amount: Decimal,
}

/// A radio cell and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Its id.
    pub cell: CellId,
    /// The site it belongs to.
    pub site: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// A sensor and its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    /// Its id.
    pub sensor_id: SensorId,
    /// The site it watches.
    pub site: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Limits that differ from the platform's; each may be missing.
    pub limits: PartialThresholds,
}

/// Limits of a sensor where each may be left to the default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PartialThresholds {
    /// See [`Thresholds::warning_c`].
    pub warning_c: Option<f64>,
    /// See [`Thresholds::critical_c`].
    pub critical_c: Option<f64>,
    /// See [`Thresholds::hysteresis_c`].
    pub hysteresis_c: Option<f64>,
}

impl PartialThresholds {
    /// Fills what is missing from the platform's defaults.
    pub fn or_default(self) -> Thresholds {
        let default = Thresholds::default();
        Thresholds {
            warning_c: self.warning_c.unwrap_or(default.warning_c),
            critical_c: self.critical_c.unwrap_or(default.critical_c),
            hysteresis_c: self.hysteresis_c.unwrap_or(default.hysteresis_c),
        }
    }
}
