//! Puts records into Kafka.

use std::time::Duration;

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

/// A producer to the topic of usage events.
pub(crate) struct Producer(BaseProducer);

/// The topic that is measured.
pub(crate) const TOPIC: &str = "usage-events";

impl Producer {
    /// A producer that gathers records for `linger_ms`.
    pub(crate) fn connect(brokers: &str, linger_ms: u32) -> anyhow::Result<Self> {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("enable.idempotence", "true")
            .set("linger.ms", linger_ms.to_string())
            .set("batch.size", "1000000")
            .set("queue.buffering.max.messages", "100000")
            .create()
            .context("a Kafka producer")?;
        Ok(Self(producer))
    }

    /// Queues a record; without a partition its key decides.
    pub(crate) fn send(&self, key: &str, value: &[u8], partition: Option<i32>) -> anyhow::Result<()> {
        loop {
            let mut record = BaseRecord::to(TOPIC).key(key).payload(value);
            record.partition = partition;
            match self.0.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.0.poll(Duration::from_millis(50));
                }
                Err((error, _)) => return Err(error).context("a record can't be produced"),
            }
        }
    }

    /// Serves what the broker has acknowledged, without waiting.
    pub(crate) fn poll(&self) {
        self.0.poll(Duration::ZERO);
    }

    /// Waits until the broker has every record.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        self.0.flush(Duration::from_secs(120)).context("records were not acknowledged")
    }
}
