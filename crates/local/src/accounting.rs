//! What became of the records of a topic: `produced = stored + duplicates + rejects + given_up + lag`, each figure from a
//! source of its own, so that the equation is a check.

use std::collections::BTreeMap;

use millrace_store_mysql::status::Position;
use serde::Serialize;

use crate::given_up::Batch;

/// The figures of one topic, in records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicCounts {
    /// The topic.
    pub topic: String,
    /// What the broker took, over every incarnation of the topic.
    pub produced: i64,
    /// What is stored.
    pub stored: i64,
    /// What was known already.
    pub duplicates: i64,
    /// What was refused, with a reason.
    pub rejects: i64,
    /// What lies in objects after its retries.
    pub given_up: i64,
    /// What is still to come.
    pub lag: i64,
    /// What none of the others accounts for: 0, or something is lost or counted twice.
    pub unaccounted: i64,
}

/// What is known of a topic: the ledger's positions, then the broker's end offsets, read later.
#[derive(Debug, Clone, Copy)]
pub struct TopicState<'a> {
    /// The topic.
    pub topic: &'a str,
    /// Where the ledger is, for each partition that ever stored something.
    pub positions: &'a [Position],
    /// The offset after the last record of each partition.
    pub ends: &'a BTreeMap<i32, i64>,
    /// Batches of any topic that were given up on.
    pub given_up: &'a [Batch],
    /// The id of the topic's present incarnation, where it is known.
    pub topic_id: Option<&'a str>,
}

/// Offsets from the first to the one before the second.
type Range = (i64, i64);

impl TopicState<'_> {
    /// Counts the topic's records.
    #[must_use]
    pub fn count(&self) -> TopicCounts {
        let mut counts = TopicCounts {
            topic: self.topic.to_owned(),
            produced: 0,
            stored: 0,
            duplicates: 0,
            rejects: 0,
            given_up: 0,
            lag: 0,
            unaccounted: 0,
        };
        let positions: Vec<&Position> = self.positions.iter().filter(|position| position.topic == self.topic).collect();
        for position in &positions {
            counts.stored += signed(position.counts.stored);
            counts.duplicates += signed(position.counts.duplicates);
            counts.rejects += signed(position.counts.rejects);
        }
        let ends_only = self.ends.keys().filter(|partition| {
            !positions.iter().any(|position| i64::from(position.partition) == i64::from(**partition))
        });
        for partition in ends_only {
            self.add_partition(*partition, None, &mut counts);
        }
        for position in &positions {
            self.add_partition(i32::try_from(position.partition).unwrap_or(i32::MAX), Some(position), &mut counts);
        }
        counts.unaccounted =
            counts.produced - counts.stored - counts.duplicates - counts.rejects - counts.given_up - counts.lag;
        counts
    }

    fn add_partition(&self, partition: i32, position: Option<&Position>, counts: &mut TopicCounts) {
        let end = self.ends.get(&partition).copied().unwrap_or_default();
        let noted = position.map_or(0, |position| signed(position.next_offset));
        // An end before what was stored already: the topic was made again, and the ledger has not met its first record yet.
        let made_again = end < noted;
        let (past, next) = if made_again { (noted, 0) } else { (0, noted) };
        counts.produced += position.map_or(0, |position| signed(position.past_records)) + past + end;

        let of_partition =
            || self.given_up.iter().filter(|batch| batch.topic == self.topic && batch.partition == partition);
        let is_present = |batch: &Batch| self.topic_id.is_none_or(|id| batch.is_of(id));
        let gaps = |present: bool| -> Vec<Range> {
            let gaps = position.map(|position| {
                position.gaps.iter().filter(|gap| (gap.epoch == position.epoch && !made_again) == present)
            });
            gaps.into_iter().flatten().map(|gap| (signed(gap.from), signed(gap.to))).collect()
        };
        let present: Vec<Range> = of_partition().filter(|batch| is_present(batch)).map(range).collect();
        let past: Vec<Range> = of_partition().filter(|batch| !is_present(batch)).map(range).collect();
        // What lies after the position is not stored yet and never will be, so it is no lag.
        let ahead = overlap(&present, &[(next, end)]);
        counts.given_up += overlap(&present, &gaps(true)) + overlap(&past, &gaps(false)) + ahead;
        counts.lag += end - next - ahead;
    }
}

