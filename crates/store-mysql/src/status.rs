//! How far the topics are, as one consistent picture.

use chrono::{DateTime, Utc};
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, MySqlPool, Row as _};

use crate::fault::StoreError;
use crate::ledger::Counts;

/// How far a partition is stored, and what became of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// How often the topic was made again.
    pub epoch: u32,
    /// The first offset that has not been seen.
    pub next_offset: u64,
    /// The latest record time seen.
    pub last_record_at: Option<DateTime<Utc>>,
    /// Records of earlier incarnations of the topic.
    pub past_records: u64,
    /// What became of the records of all incarnations.
    pub counts: Counts,
    /// Offsets that were jumped over, in any epoch.
    pub gaps: Vec<Gap>,
}

impl Position {
    /// Records that were passed and count nowhere, or count twice (negative). Each record that came was stored, a duplicate, a
    /// reject, or was jumped over because its batch was given up on: 0, unless something is wrong.
    pub fn unaccounted(&self) -> i128 {
        let passed = i128::from(self.past_records) + i128::from(self.next_offset);
        let counted = [self.counts.stored, self.counts.duplicates, self.counts.rejects];
        let jumped_over = self.gaps.iter().map(|gap| i128::from(gap.to) - i128::from(gap.from));
        passed - counted.into_iter().map(i128::from).sum::<i128>() - jumped_over.sum::<i128>()
    }
}

/// Offsets that a partition jumped over: a batch was given up on, or the log was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The incarnation of the topic.
    pub epoch: u32,
    /// The first of them.
    pub from: u64,
    /// The first after them.
    pub to: u64,
}

/// One statement reads one snapshot: no batch is half in it.
const SELECT: &str = "SELECT l.topic, l.partition_no, l.epoch, l.next_offset, l.last_record_at, l.past_records, l.stored, l.duplicates, \
    l.rejects, g.epoch AS gap_epoch, g.from_offset, g.to_offset \
    FROM ledger l LEFT JOIN ledger_gaps g ON g.topic = l.topic AND g.partition_no = l.partition_no";

const ORDER: &str = "ORDER BY l.topic, l.partition_no, g.epoch, g.from_offset";

/// Every partition that has stored something, in the order of topic and partition.
///
/// # Errors
/// When the database cannot be asked.
pub async fn snapshot(pool: &MySqlPool) -> Result<Vec<Position>, StoreError> {
    let rows = sqlx::query(AssertSqlSafe(format!("{SELECT} {ORDER}"))).fetch_all(pool).await?;
    read(&rows)
}

/// The partitions of one topic that have stored something, in their order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn positions(pool: &MySqlPool, topic: &str) -> Result<Vec<Position>, StoreError> {
    let rows =
        sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE l.topic = ? {ORDER}"))).bind(topic).fetch_all(pool).await?;
    read(&rows)
}

fn read(rows: &[MySqlRow]) -> Result<Vec<Position>, StoreError> {
    let mut positions: Vec<Position> = Vec::new();
    for row in rows {
        let topic: &str = row.try_get("topic")?;
        let partition: u32 = row.try_get("partition_no")?;
        if !positions.last().is_some_and(|last| last.topic == topic && last.partition == partition) {
            positions.push(Position {
                topic: topic.into(),
                partition,
                epoch: row.try_get("epoch")?,
                next_offset: row.try_get("next_offset")?,
                last_record_at: row.try_get("last_record_at")?,
                past_records: row.try_get("past_records")?,
                counts: Counts::read(row)?,
                gaps: Vec::new(),
            });
        }
        if let (Some(epoch), Some(last)) = (row.try_get("gap_epoch")?, positions.last_mut()) {
            last.gaps.push(Gap { epoch, from: row.try_get("from_offset")?, to: row.try_get("to_offset")? });
        }
    }
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_that_was_passed_counts_once_or_was_jumped_over() {
        let mut position = Position {
            topic: "customers".into(),
            partition: 0,
            epoch: 1,
            next_offset: 20,
            last_record_at: None,
            past_records: 10,
            counts: Counts { stored: 20, duplicates: 3, rejects: 2 },
            gaps: vec![Gap { epoch: 0, from: 2, to: 4 }, Gap { epoch: 1, from: 0, to: 3 }],
        };
        assert_eq!(position.unaccounted(), 0);
        position.counts.stored -= 1;
        assert_eq!(position.unaccounted(), 1, "one is lost");
        position.counts.duplicates += 3;
        assert_eq!(position.unaccounted(), -2, "two count twice");
    }
}
