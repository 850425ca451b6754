//! The fields of a JSON object, found in one pass without building a tree.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use millrace_domain::identity::Malformed;

use crate::number::{self, NumberError};
use crate::{Rejection, plain_object, times};

/// The JSON text of one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Value<'a>(&'a str);

/// Finds the values of `names` in an object. A field whose value is `null` is absent, as one that is missing. Other fields are
/// passed over.
///
/// # Errors
/// When the bytes are not UTF-8, not JSON or not an object, and when one of `names` stands twice.
pub(crate) fn scan<'a, const N: usize>(
    json: &'a [u8],
    names: &[&'static str; N],
) -> Result<[Option<Value<'a>>; N], Rejection> {
    let text = std::str::from_utf8(json).map_err(|_| Rejection::whole("is not UTF-8"))?;
    match plain_object::scan(text, names) {
        Some(found) => Ok(found.map(|value| value.filter(|value| *value != "null").map(Value))),
        None => scan_any(text, names),
    }
}

/// The same for every form that JSON allows.
fn scan_any<'a, const N: usize>(text: &'a str, names: &[&'static str; N]) -> Result<[Option<Value<'a>>; N], Rejection> {
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(Rejection::whole("expected a JSON object"));
    }
    let mut found = Found { names, values: [None; N], current: None, twice: None };
    let mut input = serde_json::Deserializer::from_str(text);
    let parsed = (&mut found).deserialize(&mut input).and_then(|()| input.end());
    if let Some(name) = found.twice {
        return Err(Rejection::new(name, "stands twice"));
    }
    if let Err(error) = parsed {
        let field = found.current.unwrap_or(Rejection::WHOLE);
        // Its messages speak of the form only: no value of the payload gets into them.
        return Err(Rejection::new(field, format!("is not JSON: {error}")));
    }
    Ok(found.values)
}

/// What the pass has met so far.
struct Found<'a, 'n, const N: usize> {
    names: &'n [&'static str; N],
    values: [Option<Value<'a>>; N],
    current: Option<&'static str>,
    twice: Option<&'static str>,
}

impl<'a, const N: usize> DeserializeSeed<'a> for &mut Found<'a, '_, N> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_map(self)
    }
}

impl<'a, const N: usize> Visitor<'a> for &mut Found<'a, '_, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = [false; N];
        // Producers write fields in one order: the name after the last one is tried first.
        let mut guess = 0;
        while let Some(index) = map.next_key_seed(Name { names: self.names, guess })? {
            let Some(index) = index else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.current = Some(self.names[index]);
            let raw: &'a RawValue = map.next_value()?;
            if std::mem::replace(&mut seen[index], true) {
                self.twice = self.twice.or(self.current);
            }
            self.values[index] = Some(Value(raw.get())).filter(|value| value.0 != "null");
            self.current = None;
            guess = index + 1;
        }
        Ok(())
    }
}

/// A key, as its place among the names.
struct Name<'n, const N: usize> {
    names: &'n [&'static str; N],
    guess: usize,
}

impl<'a, const N: usize> DeserializeSeed<'a> for Name<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'a>>(self, input: D) -> Result<Option<usize>, D::Error> {
        input.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        if self.names.get(self.guess) == Some(&name) {
            return Ok(Some(self.guess));
        }
        Ok(self.names.iter().position(|known| *known == name))
    }
}

impl<'a> Value<'a> {
    /// The text of a string; `None` for any other value, and for an escape that is no character.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.as_bytes().contains(&b'\\') {
            return serde_json::from_str(self.0).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(inner))
    }

    /// The text of a number, or of a string that holds one.
    fn number(self) -> Option<Cow<'a, str>> {
        match self.0.as_bytes().first()? {
            b'-' | b'0'..=b'9' => Some(Cow::Borrowed(self.0)),
            _ => self.text(),
        }
    }

    /// A JSON boolean.
    pub(crate) fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// A field that must be there.
pub(crate) fn required<'a>(name: &'static str, value: Option<Value<'a>>) -> Result<Value<'a>, Rejection> {
    value.ok_or_else(|| Rejection::new(name, "is missing"))
}