fn range(batch: &Batch) -> Range {
    (batch.first_offset, batch.last_offset + 1)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How many offsets lie in both sets of ranges, each counted once.
fn overlap(one: &[Range], other: &[Range]) -> i64 {
    let (one, other) = (union(one), union(other));
    let shared = |a: &Range, b: &Range| (a.1.min(b.1) - a.0.max(b.0)).max(0);
    one.iter().map(|a| other.iter().map(|b| shared(a, b)).sum::<i64>()).sum()
}

/// The same offsets as ranges that neither overlap nor touch.
fn union(ranges: &[Range]) -> Vec<Range> {
    let mut sorted: Vec<Range> = ranges.iter().copied().filter(|(from, to)| from < to).collect();
    sorted.sort_unstable();
    let mut union: Vec<Range> = Vec::new();
    for (from, to) in sorted {
        match union.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => union.push((from, to)),
        }
    }
    union
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use millrace_store_mysql::{ledger::Counts, status::Gap};

    use super::*;

    fn position(next_offset: u64, stored: u64) -> Position {
        Position {
            topic: "customers".to_owned(),
            partition: 0,
            epoch: 2,
            next_offset,
            last_record_at: None,
            past_records: 0,
            counts: Counts { stored, duplicates: 0, rejects: 0 },
            gaps: Vec::new(),
        }
    }

    fn batch(topic_id: &str, first_offset: i64, last_offset: i64) -> Batch {
        Batch {
            key: format!("{first_offset}"),
            topic: "customers".to_owned(),
            topic_id: topic_id.to_owned(),
            partition: 0,
            first_offset,
            last_offset,
            given_up_at: None,
            replayed: false,
        }
    }

    fn check(positions: &[Position], ends: &[i64], given_up: &[Batch], expected: (i64, i64, i64)) -> TopicCounts {
        let ends = (0..).zip(ends.iter().copied()).collect();
        let counts = TopicState { topic: "customers", positions, ends: &ends, given_up, topic_id: Some("now") }.count();
        assert_eq!((counts.produced, counts.given_up, counts.lag), expected);
        assert_eq!(counts.unaccounted, 0, "{counts:?}");
        counts
    }

    #[test]
    fn what_the_ledger_has_not_met_is_lag() {
        check(&[], &[10, 5], &[], (15, 0, 15));
        let mut some = position(10, 7);
        some.counts.duplicates = 2;
        some.counts.rejects = 1;
        check(&[some], &[12, 5], &[], (17, 0, 7));
    }

    #[test]
    fn a_batch_given_up_counts_once_whether_the_ledger_has_passed_it_or_not() {
        let mut passed = position(20, 15);
        passed.gaps.push(Gap { epoch: 2, from: 10, to: 15 });
        // Given up twice, as a whole and in part.
        check(&[passed], &[20], &[batch("now", 10, 14), batch("now", 12, 13)], (20, 5, 0));
        check(&[position(10, 10)], &[20], &[batch("now", 10, 14)], (20, 5, 5));
        // Its first records were stored before it was given up on.
        check(&[position(12, 12)], &[20], &[batch("now", 10, 14)], (20, 3, 5));
    }

    #[test]
    fn a_topic_made_again_keeps_what_came_before() {
        // The ledger has met the new one.
        let mut known = position(5, 25);
        known.past_records = 20;
        check(&[known.clone()], &[8], &[], (28, 0, 3));
        // A batch of the one before, and one of the present.
        known.gaps = vec![Gap { epoch: 1, from: 3, to: 6 }];
        known.counts.stored = 22;
        check(&[known], &[8], &[batch("before", 3, 5), batch("now", 6, 7)], (28, 5, 1));
        // It has not met the new one yet.
        check(&[position(20, 20)], &[3], &[], (23, 0, 3));
        let mut with_gap = position(20, 15);
        with_gap.gaps = vec![Gap { epoch: 2, from: 5, to: 10 }];
        check(&[with_gap], &[3], &[batch("before", 5, 9), batch("now", 0, 0)], (23, 6, 2));
    }

    #[test]
    fn a_gap_that_no_object_holds_is_unaccounted() {
        let mut trimmed = position(20, 15);
        trimmed.gaps.push(Gap { epoch: 2, from: 0, to: 5 });
        let ends = BTreeMap::from([(0, 20)]);
        let counts =
            TopicState { topic: "customers", positions: &[trimmed], ends: &ends, given_up: &[], topic_id: None }
                .count();
        assert_eq!(counts.unaccounted, 5);
    }
}
