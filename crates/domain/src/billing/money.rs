//! Sums and roundings. Half-up rounds a half away from zero, so that a credit is rounded as the charge was that it takes back.

use rust_decimal::{Decimal, RoundingStrategy};

use super::invoice::InvoiceLine;

/// Decimals of everything that is to be paid.
const CENTS: u32 = 2;

/// A sum that has more digits than money can have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sum of money is out of range")]
pub struct OutOfRange;

/// To cents, half-up.
pub(super) fn to_cents(exact: Decimal) -> Decimal {
    let mut cents = exact.round_dp_with_strategy(CENTS, RoundingStrategy::MidpointAwayFromZero);
    cents.rescale(CENTS);
    // There is no debt of -0.00.
    if cents.is_zero() { Decimal::new(0, CENTS) } else { cents }
}

/// The part of a fee that `active` of a cycle's `days` cost: fee × active / days, in cents, half-up. The quotient, which may have
/// no end, is rounded as the fraction that it is.
///
/// # Errors
/// When the fee has too many digits, or a cycle no day.
pub fn prorated(fee: Decimal, active: u32, days: u32) -> Result<Decimal, OutOfRange> {
    let scale = 10i128.checked_pow(fee.scale()).ok_or(OutOfRange)?;
    let part = fee.mantissa().checked_mul(i128::from(active) * 100).ok_or(OutOfRange)?;
    let whole = scale.checked_mul(i128::from(days)).filter(|whole| *whole > 0).ok_or(OutOfRange)?;
    let (cents, rest) = (part / whole, part % whole);
    let half = rest.unsigned_abs() >= whole.unsigned_abs() - rest.unsigned_abs();
    let cents = if half { cents + part.signum() } else { cents };
    Decimal::try_from_i128_with_scale(cents, CENTS).map_err(|_| OutOfRange)
}

/// What an invoice comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Sum of the lines' nets.
    pub net: Decimal,
    /// Tax on it, computed once.
    pub tax: Decimal,
    /// Both.
    pub total: Decimal,
    /// The exact sums of usage and credit lines less their nets.
    pub rounding: Decimal,
}

/// Sums lines up. `tax_rate` is a fraction; an exempt account pays none.
///
/// # Errors
/// When a sum is out of range.
pub fn totals(lines: &[InvoiceLine], tax_rate: Decimal, exempt: bool) -> Result<Totals, OutOfRange> {
    let mut net = Decimal::new(0, CENTS);
    let mut rounding = Decimal::ZERO;
    for line in lines {
        net = net.checked_add(line.net).ok_or(OutOfRange)?;
        let lost = line.exact.checked_sub(line.net).ok_or(OutOfRange)?;
        rounding = rounding.checked_add(lost).ok_or(OutOfRange)?;
    }
    let tax = if exempt { Decimal::ZERO } else { net.checked_mul(tax_rate).ok_or(OutOfRange)? };
    let tax = to_cents(tax);
    Ok(Totals { net, tax, total: net.checked_add(tax).ok_or(OutOfRange)?, rounding })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_fee_is_prorated_by_days_and_rounded_half_up() {
        // 99 × 17 / 31 = 54.2903…; 100 × 1 / 3 days = 33.333…; 0.01 × 1 / 2 = 0.005, which is half; 0.03 × 1 / 6 too.
        assert_eq!(prorated(decimal("99"), 17, 31).unwrap(), decimal("54.29"));
        assert_eq!(prorated(decimal("100.00"), 1, 3).unwrap(), decimal("33.33"));
        assert_eq!(prorated(decimal("200.00"), 1, 3).unwrap(), decimal("66.67"));
        assert_eq!(prorated(decimal("0.01"), 1, 2).unwrap(), decimal("0.01"));
        assert_eq!(prorated(decimal("0.03"), 1, 6).unwrap(), decimal("0.01"));
        assert_eq!(prorated(decimal("0.0299"), 1, 6).unwrap(), decimal("0.00"));
    }

    #[test]
    fn a_whole_cycle_costs_the_fee() {
        assert_eq!(prorated(decimal("49.90"), 31, 31).unwrap().to_string(), "49.90");
        assert_eq!(prorated(decimal("49.995"), 28, 28).unwrap(), decimal("50.00"));
        assert_eq!(prorated(decimal("99999999999999.9900"), 30, 30).unwrap(), decimal("99999999999999.99"));
    }

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        for (exact, cents) in [
            ("0.005", "0.01"),
            ("0.0049", "0.00"),
            ("-0.005", "-0.01"),
            ("-0.0049", "0.00"),
            ("2.675", "2.68"),
            ("7", "7.00"),
        ] {
            assert_eq!(to_cents(decimal(exact)).to_string(), cents, "{exact}");
        }
    }

    proptest! {
        #[test]
        fn a_prorated_fee_is_within_half_a_cent_of_the_exact_one(units in 0i64..10_000_000, days in 28u32..=31, active in 0u32..=31) {
            let active = active.min(days);
            let cents = prorated(Decimal::new(units, 4), active, days).unwrap();
            // Both times 10,000 × days, as whole numbers: the difference is at most half a cent, and not below a half down.
            let exact = i128::from(units) * i128::from(active);
            let rounded = cents.mantissa() * 100 * i128::from(days);
            let half = 50 * i128::from(days);
            prop_assert!(rounded - exact <= half && exact - rounded < half);
        }
    }
}
