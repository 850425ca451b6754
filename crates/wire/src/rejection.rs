//! Why a record is refused.

use std::borrow::Cow;

/// Names the field that made a record a reject, and what was wrong with it. Never repeats the payload: it may be personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Rejection {
    /// The field, or `value` when the record as a whole cannot be read. At most 64 characters.
    pub field: Cow<'static, str>,
    /// What was expected of it. At most 400 characters.
    pub reason: String,
}

impl Rejection {
    /// The field that stands for the whole record.
    pub const WHOLE: &'static str = "value";

    /// A rejection of one field.
    pub fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field: Cow::Borrowed(field), reason: reason.into() }
    }

    /// A rejection of the record as a whole.
    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self::new(Self::WHOLE, reason)
    }
}
