//! Waiting until records are settled: stored, duplicate, reject, or given up on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use millrace_store_mysql::status::Position;
use millrace_store_mysql::{MySqlPool, status};
use millrace_wire::Topic;

use crate::CommandError;
use crate::commands::database;
use crate::control::Control;
use crate::given_up::{Batch, GivenUp};
use crate::kafka::PartitionDeliveries;
use crate::stack::Stack;

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often the given-up batches and the supervisor are.
const LOOK_FURTHER: Duration = Duration::from_secs(1);
/// How long the stack may be away: long enough for any of its services to restart.
const AWAY: Duration = Duration::from_secs(60);

/// What is looked at.
struct Watch<'a> {
    pool: MySqlPool,
    given_up: GivenUp,
    control: Control,
    topic: Topic,
    produced: &'a BTreeMap<i32, PartitionDeliveries>,
    began: DateTime<Utc>,
    batches: Vec<Batch>,
    looked_further: Option<Instant>,
}

/// Waits until none of the records is open any more.
///
/// # Errors
/// When some were given up on, or the stack is not there to settle them.
pub(super) async fn wait(
    stack: &Stack,
    topic: Topic,
    produced: &BTreeMap<i32, PartitionDeliveries>,
    began: DateTime<Utc>,
) -> Result<(), CommandError> {
    let mut watch = Watch {
        pool: database::of_stack(stack)?,
        given_up: GivenUp::of(stack)?,
        control: Control::new(stack),
        topic,
        produced,
        began,
        batches: Vec::new(),
        looked_further: None,
    };
    let total: u64 = produced.values().map(|partition| partition.records).sum();
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} settled {elapsed}");
    let bar = ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut answered = Instant::now();
    loop {
        match watch.look().await {
            Ok(0) => break,
            Ok(open) => {
                answered = Instant::now();
                bar.set_position(total.saturating_sub(open.unsigned_abs()));
            }
            Err(error) if answered.elapsed() > AWAY => {
                return Err(error
                    .context("the records are in Kafka, but the stack does not tell what becomes of them")
                    .into());
            }
            Err(_) => {}
        }
        tokio::time::sleep(LOOK).await;
    }
    bar.finish_and_clear();
    report(produced, &watch.batches)
}

impl Watch<'_> {
    /// How many records are open.
    async fn look(&mut self) -> anyhow::Result<i64> {
        let positions = status::positions(&self.pool, self.topic.as_str()).await?;
        let mut open_now = open(self.produced, &positions, &self.batches);
        // A batch is given up on before the position moves past it: a look at the batches that comes last sees every one of ours.
        if open_now == 0 || self.looked_further.is_none_or(|last| last.elapsed() > LOOK_FURTHER) {
            self.batches = mine(self.given_up.list().await?, self.topic, self.began);
            self.looked_further = Some(Instant::now());
            open_now = open(self.produced, &positions, &self.batches);
            if open_now > 0 && self.control.report().await?.is_none() {
                bail!("no stack runs; {open_now} records are stored once it does");
            }
        }
        Ok(open_now)
    }
}

/// The batches that were given up on since the records were sent.
fn mine(batches: Vec<Batch>, topic: Topic, began: DateTime<Utc>) -> Vec<Batch> {
    // Object times have whole seconds.
    let since = began - TimeDelta::seconds(1);
    let recent = |batch: &Batch| batch.topic == topic.as_str() && batch.given_up_at.is_none_or(|at| at >= since);
    batches.into_iter().filter(recent).collect()
}

