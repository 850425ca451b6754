//! Text that names a thing: numbers, ids.

use std::fmt;

use crate::inline_text::{Ascii, InlineText};

/// What a text was expected to be and was not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// A subscriber's number in international form without `+`: 6 to 15 digits (ITU-T E.164 allows 15).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Msisdn(Ascii<15>);

impl Msisdn {
    /// Reads a number. An error says what was expected.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let digits = text.len() >= 6 && text.bytes().all(|b| b.is_ascii_digit());
        let number = Ascii::new(text).filter(|_| digits).map(Self);
        number.ok_or_else(|| Malformed("expected 6 to 15 digits".into()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Msisdn").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a call or a message went: 1 to 20 digits, kept as it came, with its leading `+` when it has one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Destination(Ascii<21>);

impl Destination {
    /// Reads a destination. An error says what was expected.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let good = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let destination = Ascii::new(text).filter(|_| good).map(Self);
        destination.ok_or_else(|| Malformed("expected 1 to 20 digits, optionally after a +".into()))
    }

    /// As it came.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Without the leading `+`: what a tariff's prefixes are compared with.
    pub fn digits(&self) -> &str {
        self.as_str().strip_prefix('+').unwrap_or(self.as_str())
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Destination").field(&self.as_str()).finish()
    }
}

/// A text id of `1..=MAX` characters that neither begins nor ends with a space. Ids are compared byte for byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId<const MAX: usize>(InlineText);

/// A sensor's id.
pub type SensorId = TextId<64>;
/// A customer's id.
pub type CustomerId = TextId<64>;
/// A radio cell's id.
pub type CellId = TextId<32>;

impl<const MAX: usize> TextId<MAX> {
    /// Reads an id. An error says what was expected.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.chars().count() > MAX {
            return Err(Malformed(format!("expected 1 to {MAX} characters")));
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return Err(Malformed("must not begin or end with a space".into()));
        }
        Ok(Self(InlineText::new(text)))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<const MAX: usize> fmt::Debug for TextId<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TextId").field(&self.as_str()).finish()
    }
}

impl<const MAX: usize> fmt::Display for TextId<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
