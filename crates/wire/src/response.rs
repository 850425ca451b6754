//! The answer of a function to its event source mapping.

use serde::{Deserialize, Serialize};

/// A partial batch response (`ReportBatchItemFailures`): from which offset of which partition to retry. Empty: all is done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartialBatchResponse {
    /// The first offset to retry of each partition that was not finished.
    #[serde(rename = "batchItemFailures", default)]
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// One partition that was not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchItemFailure {
    /// Where to go on.
    #[serde(rename = "itemIdentifier")]
    pub item_identifier: ItemIdentifier,
}

/// A record's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemIdentifier {
    /// Topic and partition, joined by `-`.
    #[serde(rename = "topic-partition")]
    pub topic_partition: String,
    /// The first offset to retry.
    pub offset: i64,
}

impl PartialBatchResponse {
    /// Asks for the records of a partition again from `offset` on.
    pub fn retry(&mut self, topic: &str, partition: i32, offset: i64) {
        let item_identifier = ItemIdentifier { topic_partition: format!("{topic}-{partition}"), offset };
        self.batch_item_failures.push(BatchItemFailure { item_identifier });
    }
}

impl ItemIdentifier {
    /// Topic and partition; `None` when the text is not of that form.
    pub fn split(&self) -> Option<(&str, i32)> {
        split_topic_partition(&self.topic_partition)
    }
}

/// Splits `usage-events-3` at its last hyphen.
pub(crate) fn split_topic_partition(text: &str) -> Option<(&str, i32)> {
    let (topic, partition) = text.rsplit_once('-')?;
    let digits = !partition.is_empty() && partition.bytes().all(|b| b.is_ascii_digit());
    if topic.is_empty() || !digits {
        return None;
    }
    Some((topic, partition.parse().ok()?))
}
