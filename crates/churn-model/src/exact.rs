//! Numbers in JSON that come back as the very bits that were written. `serde_json` writes the shortest text that names a number, but
//! reads it the fast way, which may miss the last bit; the standard library's reading does not.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

fn number<E: Error>(raw: &RawValue) -> Result<f64, E> {
    match raw.get().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(E::custom(format!("expected a finite number, found {}", raw.get()))),
    }
}

/// For a single number: `#[serde(with = "exact")]`.
pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    number.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    number(&Box::<RawValue>::deserialize(deserializer)?)
}

/// For many numbers: `#[serde(with = "exact::many")]`.
pub(crate) mod many {
    use super::{Deserialize, Deserializer, RawValue, Serialize, Serializer, number};

    pub(crate) fn serialize<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        numbers.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let raw = Vec::<Box<RawValue>>::deserialize(deserializer)?;
        raw.iter().map(|raw| number(raw)).collect()
    }
}

/// For named numbers: `#[serde(with = "exact::named")]`.
pub(crate) mod named {
    use std::collections::BTreeMap;

    use super::{Deserialize, Deserializer, RawValue, Serialize, Serializer, number};

    pub(crate) fn serialize<S: Serializer>(numbers: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
        numbers.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
        let raw = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
        raw.into_iter().map(|(name, raw)| Ok((name, number(&raw)?))).collect()
    }
}