/// A string.
pub(crate) fn text<'a>(name: &'static str, value: Value<'a>) -> Result<Cow<'a, str>, Rejection> {
    value.text().ok_or_else(|| Rejection::new(name, "expected a string"))
}

/// A string that one of the domain's `parse` functions reads.
pub(crate) fn parsed<T>(
    name: &'static str,
    value: Value<'_>,
    parse: impl Fn(&str) -> Result<T, Malformed>,
) -> Result<T, Rejection> {
    parse(&text(name, value)?).map_err(|Malformed(reason)| Rejection::new(name, reason))
}

/// A time.
pub(crate) fn time(name: &'static str, value: Value<'_>) -> Result<DateTime<Utc>, Rejection> {
    times::parse(&text(name, value)?).map_err(|reason| Rejection::new(name, reason))
}

/// An integer from 0 to `max`.
pub(crate) fn integer(name: &'static str, value: Value<'_>, max: u64) -> Result<u64, Rejection> {
    let read = value.number().ok_or(NumberError::NotANumber).and_then(|text| number::unsigned(&text));
    match read {
        Ok(value) if value <= max => Ok(value),
        Ok(_) | Err(NumberError::OutOfRange) => {
            Err(Rejection::new(name, format!("is out of range: expected 0 to {max}")))
        }
        Err(_) => Err(Rejection::new(name, "expected an integer")),
    }
}

/// A number within a range.
pub(crate) fn float(name: &'static str, value: Value<'_>, range: RangeInclusive<f64>) -> Result<f64, Rejection> {
    let read = value.number().ok_or(NumberError::NotANumber).and_then(|text| number::float(&text));
    match read {
        Ok(value) if range.contains(&value) => Ok(value),
        Ok(_) | Err(NumberError::OutOfRange) => {
            Err(Rejection::new(name, format!("is out of range: expected {} to {}", range.start(), range.end())))
        }
        Err(_) => Err(Rejection::new(name, "expected a number")),
    }
}

/// The JSON of a flat shape of ours.
pub(crate) fn to_json(shape: &impl serde::Serialize) -> Vec<u8> {
    // Shapes have string keys and no map or writer that could fail; finite numbers are the domain's invariant.
    serde_json::to_vec(shape).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 3] = ["a", "usage", "é"];

    /// Texts that are nearly, or wholly, objects of the usual form.
    fn nearly_plain() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            ",",
            ":",
            "\"a\"",
            "\"usage\"",
            "\"é\"",
            "\"x\"",
            "\"\\u0061\"",
            "\"a\":1,",
            "\"é\":\"v\"",
            " ",
            "\t",
            "\n",
            "0",
            "-0",
            "01",
            "12",
            "-",
            "1.5",
            "1.",
            "1e5",
            "1E+05",
            "1e",
            "true",
            "false",
            "null",
            "nul",
            "[]",
            "{}",
            "[1]",
            "\"\u{1}\"",
            "\"",
            "\u{b}",
        ]);
        let members = prop::collection::vec(piece.clone(), 0..12).prop_map(|pieces| pieces.concat());
        let value = prop::collection::vec(piece, 1..3).prop_map(|pieces| pieces.concat());
        let object = prop::collection::vec((prop::sample::select(vec!["a", "usage", "é", "x", "y"]), value), 0..4)
            .prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\" :{value}")).collect();
                format!("{{{}}}", members.join(", "))
            });
        prop_oneof![members, object]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn the_short_way_says_what_the_complete_one_says_or_nothing(text in nearly_plain()) {
            if plain_object::scan(&text, &NAMES).is_some() {
                prop_assert_eq!(scan(text.as_bytes(), &NAMES), scan_any(&text, &NAMES));
            }
        }
    }

    #[test]
    fn the_usual_record_takes_the_short_way() {
        let record = r#" {"a" : "x" , "usage":61,"other":-1.5e-3,"é":null, "b":true,"c":false} "#;
        assert!(plain_object::scan(record, &NAMES).is_some());
        assert_eq!(scan(record.as_bytes(), &NAMES), scan_any(record, &NAMES));
    }
}
