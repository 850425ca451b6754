//! How far each partition is, and what became of its records.

use chrono::{DateTime, Utc};
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlConnection, Row};

/// One partition's row, locked by the transaction that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The topic's name.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// How often the topic was made again.
    pub epoch: u32,
    /// The first offset that has not been seen.
    pub next_offset: u64,
    /// The latest record time seen (UTC, as the broker wrote it).
    pub last_record_at: Option<DateTime<Utc>>,
    /// Records of earlier incarnations of the topic.
    pub past_records: u64,
    /// What became of the records.
    pub counts: Counts,
    /// Offsets that this batch jumped over: the epoch, from, until (exclusive).
    gaps: Vec<(u32, u64, u64)>,
}

/// What became of records: each counts in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Stored.
    pub stored: u64,
    /// Their identity was stored already.
    pub duplicates: u64,
    /// Refused, with a reason.
    pub rejects: u64,
}

impl Counts {
    /// Those of a row of the ledger.
    pub(crate) fn read(row: &MySqlRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            stored: row.try_get("stored")?,
            duplicates: row.try_get("duplicates")?,
            rejects: row.try_get("rejects")?,
        })
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        self.rejects += other.rejects;
    }
}

/// Whether a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Seen for the first time: it counts.
    First,
    /// Seen before: it is stored if it is absent, and does not count.
    Again,
}

impl Ledger {
    fn new(topic: &str, partition: u32) -> Self {
        Self {
            topic: topic.into(),
            partition,
            epoch: 0,
            next_offset: 0,
            last_record_at: None,
            past_records: 0,
            counts: Counts::default(),
            gaps: Vec::new(),
        }
    }

    /// Takes the next record of a batch and says whether it counts.
    ///
    /// At or above the next offset it is new, and what lies between is noted as a gap. Below, and later than everything seen, the
    /// topic was made again: a new epoch begins. Below and not later it was delivered before.
    pub fn take(&mut self, offset: u64, recorded_at: DateTime<Utc>) -> Delivery {
        if offset < self.next_offset {
            if self.last_record_at.is_none_or(|last| recorded_at <= last) {
                return Delivery::Again;
            }
            self.epoch += 1;
            self.past_records += self.next_offset;
            self.next_offset = 0;
        }
        if offset > self.next_offset {
            self.gaps.push((self.epoch, self.next_offset, offset));
        }
        self.next_offset = offset + 1;
        self.last_record_at = Some(self.last_record_at.map_or(recorded_at, |last| last.max(recorded_at)));
        Delivery::First
    }
}

/// Locks the partition's row, which is made if it is missing, before anything else of the batch is read.
pub(crate) async fn lock(connection: &mut MySqlConnection, topic: &str, partition: u32) -> Result<Ledger, sqlx::Error> {
    if let Some(ledger) = select_for_update(connection, topic, partition).await? {
        return Ok(ledger);
    }
    // Two batches may come first: the second waits here until the first has committed, and then reads its row.
    sqlx::query(
        "INSERT INTO ledger (topic, partition_no, epoch, next_offset, past_records, stored, duplicates, rejects) \
         VALUES (?, ?, 0, 0, 0, 0, 0, 0) ON DUPLICATE KEY UPDATE epoch = epoch",
    )
    .bind(topic)
    .bind(partition)
    .execute(&mut *connection)
    .await?;
    Ok(select_for_update(connection, topic, partition).await?.unwrap_or_else(|| Ledger::new(topic, partition)))
}

async fn select_for_update(
    connection: &mut MySqlConnection,
    topic: &str,
    partition: u32,
) -> Result<Option<Ledger>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT epoch, next_offset, last_record_at, past_records, stored, duplicates, rejects FROM ledger \
         WHERE topic = ? AND partition_no = ? FOR UPDATE",
    )
    .bind(topic)
    .bind(partition)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Ledger {
        epoch: row.try_get("epoch")?,
        next_offset: row.try_get("next_offset")?,
        last_record_at: row.try_get("last_record_at")?,
        past_records: row.try_get("past_records")?,
        counts: Counts::read(&row)?,
        ..Ledger::new(topic, partition)
    }))
}

/// Writes the row and its gaps.
pub(crate) async fn save(connection: &mut MySqlConnection, ledger: &Ledger) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ledger SET epoch = ?, next_offset = ?, last_record_at = ?, past_records = ?, stored = ?, duplicates = ?, rejects = ? \
         WHERE topic = ? AND partition_no = ?",
    )
    .bind(ledger.epoch)
    .bind(ledger.next_offset)
    .bind(ledger.last_record_at)
    .bind(ledger.past_records)
    .bind(ledger.counts.stored)
    .bind(ledger.counts.duplicates)
    .bind(ledger.counts.rejects)
    .bind(&ledger.topic)
    .bind(ledger.partition)
    .execute(&mut *connection)
    .await?;
    for (epoch, from, to) in &ledger.gaps {
        sqlx::query(
            "INSERT INTO ledger_gaps (topic, partition_no, epoch, from_offset, to_offset) VALUES (?, ?, ?, ?, ?) \
             ON DUPLICATE KEY UPDATE to_offset = VALUES(to_offset)",
        )
        .bind(&ledger.topic)
        .bind(ledger.partition)
        .bind(epoch)
        .bind(from)
        .bind(to)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
    }

    #[test]
    fn an_offset_at_the_next_one_is_new_and_moves_it() {
        let mut ledger = Ledger::new("t", 0);
        assert_eq!(ledger.take(0, at(0)), Delivery::First);
        assert_eq!(ledger.take(1, at(0)), Delivery::First);
        assert_eq!((ledger.next_offset, ledger.epoch, ledger.gaps.len()), (2, 0, 0));
    }

    #[test]
    fn an_offset_below_that_is_not_later_was_delivered_before() {
        let mut ledger = Ledger::new("t", 0);
        ledger.take(0, at(0));
        ledger.take(1, at(5));
        assert_eq!(ledger.take(0, at(0)), Delivery::Again);
        assert_eq!(ledger.take(1, at(5)), Delivery::Again);
        assert_eq!(ledger.next_offset, 2);
    }

    #[test]
    fn an_offset_below_that_is_later_begins_a_new_epoch() {
        let mut ledger = Ledger::new("t", 0);
        for offset in 0..10 {
            ledger.take(offset, at(0));
        }
        assert_eq!(ledger.take(3, at(1)), Delivery::First);
        assert_eq!((ledger.epoch, ledger.next_offset, ledger.past_records), (1, 4, 10));
        assert_eq!(ledger.gaps, [(1, 0, 3)], "what the new topic held before was not seen");
        assert_eq!(ledger.take(4, at(1)), Delivery::First);
        assert_eq!(ledger.epoch, 1);
    }

    #[test]
    fn a_jump_leaves_a_gap_and_a_record_in_it_does_not_count() {
        let mut ledger = Ledger::new("t", 0);
        ledger.take(0, at(0));
        ledger.take(10, at(3));
        assert_eq!(ledger.take(5, at(2)), Delivery::Again);
        assert_eq!((ledger.gaps.as_slice(), ledger.next_offset), ([(0, 1, 10)].as_slice(), 11));
    }
}
