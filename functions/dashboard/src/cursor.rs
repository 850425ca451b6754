//! The place that a reader of the live tail has reached: the next offset of each partition, as text that means nothing to others.

use std::collections::BTreeMap;

use base64_simd::URL_SAFE_NO_PAD;

/// The first letter of every cursor of this shape.
const SHAPE: &str = "1";
/// Longer than any cursor of three topics with hundreds of partitions.
const LONGEST: usize = 16_384;

/// The next offset of each partition that was there when the cursor was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// By topic and partition.
    pub next: BTreeMap<(String, i32), i64>,
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cursor: expected one that an earlier answer gave")]
pub struct BadCursor;

impl Cursor {
    /// The cursor as text of letters, digits, `-` and `_`.
    pub fn encode(&self) -> String {
        let mut text = SHAPE.to_owned();
        for ((topic, partition), offset) in &self.next {
            text.push_str(&format!(" {topic} {partition} {offset}"));
        }
        URL_SAFE_NO_PAD.encode_to_string(text)
    }

    /// Reads a cursor.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(text: &str) -> Result<Self, BadCursor> {
        if text.len() > LONGEST {
            return Err(BadCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| BadCursor)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| BadCursor)?;
        let mut words = text.split(' ');
        if words.next() != Some(SHAPE) {
            return Err(BadCursor);
        }
        let mut next = BTreeMap::new();
        while let Some(topic) = words.next() {
            if topic.is_empty() {
                return Err(BadCursor);
            }
            let partition =
                words.next().and_then(|word| word.parse().ok()).filter(|p: &i32| *p >= 0).ok_or(BadCursor)?;
            let offset = words.next().and_then(|word| word.parse().ok()).filter(|o: &i64| *o >= 0).ok_or(BadCursor)?;
            next.insert((topic.to_owned(), partition), offset);
        }
        Ok(Self { next })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cursor(places: &[(&str, i32, i64)]) -> Cursor {
        Cursor {
            next: places
                .iter()
                .map(|(topic, partition, offset)| (((*topic).to_owned(), *partition), *offset))
                .collect(),
        }
    }

    #[test]
    fn a_cursor_is_read_back_as_it_was() {
        for cursor in
            [cursor(&[]), cursor(&[("usage-events", 0, 0), ("usage-events", 3, i64::MAX), ("customers", 1, 7)])]
        {
            let text = cursor.encode();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
            assert_eq!(Cursor::decode(&text).unwrap(), cursor);
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode_to_string(text);
        let bad = [
            "".to_owned(),
            "x".into(),
            "!!".into(),
            "null".into(),
            "é".into(),
            encoded("2 t 0 0"),
            encoded("1 t 0"),
            encoded("1 t -1 0"),
            encoded("1 t 0 -5"),
            encoded("1 t 0 99999999999999999999"),
            encoded("1  0 0"),
            "A".repeat(20_000),
        ];
        for text in bad {
            assert_eq!(
                Cursor::decode(&text).unwrap_err().to_string(),
                "cursor: expected one that an earlier answer gave",
                "{text}"
            );
        }
    }
}
