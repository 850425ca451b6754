//! The lines that answer.

use std::fmt::Display;
use std::io::Write;

use rust_decimal::Decimal;
use uuid::Uuid;

use millrace_domain::rating::{Charge, RatingError};

/// The answer to an event with a price.
pub(crate) fn charge(answers: &mut Vec<u8>, event_id: Uuid, charge: &Charge<'_>) {
    id(answers, event_id);
    answers.extend_from_slice(b",\"amount\":");
    amount(answers, charge.amount);
    answers.extend_from_slice(b",\"currency\":");
    text(answers, charge.currency);
    answers.extend_from_slice(b",\"connect_fee\":");
    amount(answers, charge.connect_fee);
    answers.extend_from_slice(b",\"allowance_used\":");
    integer(answers, charge.allowance_used);
    answers.extend_from_slice(b",\"zone\":");
    text(answers, charge.zone);
    answers.extend_from_slice(b",\"spans\":[");
    for (at, span) in charge.spans.iter().enumerate() {
        answers.extend_from_slice(if at == 0 { b"{\"timing\":" } else { b",{\"timing\":" });
        text(answers, span.timing);
        answers.extend_from_slice(b",\"units\":");
        integer(answers, span.units);
        answers.extend_from_slice(b",\"charged_units\":");
        integer(answers, span.charged_units);
        answers.extend_from_slice(b",\"amount\":");
        amount(answers, span.amount);
        answers.push(b'}');
    }
    answers.extend_from_slice(b"]}\n");
}

/// The answer to an event without a price.
pub(crate) fn unrated(answers: &mut Vec<u8>, event_id: Uuid, error: RatingError) {
    id(answers, event_id);
    answers.extend_from_slice(b",\"error\":");
    text(answers, error.as_str());
    detail(answers, &error);
}

/// The answer to a line that is no event.
pub(crate) fn invalid(answers: &mut Vec<u8>, reason: &impl Display) {
    answers.extend_from_slice(b"{\"event_id\":null,\"error\":\"invalid\"");
    detail(answers, reason);
}

fn id(answers: &mut Vec<u8>, event_id: Uuid) {
    answers.extend_from_slice(b"{\"event_id\":\"");
    answers.extend_from_slice(event_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    answers.push(b'"');
}

fn detail(answers: &mut Vec<u8>, reason: &impl Display) {
    answers.extend_from_slice(b",\"detail\":");
    text(answers, &reason.to_string());
    answers.extend_from_slice(b"}\n");
}

/// A string of JSON.
fn text(answers: &mut Vec<u8>, text: &str) {
    answers.push(b'"');
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        answers.extend_from_slice(text.as_bytes());
    } else {
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => answers.extend_from_slice(&[b'\\', byte]),
                0..b' ' => put(answers, format_args!("\\u{byte:04x}")),
                _ => answers.push(byte),
            }
        }
    }
    answers.push(b'"');
}

fn put(answers: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // A vector takes everything.
    let _ = answers.write_fmt(text);
}

fn integer(answers: &mut Vec<u8>, number: u64) {
    digits(answers, number, 1);
}

/// A number with at least so many digits.
fn digits(answers: &mut Vec<u8>, mut number: u64, least: usize) {
    let mut buffer = [b'0'; 20];
    let mut from = buffer.len();
    while number > 0 || buffer.len() - from < least {
        from -= 1;
        buffer[from] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    answers.extend_from_slice(&buffer[from..]);
}

/// An amount as people write one: two decimals, and more where they are needed.
fn amount(answers: &mut Vec<u8>, amount: Decimal) {
    const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    answers.push(b'"');
    let mut scale = amount.scale();
    match (u64::try_from(amount.mantissa()), scale) {
        (Ok(mut mantissa), 0..=8) if mantissa <= u64::MAX / 100 => {
            while scale > 2 && mantissa.is_multiple_of(10) {
                mantissa /= 10;
                scale -= 1;
            }
            while scale < 2 {
                mantissa *= 10;
                scale += 1;
            }
            let power = POWERS[scale as usize];
            digits(answers, mantissa / power, 1);
            answers.push(b'.');
            digits(answers, mantissa % power, scale as usize);
        }
        _ => put(answers, format_args!("{amount}")),
    }
    answers.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut answers = Vec::new();
        write(&mut answers);
        String::from_utf8(answers).unwrap()
    }

    #[test]
    fn amounts_have_two_decimals_and_more_where_they_are_needed() {
        for (value, expected) in [
            ("0", "0.00"),
            ("0.0000", "0.00"),
            ("3", "3.00"),
            ("0.1", "0.10"),
            ("0.5500", "0.55"),
            ("0.0501", "0.0501"),
            ("12.340", "12.34"),
            ("0.00000001", "0.00000001"),
            ("99999999999999.9999", "99999999999999.9999"),
            ("99999999999999.99990001", "99999999999999.99990001"),
        ] {
            assert_eq!(written(|answers| amount(answers, value.parse().unwrap())), format!("\"{expected}\""));
        }
    }

    #[test]
    fn texts_are_escaped_as_json_asks() {
        for value in ["", "peak", "a\"b\\c", "\u{1}\n\t", "Zône №1 \u{1f600}", "\u{7f}"] {
            let json = written(|answers| text(answers, value));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
        }
    }

    #[test]
    fn integers_are_written_whole() {
        for number in [0, 9, 10, 1_000_000_007, u64::MAX] {
            assert_eq!(written(|answers| integer(answers, number)), number.to_string());
        }
    }
}
