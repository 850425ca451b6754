//! Writing tariff files.

use chrono::Weekday;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use millrace_domain::tariffs::{RateSpec, Tariff, TariffSpec, TimingSpec};

use crate::fields;
use crate::tariff::WEEKDAYS;

/// Writes a tariff file that [`super::tariff::parse`] reads as the same tariff.
pub fn write(tariff: &Tariff) -> String {
    String::from_utf8(fields::to_json(&TariffShape::of(tariff.spec()))).unwrap_or_default()
}

#[derive(Serialize)]
pub(crate) struct TariffShape<'a> {
    currency: &'a str,
    timezone: &'a str,
    timings: TimingsShape<'a>,
    rates: Vec<RateShape<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowances: Vec<AllowanceShape>,
}

struct TimingsShape<'a>(&'a [(String, TimingSpec)]);

#[derive(Serialize)]
struct TimingShape<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    weekdays: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    months: Option<&'a [u32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month_days: Option<&'a [u32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    years: Option<&'a [i32]>,
}

#[derive(Serialize)]
struct RateShape<'a> {
    service: &'static str,
    prefix: &'a str,
    timing: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    roaming: Option<bool>,
    weight: i32,
    connect_fee: String,
    steps: Vec<StepShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_cost: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_max: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    rounding: &'static str,
    decimals: u32,
}

#[derive(Serialize)]
struct StepShape {
    from: u64,
    price: String,
    per: u64,
    increment: u64,
}

#[derive(Serialize)]
struct AllowanceShape {
    service: &'static str,
    amount: u64,
}

impl<'a> TariffShape<'a> {
    pub(crate) fn of(spec: &'a TariffSpec) -> Self {
        let allowance = |allowance: &millrace_domain::tariffs::AllowanceSpec| AllowanceShape {
            service: allowance.service.as_str(),
            amount: allowance.amount,
        };
        Self {
            currency: &spec.currency,
            timezone: spec.timezone.name(),
            timings: TimingsShape(&spec.timings),
            rates: spec.rates.iter().map(RateShape::of).collect(),
            allowances: spec.allowances.iter().map(allowance).collect(),
        }
    }
}

impl Serialize for TimingsShape<'_> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let mut map = output.serialize_map(Some(self.0.len()))?;
        for (name, timing) in self.0 {
            map.serialize_entry(name, &TimingShape::of(timing))?;
        }
        map.end()
    }
}

impl<'a> TimingShape<'a> {
    fn of(spec: &'a TimingSpec) -> Self {
        let day = |day: &Weekday| WEEKDAYS[day.num_days_from_monday() as usize].0;
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        Self {
            weekdays: spec.weekdays.as_ref().map(|days| days.iter().map(day).collect()),
            from: spec.from.map(clock),
            to: spec.to.map(clock),
            months: spec.months.as_deref(),
            month_days: spec.month_days.as_deref(),
            years: spec.years.as_deref(),
        }
    }
}

impl<'a> RateShape<'a> {
    fn of(spec: &'a RateSpec) -> Self {
        let step = |step: &millrace_domain::tariffs::StepSpec| StepShape {
            from: step.from,
            price: step.price.to_string(),
            per: step.per,
            increment: step.increment,
        };
        Self {
            service: spec.service.as_str(),
            prefix: &spec.prefix,
            timing: &spec.timing,
            roaming: spec.roaming,
            weight: spec.weight,
            connect_fee: spec.connect_fee.to_string(),
            steps: spec.steps.iter().map(step).collect(),
            max_cost: spec.max.as_ref().map(|max| max.cost.to_string()),
            after_max: spec.max.as_ref().map(|max| max.after.as_str()),
            zone: spec.zone.as_deref(),
            rounding: spec.rounding.as_str(),
            decimals: spec.decimals,
        }
    }
}
