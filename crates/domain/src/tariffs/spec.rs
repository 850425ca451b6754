//! What a tariff file says, before it is known to make sense.

use chrono::Weekday;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::usage::Service;

/// A tariff as it is written down. [`super::Tariff::new`] checks it.
#[derive(Debug, Clone, PartialEq)]
pub struct TariffSpec {
    /// ISO 4217 code of its prices.
    pub currency: String,
    /// Whose wall clock its timings mean.
    pub timezone: Tz,
    /// The timings by name, in the file's order.
    pub timings: Vec<(String, TimingSpec)>,
    /// What is charged.
    pub rates: Vec<RateSpec>,
    /// What is free, for each number and billing cycle.
    pub allowances: Vec<AllowanceSpec>,
}

/// When a rate holds. What is `None` does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimingSpec {
    /// Days of the week.
    pub weekdays: Option<Vec<Weekday>>,
    /// First minute of the day, 0 to 1439.
    pub from: Option<u16>,
    /// First minute after the last, up to 1440, which is midnight's end.
    pub to: Option<u16>,
    /// 1 to 12.
    pub months: Option<Vec<u32>>,
    /// 1 to 31.
    pub month_days: Option<Vec<u32>>,
    /// Calendar years.
    pub years: Option<Vec<i32>>,
}

/// What one service costs towards one prefix while one timing holds.
#[derive(Debug, Clone, PartialEq)]
pub struct RateSpec {
    /// The service, which decides the unit.
    pub service: Service,
    /// First digits of the destination, a leading `+` not counted on either; empty matches every destination, and a missing one.
    pub prefix: String,
    /// Name of a timing.
    pub timing: String,
    /// `None` matches both.
    pub roaming: Option<bool>,
    /// The highest wins among rates of the longest prefix that hold.
    pub weight: i32,
    /// Charged once for an event that charges anything.
    pub connect_fee: Decimal,
    /// Prices by how far the event has come.
    pub steps: Vec<StepSpec>,
    /// The most that an event may cost.
    pub max: Option<MaxCost>,
    /// The name under which usage is summed for people.
    pub zone: Option<String>,
    /// How the event's total is rounded.
    pub rounding: Rounding,
    /// To how many decimals.
    pub decimals: u32,
}

impl RateSpec {
    /// The digits of the prefix.
    pub(crate) fn digits(&self) -> &str {
        self.prefix.strip_prefix('+').unwrap_or(&self.prefix)
    }
}

/// The price from a unit of the event on.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSpec {
    /// The unit, counted from the event's start.
    pub from: u64,
    /// The price of `per` units.
    pub price: Decimal,
    /// How many units the price is for.
    pub per: u64,
    /// Each started increment is charged whole.
    pub increment: u64,
}

/// A limit of an event's cost, connect fee included.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxCost {
    /// The limit.
    pub cost: Decimal,
    /// What becomes of an event that costs more.
    pub after: AfterMax,
}

/// What happens above a limit of cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterMax {
    /// The rest is free.
    Free,
    /// The event is refused.
    Reject,
}

impl AfterMax {
    /// Its name in a tariff file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Reject => "reject",
        }
    }
}

/// How a total becomes an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero.
    Up,
    /// To the nearest, halves away from zero.
    HalfUp,
    /// Towards zero.
    Down,
}

impl Rounding {
    /// Its name in a tariff file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::HalfUp => "half_up",
            Self::Down => "down",
        }
    }
}

/// Units that are free for each number and billing cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowanceSpec {
    /// The service.
    pub service: Service,
    /// Its units.
    pub amount: u64,
}
