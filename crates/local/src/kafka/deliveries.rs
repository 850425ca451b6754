//! What became of the records that were handed to a producer.

use std::collections::BTreeMap;

/// Sorted ranges of offsets, each from its first to its last record, inclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OffsetRanges(Vec<(i64, i64)>);

impl OffsetRanges {
    /// Adds an offset. Those of a partition come in order but for rare exceptions.
    pub fn add(&mut self, offset: i64) {
        if let Some((_, last)) = self.0.last_mut()
            && *last + 1 == offset
        {
            *last = offset;
            return;
        }
        let at = self.0.partition_point(|(first, _)| *first <= offset);
        let inside = at.checked_sub(1).and_then(|before| self.0.get(before)).is_some_and(|(_, last)| offset <= *last);
        if !inside {
            self.0.insert(at, (offset, offset));
        }
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.0.iter().copied()
    }

    /// How many of the offsets from `first` to `last`, inclusive, are in here.
    pub fn count_within(&self, first: i64, last: i64) -> i64 {
        self.iter().map(|(from, to)| (to.min(last) - from.max(first) + 1).max(0)).sum()
    }
}

/// The records that a partition acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartitionDeliveries {
    /// How many.
    pub records: u64,
    /// Their offsets, where they are wanted.
    pub offsets: OffsetRanges,
    /// The broker's time of the last one, in milliseconds since 1970, where it told.
    pub last_at_ms: Option<i64>,
}

/// All that was acknowledged or failed.
#[derive(Debug, Clone, Default)]
pub struct Delivered {
    /// By topic, then partition.
    pub topics: BTreeMap<String, BTreeMap<i32, PartitionDeliveries>>,
    /// How many records were not acknowledged in time or refused.
    pub failed: u64,
    /// Why the first of them was not.
    pub failure: Option<String>,
}

impl Delivered {
    /// How many records of a topic were acknowledged.
    pub fn records(&self, topic: &str) -> u64 {
        self.topics.get(topic).map_or(0, |partitions| partitions.values().map(|partition| partition.records).sum())
    }

    pub(super) fn acknowledged(&mut self, topic: &str, partition: i32, offset: i64, at_ms: Option<i64>, offsets: bool) {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), BTreeMap::new());
        }
        let Some(partitions) = self.topics.get_mut(topic) else { return };
        let deliveries = partitions.entry(partition).or_default();
        deliveries.records += 1;
        deliveries.last_at_ms = deliveries.last_at_ms.max(at_ms);
        if offsets {
            deliveries.offsets.add(offset);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn offsets_that_follow_one_another_are_one_range() {
        let mut ranges = OffsetRanges::default();
        for offset in [5, 6, 7, 10, 11, 8, 6, 2] {
            ranges.add(offset);
        }
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(2, 2), (5, 7), (8, 8), (10, 11)]);
        assert_eq!(ranges.count_within(0, 100), 7);
        assert_eq!(ranges.count_within(6, 10), 4);
        assert_eq!(ranges.count_within(9, 9), 0);
    }
}
