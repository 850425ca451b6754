//! The broker's timestamps, read from the topic after a run.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::producer::TOPIC;

const TIMEOUT: Duration = Duration::from_secs(20);

/// One record of the topic.
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
}

/// Where each partition ends.
pub(crate) fn ends(brokers: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
    let consumer = consumer(brokers)?;
    let metadata = consumer.fetch_metadata(Some(TOPIC), TIMEOUT).context("the topic's partitions")?;
    let topic = metadata.topics().first().context("the topic's partitions")?;
    let end = |partition: i32| Ok((partition, consumer.fetch_watermarks(TOPIC, partition, TIMEOUT)?.1));
    topic.partitions().iter().map(|partition| end(partition.id())).collect()
}

/// The records from one set of positions to another.
pub(crate) fn between(
    brokers: &str,
    from: &BTreeMap<i32, i64>,
    to: &BTreeMap<i32, i64>,
) -> anyhow::Result<Vec<Record>> {
    let consumer = consumer(brokers)?;
    let mut positions = TopicPartitionList::new();
    for (partition, offset) in from {
        positions.add_partition_offset(TOPIC, *partition, Offset::Offset(*offset))?;
    }
    consumer.assign(&positions)?;
    let mut left: i64 = to.iter().map(|(partition, end)| end - from.get(partition).unwrap_or(&0)).sum();
    let mut records = Vec::new();
    while left > 0 {
        let Some(message) = consumer.poll(TIMEOUT) else { bail!("{left} records of the run can't be read back") };
        let message = message?;
        if to.get(&message.partition()).is_some_and(|end| message.offset() < *end) {
            let timestamp_ms = message.timestamp().to_millis().context("a record without a timestamp")?;
            records.push(Record { partition: message.partition(), offset: message.offset(), timestamp_ms });
            left -= 1;
        }
    }
    Ok(records)
}

fn consumer(brokers: &str) -> anyhow::Result<BaseConsumer> {
    let group = format!("millrace-bench-{}", std::process::id());
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", group).set("enable.auto.commit", "false");
    config.create().context("a Kafka consumer")
}
