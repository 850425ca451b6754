//! The loop over a batch: each partition is decoded and stored by itself, and only a fault that may pass asks for a retry.

use std::fmt::Write as _;
use std::time::Instant;

use chrono::{DateTime, Utc};
use millrace_store_mysql::batch::{Incoming, Original, Originals, Record, Refusal, Source, Stored};
use millrace_store_mysql::fault::StoreError;
use millrace_wire::batch::{BatchError, KafkaBatch, PartitionRecords};
use millrace_wire::{PartialBatchResponse, Rejection};
use tokio::sync::mpsc;

use crate::metrics::{self, Metric};
use crate::mysql::Mysql;

/// Records that are decoded and then stored together, while the next ones are decoded.
const CHUNK: usize = 500;
/// Records decoded before the store gets its turn: what has arrived from the database is read within half a millisecond.
const TURN: usize = 125;
/// Chunks that may wait for the store.
const AHEAD: usize = 2;

/// What a function does with the records of its topic.
pub trait Intake {
    /// A decoded record.
    type Record;

    /// Reads a record's value, given the broker's time for it.
    ///
    /// # Errors
    /// Names the field and the reason; the record is stored as a reject.
    fn decode(&self, value: &[u8], recorded_at: DateTime<Utc>) -> Result<Self::Record, Rejection>;

    /// Stores a partition's batch in one transaction.
    fn store(
        &self,
        source: Source<'_>,
        incoming: Incoming<Self::Record>,
        originals: &dyn Originals,
    ) -> impl Future<Output = Result<Stored, StoreError>>;
}

/// Stores every partition of a batch in `mysql`, where `intake` stores. The answer names the partitions that are to be delivered
/// again, and from which offset: also when the database lets nobody in, as an error of the whole invocation would be neither
/// counted nor told by topic.
///
/// # Errors
/// When the payload is no batch.
pub async fn run<I: Intake>(intake: &I, mysql: &Mysql, payload: &str) -> Result<PartialBatchResponse, BatchError> {
    let batch = KafkaBatch::parse(payload.as_bytes())?;
    let mut response = PartialBatchResponse::default();
    for partition in &batch.partitions {
        let Some(first_offset) = partition.records.iter().map(|record| record.offset).min() else { continue };
        let oldest = partition.records.iter().map(|record| record.timestamp).min();
        let started = Instant::now();
        let mut outcome = Box::pin(store(intake, partition)).await;
        let renewed = match &outcome {
            Ok(_) => false,
            Err(error) => mysql.renew(error).await,
        };
        if renewed {
            outcome = Box::pin(store(intake, partition)).await;
        }
        let waited = oldest.map_or(0.0, |oldest| (Utc::now() - oldest).as_seconds_f64().max(0.0));
        let times = [(Metric::BatchDuration, started.elapsed().as_secs_f64() * 1000.0), (Metric::LagAge, waited)];
        match outcome {
            Ok(stored) => report(&partition.topic, &stored, &times),
            Err(error) => {
                tracing::warn!(topic = %partition.topic, partition = partition.partition, first_offset, %error, "asking for the batch again");
                metrics::emit(Some(&partition.topic), &[&[(Metric::BatchesFailed, 1.0)][..], &times[..]].concat());
                response.retry(&partition.topic, partition.partition, first_offset);
            }
        }
    }
    Ok(response)
}

fn report(topic: &str, stored: &Stored, times: &[(Metric, f64)]) {
    let values = [
        (Metric::BatchesFailed, 0),
        (Metric::RecordsStored, stored.counts.stored),
        (Metric::RecordsDuplicate, stored.counts.duplicates),
        (Metric::RecordsRejected, stored.counts.rejects),
        (Metric::RecordsRedelivered, stored.redelivered),
    ];
    let mut values: Vec<(Metric, f64)> = values.map(|(metric, count)| (metric, count as f64)).to_vec();
    values.extend(times);
    metrics::emit(Some(topic), &values);
    let rejects = stored.rejects_by_field.iter().map(|(field, count)| (&**field, *count as f64));
    metrics::emit_by_field(topic, Metric::RejectsByField, rejects);
}

async fn store<I: Intake>(intake: &I, partition: &PartitionRecords<'_>) -> Result<Stored, StoreError> {
    let source = Source {
        topic: &partition.topic,
        partition: number(partition.partition.into()),
        records: partition.records.len(),
    };
    let originals = Delivered(partition);
    let (chunks, receiver) = mpsc::channel(AHEAD);
    // The two take turns on one thread: while the database works on a chunk, the next ones are decoded.
    let (stored, ()) =
        tokio::join!(intake.store(source, Incoming::new(receiver), &originals), decode(intake, partition, chunks));
    stored
}

async fn decode<I: Intake>(intake: &I, partition: &PartitionRecords<'_>, chunks: mpsc::Sender<Vec<Record<I::Record>>>) {
    let mut buffer = Vec::new();
    for records in partition.records.chunks(CHUNK) {
        let mut decoded = Vec::with_capacity(records.len());
        for records in records.chunks(TURN) {
            for record in records {
                let value = record.value_into(&mut buffer);
                let content = value.and_then(|value| intake.decode(value, record.timestamp));
                decoded.push(Record {
                    offset: number(record.offset),
                    recorded_at: record.timestamp,
                    content: content.map_err(|rejection| Refusal { field: rejection.field, reason: rejection.reason }),
                });
            }
            tokio::task::yield_now().await;
        }
        // The store stops listening when its transaction failed for good.
        if chunks.send(decoded).await.is_err() {
            return;
        }
    }
}

/// Offsets and partitions are never negative.
fn number<N: TryFrom<i64> + Default>(number: i64) -> N {
    N::try_from(number).unwrap_or_default()
}

/// The records as the payload has them.
struct Delivered<'a>(&'a PartitionRecords<'a>);

impl Originals for Delivered<'_> {
    fn original(&self, offset: u64) -> Original {
        let records = &self.0.records;
        let place = |record: &millrace_wire::batch::Record<'_>| number::<u64>(record.offset);
        // A mapping delivers them in order; whoever invokes a function by hand may not.
        let found = records
            .binary_search_by_key(&offset, place)
            .ok()
            .or_else(|| records.iter().position(|record| place(record) == offset));
        let Some(record) = found.and_then(|at| records.get(at)) else { return Original::default() };
        let mut headers = String::from("[");
        for (n, header) in record.headers.iter().enumerate() {
            let name = serde_json::Value::from(header.name.as_ref());
            let _ = write!(headers, "{}{{{name}:{:?}}}", if n > 0 { "," } else { "" }, header.value);
        }
        headers.push(']');
        Original {
            key: record.key.as_ref().map(|key| key.decode_lossy()),
            headers,
            payload: record.value.as_ref().map(|value| value.decode_lossy()),
        }
    }
}
