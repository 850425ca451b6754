//! The tick: a unit of money so small that every price of a prefix is a whole number of it.
//!
//! Prices are decimals *per* some units, so sums of charges are fractions. Over the common denominator of a prefix they are
//! whole numbers, and the one rounding at the end is the only one.

use rust_decimal::Decimal;

use super::spec::{RateSpec, Rounding};

/// One unit of currency is at most so many ticks. A `u128` then holds sums up to 10^16, a hundred times what a charge may be.
const MAX_TICKS: u128 = 10_u128.pow(22);

/// The most that a price, a fee or a limit may be.
const MAX_MONEY: u64 = 1_000_000_000_000;

/// The common denominator of a prefix.
pub(crate) struct Unit {
    scale: u32,
    per: u128,
}

/// Checks that a price can be counted in ticks.
pub(crate) fn check_money(amount: Decimal) -> Result<(), String> {
    if amount.is_sign_negative() && !amount.is_zero() {
        Err("must not be negative".into())
    } else if amount > Decimal::from(MAX_MONEY) {
        Err(format!("expected at most {MAX_MONEY}"))
    } else {
        Ok(())
    }
}

impl Unit {
    /// Finds the unit of the rates of a prefix; `None` when it would be too small.
    pub(crate) fn of(rates: &[&RateSpec]) -> Option<Self> {
        let scale = |amount: Decimal| amount.normalize().scale();
        let mut unit = Self { scale: 0, per: 1 };
        for rate in rates {
            unit.scale = unit.scale.max(scale(rate.connect_fee));
            unit.scale = unit.scale.max(rate.max.as_ref().map_or(0, |max| scale(max.cost)));
            for step in &rate.steps {
                unit.scale = unit.scale.max(scale(step.price));
                unit.per = unit.per / gcd(unit.per, step.per.into()) * u128::from(step.per);
                if unit.per > MAX_TICKS {
                    return None;
                }
            }
        }
        let ticks = 10_u128.checked_pow(unit.scale)?.checked_mul(unit.per)?;
        (ticks <= MAX_TICKS).then_some(unit)
    }

    /// How many ticks are one unit of currency.
    pub(crate) fn ticks(&self) -> u128 {
        10_u128.pow(self.scale) * self.per
    }

    /// A price of `per` units as the ticks of one. It saturates for what does not belong to the unit; nothing here does.
    pub(crate) fn price(&self, price: Decimal, per: u64) -> u128 {
        let price = price.normalize();
        let scaled =
            price.mantissa().unsigned_abs().saturating_mul(10_u128.pow(self.scale.saturating_sub(price.scale())));
        scaled.saturating_mul(self.per / u128::from(per.max(1)))
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Rounds a sum of ticks to an amount with `decimals`; `None` when it is too large to be one.
pub(crate) fn round(sum: u128, ticks: u128, rounding: Rounding, decimals: u32) -> Option<Decimal> {
    let power = 10_u128.pow(decimals);
    let (whole, rest) = (sum / ticks, sum % ticks);
    // rest < ticks <= 10^22, so this cannot overflow for any number of decimals that is asked for.
    let (cut, left) = (rest * power / ticks, rest * power % ticks);
    let more = match rounding {
        Rounding::Up => left > 0,
        Rounding::HalfUp => left * 2 >= ticks,
        Rounding::Down => false,
    };
    let value = whole.checked_mul(power)?.checked_add(cut + u128::from(more))?;
    Decimal::try_from_i128_with_scale(i128::try_from(value).ok()?, decimals).ok()
}