/// How many of the records are neither below their partition's position nor in a batch that was given up on.
fn open(produced: &BTreeMap<i32, PartitionDeliveries>, positions: &[Position], batches: &[Batch]) -> i64 {
    produced
        .iter()
        .map(|(partition, deliveries)| {
            let next = positions.iter().find(|position| i64::from(position.partition) == i64::from(*partition)).map_or(
                0,
                |position| {
                    // A position of an earlier topic of the same name may be far ahead; its records are older than ours.
                    let ours = deliveries.last_at_ms.and_then(DateTime::from_timestamp_millis);
                    let reached = ours.is_none_or(|ours| position.last_record_at.is_some_and(|last| last >= ours));
                    let beyond =
                        deliveries.offsets.iter().last().is_some_and(|(_, last)| position.next_offset as i64 > last);
                    if beyond && !reached { 0 } else { position.next_offset as i64 }
                },
            );
            let ahead = deliveries.offsets.count_within(next, i64::MAX);
            let given_up: i64 = batches
                .iter()
                .filter(|batch| batch.partition == *partition && batch.last_offset >= next)
                .map(|batch| deliveries.offsets.count_within(batch.first_offset.max(next), batch.last_offset))
                .sum();
            (ahead - given_up).max(0)
        })
        .sum()
}

fn report(produced: &BTreeMap<i32, PartitionDeliveries>, batches: &[Batch]) -> Result<(), CommandError> {
    let mut lost = 0;
    let mut keys = Vec::new();
    for batch in batches {
        let Some(deliveries) = produced.get(&batch.partition) else { continue };
        let count = deliveries.offsets.count_within(batch.first_offset, batch.last_offset);
        if count > 0 {
            lost += count;
            keys.push(format!("\n  {}", batch.key));
        }
    }
    if lost == 0 {
        return Ok(());
    }
    let keys = keys.concat();
    Err(anyhow!("{lost} records were given up on; they are kept in these batches, and `millrace given-up replay KEY` sends them again:{keys}").into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn produced(offsets: std::ops::Range<i64>, at_ms: i64) -> BTreeMap<i32, PartitionDeliveries> {
        let mut deliveries = PartitionDeliveries { last_at_ms: Some(at_ms), ..Default::default() };
        for offset in offsets {
            deliveries.offsets.add(offset);
            deliveries.records += 1;
        }
        BTreeMap::from([(1, deliveries)])
    }

    fn position(next_offset: u64, at_ms: i64) -> Vec<Position> {
        vec![Position {
            topic: "customers".into(),
            partition: 1,
            epoch: 0,
            next_offset,
            last_record_at: DateTime::from_timestamp_millis(at_ms),
            past_records: 0,
            counts: Default::default(),
            gaps: Vec::new(),
        }]
    }

    fn batch(first_offset: i64, last_offset: i64) -> Batch {
        Batch {
            key: format!("failed/{first_offset}"),
            topic: "customers".into(),
            topic_id: "t".into(),
            partition: 1,
            first_offset,
            last_offset,
            given_up_at: None,
            replayed: false,
        }
    }

    #[test]
    fn records_below_the_position_are_settled() {
        let produced = produced(10..20, 5_000);
        assert_eq!(open(&produced, &[], &[]), 10);
        assert_eq!(open(&produced, &position(15, 4_000), &[]), 5);
        assert_eq!(open(&produced, &position(20, 5_000), &[]), 0);
    }

    #[test]
    fn the_position_of_an_earlier_topic_of_the_same_name_settles_nothing() {
        let produced = produced(0..10, 5_000);
        assert_eq!(open(&produced, &position(1_000, 4_999), &[]), 10);
        assert_eq!(open(&produced, &position(10, 5_000), &[]), 0);
    }

    #[test]
    fn a_batch_given_up_on_settles_its_records_and_is_reported_by_its_key() {
        let produced = produced(10..20, 5_000);
        let batches = [batch(15, 30)];
        assert_eq!(open(&produced, &position(15, 4_000), &batches), 0, "nothing came after it, so the position stays");
        assert_eq!(open(&produced, &position(12, 4_000), &batches), 3);
        assert_eq!(open(&produced, &position(31, 6_000), &batches), 0);
        let error = report(&produced, &batches).unwrap_err();
        assert_eq!(error.exit_status(), 1);
        assert!(error.to_string().contains("5 records") && error.to_string().contains("failed/15"), "{error}");
        assert!(report(&produced, &[batch(30, 40)]).is_ok());
    }
}
