//! Customers as observed at an instant: the columns of the public churn data set.

use chrono::{DateTime, Utc};

use crate::identity::CustomerId;

/// Usage in one part of the day over the observed period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodUsage {
    /// Minutes, 0 to 10^6.
    pub minutes: f64,
    /// Calls, 0 to 10^6.
    pub calls: u32,
    /// Charge in the operator's currency, 0 to 10^6. A feature to learn from, not money to bill.
    pub charge: f64,
}

/// One observation of a customer. Its identity is `(customer_id, observed_at)`.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerSnapshot {
    /// Who.
    pub customer_id: CustomerId,
    /// When (UTC, cut to the millisecond).
    pub observed_at: DateTime<Utc>,
    /// Region, 1 to 8 characters.
    pub state: String,
    /// How long the account has existed.
    pub account_length: u32,
    /// Area code.
    pub area_code: u32,
    /// Has the international plan.
    pub international_plan: bool,
    /// Has the voice mail plan.
    pub voice_mail_plan: bool,
    /// Voice mail messages.
    pub number_vmail_messages: u32,
    /// Day usage.
    pub day: PeriodUsage,
    /// Evening usage.
    pub eve: PeriodUsage,
    /// Night usage.
    pub night: PeriodUsage,
    /// International usage.
    pub intl: PeriodUsage,
    /// Calls to customer service.
    pub customer_service_calls: u32,
    /// Whether the customer left: a labelled example. `None` is a customer to be scored.
    pub churn: Option<bool>,
}
