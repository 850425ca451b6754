//! Short text without the heap: a decoder meets a few for each record, millions of times.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// ASCII text of at most `MAX` bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ascii<const MAX: usize> {
    // What follows the text is 0, below every character that is kept here, so that the derived order is that of the texts.
    bytes: [u8; MAX],
    len: u8,
}

impl<const MAX: usize> Ascii<MAX> {
    /// Copies a text; `None` when it is longer, or not ASCII.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; MAX];
        bytes.get_mut(..text.len()).filter(|_| text.is_ascii())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, len: u8::try_from(text.len()).ok()? })
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

/// Text that is seldom longer than [`SHORT`] bytes.
#[derive(Clone)]
pub(crate) enum InlineText {
    Short(Ascii<SHORT>),
    Long(Box<str>),
}

/// What is kept inline.
const SHORT: usize = 22;

impl InlineText {
    /// Copies a text.
    pub(crate) fn new(text: &str) -> Self {
        Ascii::new(text).map_or_else(|| Self::Long(text.into()), Self::Short)
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Short(text) => text.as_str(),
            Self::Long(text) => text,
        }
    }
}

impl PartialEq for InlineText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for InlineText {}

impl Hash for InlineText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for InlineText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InlineText {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn texts_are_kept_and_ordered_as_texts() {
        let texts =
            ["", "1", "10", "100000000000000", "2", "212600000001", "é", "x of more than twenty-two bytes", "xé"];
        for a in texts {
            assert_eq!(InlineText::new(a).as_str(), a);
            for b in texts {
                assert_eq!(InlineText::new(a).cmp(&InlineText::new(b)), a.cmp(b), "{a} {b}");
                assert_eq!(InlineText::new(a) == InlineText::new(b), a == b, "{a} {b}");
            }
        }
        let digits = ["1", "10", "100000000000000", "2", "212600000001"].map(|text| Ascii::<15>::new(text).unwrap());
        assert!(digits.is_sorted());
        assert!(Ascii::<15>::new("1000000000000000").is_none() && Ascii::<15>::new("é").is_none());
    }
}
