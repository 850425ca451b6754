//! Batches as an event source mapping delivers them.

use chrono::{DateTime, Utc};
use millrace_wire::batch::{Envelope, OutgoingPartition, OutgoingRecord, write_batch};

/// A batch of one partition whose records are numbered from `first_offset` on and were all written by the broker at `recorded_at`.
pub fn batch(topic: &str, partition: i32, first_offset: i64, recorded_at: DateTime<Utc>, values: &[Vec<u8>]) -> String {
    let records: Vec<OutgoingRecord> = values
        .iter()
        .zip(first_offset..)
        .map(|(value, offset)| OutgoingRecord {
            offset,
            timestamp_ms: recorded_at.timestamp_millis(),
            key: Some(format!("key-{offset}").into_bytes()),
            value: Some(value.clone()),
            headers: vec![("origin".into(), b"test".to_vec())],
        })
        .collect();
    several(&[(topic, partition, records)])
}

/// A batch of several partitions.
pub fn several(partitions: &[(&str, i32, Vec<OutgoingRecord>)]) -> String {
    let envelope = Envelope {
        event_source_arn: "arn:aws:kafka:local:000000000000:cluster/test",
        bootstrap_servers: "127.0.0.1:9092",
    };
    let partitions: Vec<OutgoingPartition<'_>> = partitions
        .iter()
        .map(|(topic, partition, records)| OutgoingPartition { topic, partition: *partition, records })
        .collect();
    String::from_utf8_lossy(&write_batch(&envelope, &partitions)).into_owned()
}
