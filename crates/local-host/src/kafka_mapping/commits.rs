//! Commits positions to the consumer group, after success only.
//!
//! A commit carries the topic's id as its metadata, so that the position in a topic that was deleted and made again is not
//! taken for a position in the new one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;
use uuid::Uuid;

use super::consumer::MappingConsumer;

/// Positions that change faster are committed together.
const PAUSE: Duration = Duration::from_millis(20);
/// How long to wait after a commit that failed.
const RETRY: Duration = Duration::from_millis(500);

/// The positions of one topic's partitions.
pub(crate) struct Commits {
    topic: String,
    topic_id: Uuid,
    consumer: Arc<MappingConsumer>,
    pending: Mutex<Pending>,
    changed: Notify,
}

#[derive(Default)]
struct Pending {
    positions: BTreeMap<i32, i64>,
    closed: bool,
}

impl Commits {
    pub(crate) fn new(topic: &str, topic_id: Uuid, consumer: Arc<MappingConsumer>) -> Arc<Commits> {
        Arc::new(Commits {
            topic: topic.to_owned(),
            topic_id,
            consumer,
            pending: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Notes that every record before `position` is done.
    pub(crate) fn set(&self, partition: i32, position: i64) {
        let mut pending = self.pending();
        if !pending.closed {
            pending.positions.insert(partition, position);
            self.changed.notify_one();
        }
    }

    /// Commits nothing any more, whatever comes.
    pub(crate) fn close(&self) {
        *self.pending() = Pending { positions: BTreeMap::new(), closed: true };
    }

    /// Commits what is noted, for ever.
    pub(crate) async fn run(&self) {
        loop {
            self.changed.notified().await;
            match self.flush().await {
                Ok(()) => tokio::time::sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(topic = %self.topic, %error, "cannot commit positions, trying again");
                    tokio::time::sleep(RETRY).await;
                    self.changed.notify_one();
                }
            }
        }
    }

    /// Commits what is noted, once; what could not be committed stays noted.
    pub(crate) async fn flush(&self) -> Result<(), KafkaError> {
        let positions = std::mem::take(&mut self.pending().positions);
        if positions.is_empty() {
            return Ok(());
        }
        let committed = self.commit(&positions).await;
        if committed.is_err() {
            let mut pending = self.pending();
            if !pending.closed {
                for (partition, position) in positions {
                    // A newer position may have come in between.
                    pending.positions.entry(partition).or_insert(position);
                }
            }
        }
        committed
    }

    async fn commit(&self, positions: &BTreeMap<i32, i64>) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        let metadata = self.topic_id.to_string();
        for (partition, position) in positions {
            let mut element = list.add_partition(&self.topic, *partition);
            element.set_offset(Offset::Offset(*position))?;
            element.set_metadata(&metadata);
        }
        let consumer = self.consumer.clone();
        let commit = tokio::task::spawn_blocking(move || consumer.commit(&list, CommitMode::Sync));
        commit.await.unwrap_or(Err(KafkaError::Canceled))
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
