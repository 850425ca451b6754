//! Numbers from their text, so that an integer is exact however it is written: `12`, `12.0` and `1.2e1` are one value.

/// What a text is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// Not a number.
    NotANumber,
    /// A number with a fraction.
    NotAnInteger,
    /// Larger than the type holds, or negative where that cannot be.
    OutOfRange,
}

/// Sign, digits and the power of ten by which they count.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

/// Takes a decimal number apart: an optional sign, digits with an optional point, an optional exponent.
fn split(text: &str) -> Option<Parts<'_>> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], parse_exponent(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    Some(Parts { negative, whole, fraction, exponent })
}

/// An exponent; one that no number here can need is cut to a size that still compares rightly.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().map_or(i64::MAX / 4, |size| size.min(i64::MAX / 4));
    Some(if text.starts_with('-') { -size } else { size })
}

/// A whole number that is not negative.
pub(crate) fn unsigned(text: &str) -> Result<u64, NumberError> {
    // The usual case: up to 18 digits and nothing else.
    if (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.bytes().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')));
    }
    let parts = split(text).ok_or(NumberError::NotANumber)?;
    let mut digits: Vec<u8> = parts.whole.bytes().chain(parts.fraction.bytes()).collect();
    let mut exponent = parts.exponent - parts.fraction.len() as i64;
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent += 1;
    }
    if digits.is_empty() {
        return Ok(0);
    }
    if exponent < 0 {
        return Err(NumberError::NotAnInteger);
    }
    if parts.negative {
        return Err(NumberError::OutOfRange);
    }
    let power = u32::try_from(exponent).ok().and_then(|exponent| 10_u64.checked_pow(exponent));
    let value = digits
        .iter()
        .try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .zip(power)
        .and_then(|(value, power)| value.checked_mul(power));
    value.ok_or(NumberError::OutOfRange)
}

/// A finite number; a negative zero becomes zero, so that equal values have one form.
pub(crate) fn float(text: &str) -> Result<f64, NumberError> {
    // `f64` would also read `inf`, `nan` and their like.
    split(text).ok_or(NumberError::NotANumber)?;
    let value: f64 = text.parse().map_err(|_| NumberError::NotANumber)?;
    if value.is_finite() { Ok(value + 0.0) } else { Err(NumberError::OutOfRange) }
}

/// Whether a text is a number as JSON writes one.
pub(crate) fn is_json(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'-' | b'0'..=b'9')) && serde_json::from_slice::<f64>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_read_by_its_value() {
        for text in ["12", "12.0", "1.2e1", "+12", "120e-1", "0000012", "12.", "1200000000000000000000e-20"] {
            assert_eq!(unsigned(text), Ok(12), "{text}");
        }
        assert_eq!(unsigned("-0"), Ok(0));
        assert_eq!(unsigned("0e999999999999999999999"), Ok(0));
        assert_eq!(unsigned("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn what_is_no_whole_number_is_told_apart() {
        assert_eq!(unsigned("12.00000000000000000001"), Err(NumberError::NotAnInteger));
        assert_eq!(unsigned("1e-1"), Err(NumberError::NotAnInteger));
        assert_eq!(unsigned("-1"), Err(NumberError::OutOfRange));
        assert_eq!(unsigned("1e99999999999999999999"), Err(NumberError::OutOfRange));
        assert_eq!(unsigned("18446744073709551616"), Err(NumberError::OutOfRange));
        for text in ["", " 1", "1 ", "NaN", "inf", "0x1", "1e", "1e+", ".", "-", "1_000", "١"] {
            assert_eq!(unsigned(text), Err(NumberError::NotANumber), "{text}");
            assert_eq!(float(text), Err(NumberError::NotANumber), "{text}");
        }
    }

    #[test]
    fn a_float_is_finite_and_has_one_zero() {
        assert_eq!(float("21.5"), Ok(21.5));
        assert_eq!(float("1e400"), Err(NumberError::OutOfRange));
        assert!(float("-0.0").is_ok_and(f64::is_sign_positive));
    }
}
