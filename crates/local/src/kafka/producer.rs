//! An idempotent producer that remembers what was acknowledged.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};

use super::Delivered;

/// How long the last records of a file may take to be acknowledged: longer than the client's own 300 s for a record, so that its
/// reason is told.
const FILE_ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(320);

/// The same of a stream, whose end somebody waits for.
const STREAM_ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(60);

/// A record to send.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outgoing<'a> {
    /// Where to.
    pub topic: &'a str,
    /// Its key, which decides the partition; without one any partition does.
    pub key: Option<&'a [u8]>,
    /// Its bytes; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order.
    pub headers: &'a [(String, Vec<u8>)],
}

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// As many records wait to be acknowledged as are held.
    #[error("too many records wait for Kafka")]
    Full,
    /// It is larger than a record may be.
    #[error("the record is larger than Kafka takes")]
    TooLarge,
    /// The producer has failed for good; a new one may go on.
    #[error("Kafka: {0}")]
    Failed(KafkaError),
}

/// Sends records in order, each once, and counts those that the broker has acknowledged.
pub struct Producer {
    inner: ThreadedProducer<Reports>,
    acknowledged_within: Duration,
}

/// Takes the delivery reports.
struct Reports {
    keep_offsets: bool,
    delivered: Mutex<Delivered>,
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, report: &DeliveryResult<'_>, (): ()) {
        let mut delivered = self.lock();
        match report {
            Ok(message) => {
                let at = message.timestamp().to_millis();
                delivered.acknowledged(message.topic(), message.partition(), message.offset(), at, self.keep_offsets);
            }
            Err((error, _)) => {
                delivered.failed += 1;
                delivered.failure.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

impl Reports {
    fn lock(&self) -> MutexGuard<'_, Delivered> {
        // Counters are whole after every step, so a thread that died in between has spoiled nothing.
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Producer {
    /// A producer for files: large batches, and it remembers each record's offset.
    ///
    /// # Errors
    /// When the client can't be made.
    pub fn for_files(brokers: &str) -> anyhow::Result<Self> {
        let settings = [("linger.ms", "20"), ("batch.size", "1000000"), ("batch.num.messages", "100000")];
        Self::new(brokers, true, FILE_ACKNOWLEDGED_WITHIN, &settings)
    }

    /// A producer for a live stream: a record goes out within milliseconds, and waits long for a broker that is away.
    ///
    /// # Errors
    /// When the client can't be made.
    pub fn for_a_stream(brokers: &str) -> anyhow::Result<Self> {
        let settings = [("linger.ms", "5"), ("message.timeout.ms", "900000")];
        Self::new(brokers, false, STREAM_ACKNOWLEDGED_WITHIN, &settings)
    }

    fn new(
        brokers: &str,
        keep_offsets: bool,
        acknowledged_within: Duration,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("client.id", "millrace")
            // All on one machine: a broker that restarts is to be found again soon.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // As Java's clients place keys, so that whoever produces, a key's records share a partition.
            .set("partitioner", "murmur2_random")
            .set("queue.buffering.max.messages", "200000")
            .set("queue.buffering.max.kbytes", "131072");
        for (name, value) in settings {
            config.set(*name, *value);
        }
        let reports = Reports { keep_offsets, delivered: Mutex::default() };
        let inner = config.create_with_context(reports).context("can't make a Kafka producer")?;
        Ok(Self { inner, acknowledged_within })
    }

    /// Hands a record over, or says why not at once.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn try_send(&self, record: Outgoing<'_>) -> Result<(), SendError> {
        let mut message: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(record.topic);
        if let Some(key) = record.key {
            message = message.key(key);
        }
        if let Some(value) = record.value {
            message = message.payload(value);
        }
        if !record.headers.is_empty() {
            let headers = record
                .headers
                .iter()
                .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
            message = message.headers(headers);
        }
        match self.inner.send(message) {
            Ok(()) => Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => Err(SendError::Full),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), _)) => Err(SendError::TooLarge),
            Err((error, _)) => Err(SendError::Failed(error)),
        }
    }

    /// Hands a record over, waiting for room where there is none.
    ///
    /// # Errors
    /// When it can't be sent, or Kafka acknowledges nothing any more.
    pub fn send(&self, record: Outgoing<'_>) -> Result<(), SendError> {
        loop {
            match self.try_send(record) {
                Err(SendError::Full) => std::thread::sleep(Duration::from_millis(2)),
                done => return done,
            }
            if let Some((code, _)) = self.inner.client().fatal_error() {
                return Err(SendError::Failed(KafkaError::MessageProduction(code)));
            }
        }
    }

    /// Waits until every record is acknowledged or has failed.
    ///
    /// # Errors
    /// When one has failed, with the first reason, or when a producer for files has waited for 320 s, one for a stream for 60 s.
    pub fn finish(&self) -> anyhow::Result<Delivered> {
        let started = Instant::now();
        while self.inner.in_flight_count() > 0 && started.elapsed() < self.acknowledged_within {
            // The polling thread takes the reports; flush makes what lingers go now.
            let _unfinished = self.inner.flush(Duration::from_millis(100));
        }
        let delivered = self.delivered();
        let waiting = self.inner.in_flight_count();
        match &delivered.failure {
            Some(failure) => bail!("{} records were not acknowledged by Kafka: {failure}", delivered.failed),
            None if waiting > 0 => {
                bail!(
                    "{waiting} records were not acknowledged by Kafka within {} s",
                    self.acknowledged_within.as_secs()
                )
            }
            None => Ok(delivered),
        }
    }

    /// What was acknowledged so far.
    pub fn delivered(&self) -> Delivered {
        self.inner.client().context().lock().clone()
    }

    /// Whether the producer can't go on: idempotence was lost, for instance because the broker's data was wiped.
    pub fn is_broken(&self) -> bool {
        self.inner.client().fatal_error().is_some()
    }
}
