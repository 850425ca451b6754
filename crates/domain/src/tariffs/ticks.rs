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

/// Rounds a sum of ticks to an amount with up to 8 decimals; `None` when it is too large to be one.
pub(crate) fn round(sum: u128, ticks: u128, rounding: Rounding, decimals: u32) -> Option<Decimal> {
    let more = |left_is_any: bool, left_is_half: bool| match rounding {
        Rounding::Up => left_is_any,
        Rounding::HalfUp => left_is_half,
        Rounding::Down => false,
    };
    let power = 10_u64.pow(decimals);
    // Nearly always all of it fits in 64 bits, whose divisions take a tenth of the time.
    let (whole, rest) = match (u64::try_from(sum), u64::try_from(ticks)) {
        (Ok(sum), Ok(ticks)) if ticks <= u64::MAX / power => {
            let (whole, rest) = (sum / ticks, sum % ticks * power);
            let (cut, left) = (rest / ticks, rest % ticks);
            (whole.into(), cut + u64::from(more(left > 0, left >= ticks - left)))
        }
        _ => {
            let (whole, rest) = (sum / ticks, sum % ticks);
            // rest < ticks <= 10^22, so this cannot overflow for any number of decimals that is asked for.
            let (cut, left) = (rest * u128::from(power) / ticks, rest * u128::from(power) % ticks);
            // cut < power.
            (whole, cut as u64 + u64::from(more(left > 0, left * 2 >= ticks)))
        }
    };
    let value = whole.checked_mul(power.into())?.checked_add(rest.into())?;
    Decimal::try_from_i128_with_scale(i128::try_from(value).ok()?, decimals).ok()
}

/// The same amount without zeros at the end of its decimals.
pub(crate) fn trimmed(amount: Decimal) -> Decimal {
    let Ok(mut mantissa) = i64::try_from(amount.mantissa()) else {
        return amount.normalize();
    };
    let mut scale = amount.scale();
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    Decimal::new(mantissa, scale)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The definition: in decimals that are long enough for what is asked here.
    fn defined(sum: u64, ticks: u64, rounding: Rounding, decimals: u32) -> Decimal {
        let exact = Decimal::from(sum) / Decimal::from(ticks);
        let strategy = match rounding {
            Rounding::Up => rust_decimal::RoundingStrategy::AwayFromZero,
            Rounding::HalfUp => rust_decimal::RoundingStrategy::MidpointAwayFromZero,
            Rounding::Down => rust_decimal::RoundingStrategy::ToZero,
        };
        exact.round_dp_with_strategy(decimals, strategy)
    }

    #[test]
    fn both_ways_of_rounding_do_as_defined() {
        for (sum, ticks) in
            [(0, 1), (1, 3), (2, 3), (1, 2), (3, 2), (55, 100), (5, 1000), (49_999, 100_000), (12_345, 8)]
        {
            for rounding in [Rounding::Up, Rounding::HalfUp, Rounding::Down] {
                for decimals in 0..=4 {
                    let expected = defined(sum, ticks, rounding, decimals);
                    assert_eq!(round(sum.into(), ticks.into(), rounding, decimals), Some(expected), "{sum}/{ticks}");
                    // Blown up beyond 64 bits the fraction is the same.
                    let large = 10_u128.pow(15);
                    let wide = round(u128::from(sum) * large, u128::from(ticks) * large, rounding, decimals);
                    assert_eq!(wide, Some(expected), "{sum}/{ticks}");
                }
            }
        }
    }

    #[test]
    fn zeros_at_the_end_are_cut() {
        for text in ["0", "0.00", "100", "0.5000", "12.3400", "0.00000001", "79228162514264337593543950335"] {
            let amount: Decimal = text.parse().unwrap();
            assert_eq!((trimmed(amount), trimmed(amount).scale()), (amount, amount.normalize().scale()), "{text}");
        }
    }
}
