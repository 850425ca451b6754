//! Records of `customers`: the columns of the public churn data set in snake case.

use chrono::{DateTime, Utc};
use serde::Serialize;

use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::CustomerId;

use crate::fields::{self, Value};
use crate::{Rejection, times};

/// The most that a count, minutes or a charge may be.
const MAX: u64 = 1_000_000;

/// Every field, in the order of the topic's description.
pub(crate) const NAMES: [&str; 22] = [
    "customer_id",
    "observed_at",
    "state",
    "account_length",
    "area_code",
    "international_plan",
    "voice_mail_plan",
    "number_vmail_messages",
    "total_day_minutes",
    "total_day_calls",
    "total_day_charge",
    "total_eve_minutes",
    "total_eve_calls",
    "total_eve_charge",
    "total_night_minutes",
    "total_night_calls",
    "total_night_charge",
    "total_intl_minutes",
    "total_intl_calls",
    "total_intl_charge",
    "customer_service_calls",
    "churn",
];

/// Reads a snapshot from a record's value. `record_time` is the broker's.
///
/// # Errors
/// Names the first field, in the order of the topic's description, that is missing or wrong.
pub fn decode(json: &[u8], record_time: DateTime<Utc>) -> Result<CustomerSnapshot, Rejection> {
    let record = Record(fields::scan(json, &NAMES)?);
    let customer_id = fields::parsed(NAMES[0], record.required(0)?, CustomerId::parse)?;
    let observed_at = fields::time(NAMES[1], record.required(1)?)?;
    times::check_not_ahead(NAMES[1], observed_at, record_time)?;
    let state = fields::text(NAMES[2], record.required(2)?)?;
    if !(1..=8).contains(&state.chars().count()) {
        return Err(Rejection::new(NAMES[2], "expected 1 to 8 characters"));
    }
    Ok(CustomerSnapshot {
        customer_id,
        observed_at,
        state: state.into_owned(),
        account_length: record.count(3)?,
        area_code: record.count(4)?,
        international_plan: record.plan(5)?,
        voice_mail_plan: record.plan(6)?,
        number_vmail_messages: record.count(7)?,
        day: record.period(8)?,
        eve: record.period(11)?,
        night: record.period(14)?,
        intl: record.period(17)?,
        customer_service_calls: record.count(20)?,
        churn: record.churn(21)?,
    })
}

/// The values of a record by their place in [`NAMES`].
struct Record<'a>([Option<Value<'a>>; NAMES.len()]);

impl<'a> Record<'a> {
    fn required(&self, at: usize) -> Result<Value<'a>, Rejection> {
        fields::required(NAMES[at], self.0[at])
    }

    fn count(&self, at: usize) -> Result<u32, Rejection> {
        // At most MAX, so nothing is cut off.
        fields::integer(NAMES[at], self.required(at)?, MAX).map(|count| count as u32)
    }

    fn amount(&self, at: usize) -> Result<f64, Rejection> {
        fields::float(NAMES[at], self.required(at)?, 0.0..=MAX as f64)
    }

    /// Minutes, calls and charge stand one after another.
    fn period(&self, at: usize) -> Result<PeriodUsage, Rejection> {
        Ok(PeriodUsage { minutes: self.amount(at)?, calls: self.count(at + 1)?, charge: self.amount(at + 2)? })
    }

    fn plan(&self, at: usize) -> Result<bool, Rejection> {
        let value = self.required(at)?;
        let plan = value.boolean().or_else(|| match value.text().as_deref() {
            Some("Yes") => Some(true),
            Some("No") => Some(false),
            _ => None,
        });
        plan.ok_or_else(|| Rejection::new(NAMES[at], "expected Yes, No, true or false"))
    }

    fn churn(&self, at: usize) -> Result<Option<bool>, Rejection> {
        let Some(value) = self.0[at] else {
            return Ok(None);
        };
        if let Some(churn) = value.boolean() {
            return Ok(Some(churn));
        }
        match value.text().as_deref() {
            Some("") => Ok(None),
            Some("True" | "true") => Ok(Some(true)),
            Some("False" | "false") => Ok(Some(false)),
            _ => Err(Rejection::new(NAMES[at], "expected True, False or nothing")),
        }
    }
}

/// Writes a snapshot as a record's value.
pub fn encode(customer: &CustomerSnapshot) -> Vec<u8> {
    let yes_no = |plan| if plan { "Yes" } else { "No" };
    fields::to_json(&Shape {
        customer_id: customer.customer_id.as_str(),
        observed_at: times::format(customer.observed_at),
        state: &customer.state,
        account_length: customer.account_length,
        area_code: customer.area_code,
        international_plan: yes_no(customer.international_plan),
        voice_mail_plan: yes_no(customer.voice_mail_plan),
        number_vmail_messages: customer.number_vmail_messages,
        total_day_minutes: customer.day.minutes,
        total_day_calls: customer.day.calls,
        total_day_charge: customer.day.charge,
        total_eve_minutes: customer.eve.minutes,
        total_eve_calls: customer.eve.calls,
        total_eve_charge: customer.eve.charge,
        total_night_minutes: customer.night.minutes,
        total_night_calls: customer.night.calls,
        total_night_charge: customer.night.charge,
        total_intl_minutes: customer.intl.minutes,
        total_intl_calls: customer.intl.calls,
        total_intl_charge: customer.intl.charge,
        customer_service_calls: customer.customer_service_calls,
        churn: customer.churn,
    })
}

#[derive(Serialize)]
struct Shape<'a> {
    customer_id: &'a str,
    observed_at: String,
    state: &'a str,
    account_length: u32,
    area_code: u32,
    international_plan: &'a str,
    voice_mail_plan: &'a str,
    number_vmail_messages: u32,
    total_day_minutes: f64,
    total_day_calls: u32,
    total_day_charge: f64,
    total_eve_minutes: f64,
    total_eve_calls: u32,
    total_eve_charge: f64,
    total_night_minutes: f64,
    total_night_calls: u32,
    total_night_charge: f64,
    total_intl_minutes: f64,
    total_intl_calls: u32,
    total_intl_charge: f64,
    customer_service_calls: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    churn: Option<bool>,
}
