//! What a function's answer means for its batch.

use std::ops::Range;

use serde::Deserialize;

use super::payload::Batch;
use crate::function::InvokeAnswer;
use crate::status::error_of;

/// What is to be done with a piece of a batch after its invocation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All records are done.
    Done,
    /// The records before this index are done; from it on they are sent again.
    FailedFrom(usize),
    /// Nothing is done, and why.
    Failed(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialAnswer {
    #[serde(default)]
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: ItemIdentifier,
}

#[derive(Deserialize)]
struct ItemIdentifier {
    #[serde(rename = "topic-partition")]
    topic_partition: String,
    offset: i64,
}

/// Judges the answer to `range` of `batch`, which came from `topic_partition` (`topic-0`). As Lambda does, an answer that
/// cannot be read, or that names what was not sent, fails the whole piece.
pub(crate) fn judge(
    answer: &InvokeAnswer,
    report_failures: bool,
    topic_partition: &str,
    batch: &Batch,
    range: &Range<usize>,
) -> Verdict {
    if answer.function_error.is_some() {
        let (kind, message) = error_of(&answer.payload);
        return Verdict::Failed(format!("{kind}: {message}"));
    }
    if !report_failures || answer.payload.is_empty() {
        return Verdict::Done;
    }
    // Null is an empty answer, and so is an empty string.
    if matches!(&*answer.payload, b"null" | b"\"\"") {
        return Verdict::Done;
    }
    let failures = match serde_json::from_slice::<PartialAnswer>(&answer.payload) {
        Ok(partial) => partial.batch_item_failures.unwrap_or_default(),
        Err(error) => return Verdict::Failed(format!("the answer is no partial batch response: {error}")),
    };
    let mut first = None;
    for failure in failures {
        let ItemIdentifier { topic_partition: named, offset } = failure.item_identifier;
        let index = if named == topic_partition { batch.index_of(offset, range) } else { None };
        let Some(index) = index else {
            return Verdict::Failed(format!("the answer names {named} offset {offset}, which was not in the batch"));
        };
        first = Some(first.map_or(index, |first: usize| first.min(index)));
    }
    first.map_or(Verdict::Done, Verdict::FailedFrom)
}
