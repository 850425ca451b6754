//! What is precomputed from the record: sums of usage, how billing cycles stand, customers' calls by cycle, and the latest state of
//! each sensor.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::alarms::Severity;
use crate::customers::PeriodUsage;
use crate::cycles::Cycle;
use crate::identity::CustomerId;
use crate::usage::Service;

/// Usage of one service over one hour or day (UTC).
#[derive(Debug, Clone, PartialEq)]
pub struct UsageSum {
    /// The beginning of the hour or day.
    pub starts_at: DateTime<Utc>,
    /// The service.
    pub service: Service,
    /// The cell, empty where the events named none; `None` sums all cells.
    pub cell: Option<String>,
    /// How many events.
    pub events: u64,
    /// Their usage, in the service's unit.
    pub usage_total: Decimal,
    /// Their charges, in the operator's currency.
    pub amount: Decimal,
    /// How many of the events have no charge.
    pub unrated: u64,
    /// The fold that changed the sum last. It only grows.
    pub version: u64,
}

/// How a billing cycle stands over all accounts, in the operator's currency.
#[derive(Debug, Clone, PartialEq)]
pub struct CycleRevenue {
    /// Which cycle.
    pub cycle: Cycle,
    /// Invoices and credit notes issued.
    pub invoices: u64,
    /// Their sum without tax.
    pub net: Decimal,
    /// Their tax.
    pub tax: Decimal,
    /// Their sum with tax.
    pub total: Decimal,
    /// Charges for usage, not rounded, that its invoices are yet to carry.
    pub open_charges: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// The fold that changed it last. It only grows.
    pub version: u64,
}

/// The latest reading of a sensor, with the alarm that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorLatest {
    /// Which sensor.
    pub sensor_id: String,
    /// The site it watches, empty where it is unknown.
    pub site: String,
    /// When it measured.
    pub measured_at: DateTime<Utc>,
    /// Degrees Celsius.
    pub temperature_c: f64,
    /// Relative humidity in percent.
    pub humidity_pct: Option<f64>,
    /// Degrees north: the reading's, else the sensor's.
    pub latitude: Option<f64>,
    /// Degrees east: the reading's, else the sensor's.
    pub longitude: Option<f64>,
    /// The reading by the sensor's thresholds; `None` is normal.
    pub state: Option<Severity>,
    /// The temperature alarm that is open.
    pub alarm: Option<SensorAlarm>,
}

/// What a sensor measured in one hour (UTC).
#[derive(Debug, Clone, PartialEq)]
pub struct SensorHour {
    /// Which sensor.
    pub sensor_id: String,
    /// The site it watches, empty where it is unknown.
    pub site: String,
    /// The beginning of the hour.
    pub hour: DateTime<Utc>,
    /// How many readings.
    pub readings: u64,
    /// Their mean, in degrees Celsius.
    pub mean_c: f64,
    /// The highest of them.
    pub max_c: f64,
    /// From where on the sensor is critical, where it has a threshold of its own.
    pub critical_c: Option<f64>,
    /// The fold that changed the hour last. It only grows.
    pub version: u64,
}

/// An open alarm, as a sensor's latest state shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SensorAlarm {
    /// Its number.
    pub alarm_id: u64,
    /// Its severity so far.
    pub severity: Severity,
    /// Since when.
    pub opened_at: DateTime<Utc>,
}

/// An account's calls over one billing cycle, from the stored events that the cycle bills, as they are rated now.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerUsage {
    /// Whose account it is: the account's customer, or the account's own id where it names none.
    pub customer_id: CustomerId,
    /// Which account.
    pub account_id: String,
    /// Which cycle.
    pub cycle: Cycle,
    /// Its first instant.
    pub starts_at: DateTime<Utc>,
    /// The first instant after it.
    pub ends_at: DateTime<Utc>,
    /// Calls by day.
    pub day: PeriodUsage,
    /// Calls in the evening.
    pub eve: PeriodUsage,
    /// Calls at night.
    pub night: PeriodUsage,
    /// Calls to other countries, and while roaming.
    pub intl: PeriodUsage,
    /// The fold that changed it last. It only grows.
    pub version: u64,
}
