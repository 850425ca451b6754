//! What a model may read of a customer: the columns of a snapshot, sums of them, and the platform's own usage.

use millrace_domain::aggregates::CustomerUsage;
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};

/// The usage that the platform itself measured in the last complete billing cycle before an observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlatformUsage {
    /// By day.
    pub day: PeriodUsage,
    /// In the evening.
    pub eve: PeriodUsage,
    /// At night.
    pub night: PeriodUsage,
    /// Abroad.
    pub intl: PeriodUsage,
}

impl From<&CustomerUsage> for PlatformUsage {
    fn from(usage: &CustomerUsage) -> Self {
        Self { day: usage.day, eve: usage.eve, night: usage.night, intl: usage.intl }
    }
}

/// What is known of a customer when a model looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation<'a> {
    /// The snapshot that streamed in. Its label is never read.
    pub customer: &'a CustomerSnapshot,
    /// The platform's own measurement; `None` when it has none of that customer. Only artefacts that say
    /// [`uses_platform_usage`](crate::Artefact::uses_platform_usage) read it.
    pub platform: Option<PlatformUsage>,
}

impl<'a> From<&'a CustomerSnapshot> for Observation<'a> {
    fn from(customer: &'a CustomerSnapshot) -> Self {
        Self { customer, platform: None }
    }
}

/// The column that is text: each category's value is learnt.
pub const STATE: &str = "state";

/// A column of numbers.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    /// Its name in artefacts, reasons and model cards.
    pub name: &'static str,
    /// Its value; NaN when it is missing.
    pub value: fn(&Observation<'_>) -> f64,
    /// Whether it reads [`Observation::platform`].
    pub platform: bool,
}

impl PartialEq for Feature {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Feature {
    /// The column of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NUMBERS.into_iter().find(|feature| feature.name == name)
    }
}

fn flag(flag: bool) -> f64 {
    f64::from(u8::from(flag))
}

/// A column of the snapshot.
macro_rules! snapshot {
    ($name:literal, $customer:ident, $value:expr) => {
        Feature {
            name: $name,
            value: |observation| {
                let $customer = observation.customer;
                $value
            },
            platform: false,
        }
    };
}

/// A column of the platform's own usage.
macro_rules! platform {
    ($name:literal, $usage:ident, $value:expr) => {
        Feature {
            name: $name,
            value: |observation| observation.platform.as_ref().map_or(f64::NAN, |$usage| $value),
            platform: true,
        }
    };
}

/// Every column of numbers, in the order in which artefacts list them.
pub const NUMBERS: [Feature; 33] = [
    snapshot!("account_length", customer, f64::from(customer.account_length)),
    snapshot!("area_code", customer, f64::from(customer.area_code)),
    snapshot!("international_plan", customer, flag(customer.international_plan)),
    snapshot!("voice_mail_plan", customer, flag(customer.voice_mail_plan)),
    snapshot!("number_vmail_messages", customer, f64::from(customer.number_vmail_messages)),
    snapshot!("total_day_minutes", customer, customer.day.minutes),
    snapshot!("total_day_calls", customer, f64::from(customer.day.calls)),
    snapshot!("total_day_charge", customer, customer.day.charge),
    snapshot!("total_eve_minutes", customer, customer.eve.minutes),
    snapshot!("total_eve_calls", customer, f64::from(customer.eve.calls)),
    snapshot!("total_eve_charge", customer, customer.eve.charge),
    snapshot!("total_night_minutes", customer, customer.night.minutes),
    snapshot!("total_night_calls", customer, f64::from(customer.night.calls)),
    snapshot!("total_night_charge", customer, customer.night.charge),
    snapshot!("total_intl_minutes", customer, customer.intl.minutes),
    snapshot!("total_intl_calls", customer, f64::from(customer.intl.calls)),
    snapshot!("total_intl_charge", customer, customer.intl.charge),
    snapshot!("customer_service_calls", customer, f64::from(customer.customer_service_calls)),
    snapshot!("total_minutes", customer, sum(customer, |period| period.minutes)),
    snapshot!("total_calls", customer, sum(customer, |period| f64::from(period.calls))),
    snapshot!("total_charge", customer, sum(customer, |period| period.charge)),
    platform!("platform_day_minutes", usage, usage.day.minutes),
    platform!("platform_day_calls", usage, f64::from(usage.day.calls)),
    platform!("platform_day_charge", usage, usage.day.charge),
    platform!("platform_eve_minutes", usage, usage.eve.minutes),
    platform!("platform_eve_calls", usage, f64::from(usage.eve.calls)),
    platform!("platform_eve_charge", usage, usage.eve.charge),
    platform!("platform_night_minutes", usage, usage.night.minutes),
    platform!("platform_night_calls", usage, f64::from(usage.night.calls)),
    platform!("platform_night_charge", usage, usage.night.charge),
    platform!("platform_intl_minutes", usage, usage.intl.minutes),
    platform!("platform_intl_calls", usage, f64::from(usage.intl.calls)),
    platform!("platform_intl_charge", usage, usage.intl.charge),
];

fn sum(customer: &CustomerSnapshot, of: impl Fn(&PeriodUsage) -> f64) -> f64 {
    of(&customer.day) + of(&customer.eve) + of(&customer.night) + of(&customer.intl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_once() {
        for (index, feature) in NUMBERS.iter().enumerate() {
            assert!(NUMBERS[..index].iter().all(|earlier| earlier.name != feature.name), "{}", feature.name);
            assert_eq!(feature.platform, feature.name.starts_with("platform_"));
        }
    }
}
