//! The mapping's Kafka client: partitions are assigned by the host (there is one), so no group ever rebalances.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use uuid::Uuid;

use crate::manifest::StartingPosition;

/// How long one question to the brokers may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The client's own messages go to our log, and only when they matter: every lost connection is reported by what it breaks.
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, message, "kafka client");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka client");
    }
}

impl ConsumerContext for Quiet {}

/// The client of one mapping, for one incarnation of its topic.
pub(crate) type MappingConsumer = StreamConsumer<Quiet>;

/// Makes a client; it connects when it is used.
pub(crate) fn connect(brokers: &str, group: &str) -> Result<MappingConsumer, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .set("client.id", "millrace-local-host")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Else a position below the log's start would silently become its end.
        .set("auto.offset.reset", "error")
        .set("allow.auto.create.topics", "false")
        // A partition may wait for its function for as long as it takes: no group member watches it.
        .set("max.poll.interval.ms", "86400000")
        // What is fetched ahead for each partition, beside the batch that is being gathered.
        .set("queued.min.messages", "20000")
        .set("queued.max.messages.kbytes", "16384")
        // A full batch in one answer: with 1 MiB, batches went out half empty while the broker was asked again.
        .set("fetch.message.max.bytes", "6291456")
        .set("fetch.queue.backoff.ms", "10")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.nagle.disable", "true")
        .create_with_context(Quiet)
}

/// The first and the next offset of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// A position in the group and the topic's id that was noted with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) offset: i64,
    pub(crate) topic_id: String,
}

pub(crate) async fn bounds(consumer: &Arc<MappingConsumer>, topic: &str, partition: i32) -> Result<Bounds, KafkaError> {
    let (consumer, topic) = (consumer.clone(), topic.to_owned());
    let asked = tokio::task::spawn_blocking(move || consumer.fetch_watermarks(&topic, partition, PATIENCE));
    let (low, high) = asked.await.unwrap_or(Err(KafkaError::Canceled))?;
    Ok(Bounds { low, high })
}

pub(crate) async fn committed(
    consumer: &Arc<MappingConsumer>,
    topic: &str,
    partition: i32,
) -> Result<Option<Committed>, KafkaError> {
    let consumer = consumer.clone();
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let asked = tokio::task::spawn_blocking(move || consumer.committed_offsets(list, PATIENCE));
    let list = asked.await.unwrap_or(Err(KafkaError::Canceled))?;
    let elements = list.elements();
    let Some(element) = elements.first() else { return Ok(None) };
    element.error()?;
    Ok(match element.offset() {
        Offset::Offset(offset) => Some(Committed { offset, topic_id: element.metadata().to_owned() }),
        _ => None,
    })
}

/// Where reading begins, and what is to be told about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    At(i64),
    /// The records from the position to the log's start are gone.
    Lost {
        at: i64,
        records: i64,
    },
    /// The position belongs to an earlier topic of this name, or lies beyond the end: all is read again.
    Rewound(i64),
}

impl Start {
    pub(crate) fn offset(&self) -> i64 {
        match self {
            Start::At(offset) | Start::Rewound(offset) | Start::Lost { at: offset, .. } => *offset,
        }
    }
}

/// The rule for where to begin: at the committed position if it is of this topic and within its log.
pub(crate) fn start(
    committed: Option<&Committed>,
    topic_id: Uuid,
    bounds: Bounds,
    position: StartingPosition,
) -> Start {
    match committed {
        Some(committed) if !committed.topic_id.is_empty() && committed.topic_id != topic_id.to_string() => {
            Start::Rewound(bounds.low)
        }
        Some(committed) => within(committed.offset, bounds),
        None => Start::At(match position {
            StartingPosition::TrimHorizon => bounds.low,
            StartingPosition::Latest => bounds.high,
        }),
    }
}

/// The rule for a position that the broker may not have (any more).
pub(crate) fn within(position: i64, bounds: Bounds) -> Start {
    if position < bounds.low {
        Start::Lost { at: bounds.low, records: bounds.low - position }
    } else if position > bounds.high {
        Start::Rewound(bounds.low)
    } else {
        Start::At(position)
    }
}
