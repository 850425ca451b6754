//! When each partition's position in the ledger was first seen where it is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::Utc;

use crate::database::Database;

/// How often the ledger is asked.
pub(crate) const EVERY: Duration = Duration::from_millis(2);
/// How long the last records may take after the last was produced.
const LIMIT: Duration = Duration::from_secs(60);

/// The observations of one run.
#[derive(Debug, Default)]
pub(crate) struct Commits(BTreeMap<i32, Vec<Observation>>);

/// From `at_ms` (milliseconds since 1970) on, all offsets below `next_offset` were committed.
#[derive(Debug)]
struct Observation {
    next_offset: i64,
    at_ms: f64,
}

/// A thread that asks the ledger until it is told where the topic ends.
pub(crate) struct Watch {
    ends: Sender<BTreeMap<i32, i64>>,
    thread: JoinHandle<anyhow::Result<Commits>>,
}

/// Begins to watch.
pub(crate) fn watch(home: &Path) -> anyhow::Result<Watch> {
    let database = Database::connect(home)?;
    let (ends, told) = channel();
    Ok(Watch { ends, thread: std::thread::spawn(move || follow(&database, &told)) })
}

impl Watch {
    /// Waits until the ledger has come to the ends of the topic's partitions.
    pub(crate) fn finish(self, ends: &BTreeMap<i32, i64>) -> anyhow::Result<Commits> {
        // When the thread has ended by an error, joining it tells which.
        let _ = self.ends.send(ends.clone());
        self.thread.join().unwrap_or_else(|_| bail!("the thread that watches the ledger panicked"))
    }
}

fn follow(database: &Database, told: &Receiver<BTreeMap<i32, i64>>) -> anyhow::Result<Commits> {
    let mut commits = Commits::default();
    let mut ends: Option<(BTreeMap<i32, i64>, Instant)> = None;
    loop {
        let rows = database.integers(
            "SELECT CAST(partition_no AS SIGNED), CAST(next_offset AS SIGNED) FROM ledger WHERE topic = 'usage-events'",
        )?;
        let at_ms = Utc::now().timestamp_micros() as f64 / 1e3;
        for row in &rows {
            commits.see(i32::try_from(row[0])?, row[1], at_ms);
        }
        if ends.is_none() {
            match told.try_recv() {
                Ok(told) => ends = Some((told, Instant::now())),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => bail!("the run ended early"),
            }
        }
        if let Some((ends, since)) = &ends {
            if ends.iter().all(|(partition, end)| commits.next_offset(*partition) >= *end) {
                return Ok(commits);
            }
            if since.elapsed() > LIMIT {
                bail!("the ledger did not come to {ends:?} within {LIMIT:?}");
            }
        }
        std::thread::sleep(EVERY);
    }
}

impl Commits {
    fn see(&mut self, partition: i32, next_offset: i64, at_ms: f64) {
        let seen = self.0.entry(partition).or_default();
        if seen.last().is_none_or(|last| last.next_offset < next_offset) {
            seen.push(Observation { next_offset, at_ms });
        }
    }

    fn next_offset(&self, partition: i32) -> i64 {
        self.0.get(&partition).and_then(|seen| seen.last()).map_or(0, |last| last.next_offset)
    }

    /// When the record at an offset was first seen committed, in milliseconds since 1970.
    pub(crate) fn seen_at(&self, partition: i32, offset: i64) -> anyhow::Result<f64> {
        let seen = self.0.get(&partition).map_or(&[][..], Vec::as_slice);
        let first = seen.partition_point(|observation| observation.next_offset <= offset);
        seen.get(first).map(|observation| observation.at_ms).context("a record was never seen committed")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_record_counts_as_committed_when_the_position_is_first_past_it() {
        let mut commits = Commits::default();
        for (next_offset, at_ms) in [(3, 10.0), (3, 12.0), (7, 14.0)] {
            commits.see(0, next_offset, at_ms);
        }
        let seen = |offset| commits.seen_at(0, offset).unwrap();
        assert_eq!([seen(0), seen(2), seen(3), seen(6)], [10.0, 10.0, 14.0, 14.0]);
        assert!(commits.seen_at(0, 7).is_err() && commits.seen_at(1, 0).is_err());
        assert_eq!(commits.next_offset(0), 7);
    }
}
