//! The live tail: records after a cursor, read from Kafka itself. Nothing is kept between two answers.

use std::collections::VecDeque;

use futures::future::try_join_all;
use millrace_msk::MskError;
use rskafka::client::error::Error;
use rskafka::record::RecordAndOffset;
use serde_json::{Value, json};

use crate::broker::{Broker, Connected};
use crate::cursor::Cursor;

/// Records of one answer.
const MOST_RECORDS: usize = 500;
/// Bytes of one answer's keys and values, as JSON.
const MOST_BYTES: usize = 1 << 20;
/// Bytes shown of one key or value; a longer one is cut and marked.
const SHOWN: usize = 64 << 10;

/// The answer: records, the cursor after them, and how many are left.
pub(crate) async fn tail(broker: &Broker, cursor: Option<Cursor>) -> Result<Value, MskError> {
    let connected = broker.connected().await?;
    let ends = connected.ends().await?;
    let mut after = Cursor::default();
    let mut waiting = Vec::new();
    for end in &ends {
        let key = (end.topic.clone(), end.partition);
        let next = match &cursor {
            None => end.end,
            Some(cursor) => match cursor.next.get(&key).copied() {
                Some(next) if next <= end.end => next,
                // A partition that came after the cursor, or a topic that was made again since: all that it has is new.
                _ => connected.start(&end.topic, end.partition).await?,
            },
        };
        if next < end.end {
            waiting.push((key.clone(), next));
        }
        after.next.insert(key, next);
    }
    let batches =
        try_join_all(waiting.iter().map(|((topic, partition), next)| batch(&connected, topic, *partition, *next)))
            .await?;
    let records = merge(batches, &mut after);
    let behind: i64 =
        ends.iter().filter_map(|end| Some(end.end - after.next.get(&(end.topic.clone(), end.partition))?)).sum();
    Ok(json!({"cursor": after.encode(), "records": records, "behind": behind}))
}

struct Batch {
    topic: String,
    partition: i32,
    records: VecDeque<RecordAndOffset>,
}

async fn batch(connected: &Connected, topic: &str, partition: i32, next: i64) -> Result<Batch, Error> {
    let records = connected.fetch(topic, partition, next).await?.into();
    Ok(Batch { topic: topic.to_owned(), partition, records })
}

/// Takes the records by time, each partition's in its own order, until the answer is full, and moves the cursor past them.
fn merge(mut batches: Vec<Batch>, after: &mut Cursor) -> Vec<Value> {
    let mut records = Vec::new();
    let mut bytes = 0;
    while records.len() < MOST_RECORDS {
        let earliest = batches
            .iter_mut()
            .filter(|batch| !batch.records.is_empty())
            .min_by_key(|batch| batch.records.front().map(|record| record.record.timestamp));
        let Some(batch) = earliest else { break };
        let Some(found) = batch.records.front() else { break };
        let (record, size) = shown(&batch.topic, batch.partition, found);
        bytes += size;
        if bytes > MOST_BYTES && !records.is_empty() {
            break;
        }
        after.next.insert((batch.topic.clone(), batch.partition), found.offset + 1);
        records.push(record);
        batch.records.pop_front();
    }
    records
}

/// A record as JSON, with its producer's time, and about how many bytes that takes.
fn shown(topic: &str, partition: i32, found: &RecordAndOffset) -> (Value, usize) {
    let (key, key_cut) = text(found.record.key.as_deref());
    let (value, value_cut) = text(found.record.value.as_deref());
    let size = key.to_string().len() + value.to_string().len() + 160;
    let mut record = json!({
        "topic": topic,
        "partition": partition,
        "offset": found.offset,
        "timestamp": found.record.timestamp.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "key": key,
        "value": value,
    });
    if key_cut || value_cut {
        record["truncated"] = true.into();
    }
    (record, size)
}

/// The bytes as text, and whether it was cut. What is not UTF-8 is shown as `�`.
fn text(bytes: Option<&[u8]>) -> (Value, bool) {
    let Some(bytes) = bytes else { return (Value::Null, false) };
    let shown = &bytes[..bytes.len().min(SHOWN)];
    (String::from_utf8_lossy(shown).into(), shown.len() < bytes.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::DateTime;
    use rskafka::record::Record;

    use super::*;

    fn record(offset: i64, second: i64, value: &[u8]) -> RecordAndOffset {
        let timestamp = DateTime::from_timestamp(second, 0).unwrap();
        RecordAndOffset {
            record: Record { key: None, value: Some(value.to_vec()), headers: Default::default(), timestamp },
            offset,
        }
    }

    fn batch(partition: i32, records: Vec<RecordAndOffset>) -> Batch {
        Batch { topic: "customers".into(), partition, records: records.into() }
    }

    #[test]
    fn records_come_by_time_and_each_partition_in_its_order() {
        let mut after = Cursor::default();
        // Partition 1's clock went back: its order stays.
        let batches = vec![
            batch(0, vec![record(5, 10, b""), record(6, 30, b"")]),
            batch(1, vec![record(9, 20, b""), record(10, 1, b"")]),
        ];
        let order: Vec<_> = merge(batches, &mut after)
            .iter()
            .map(|r| (r["partition"].as_i64().unwrap(), r["offset"].as_i64().unwrap()))
            .collect();
        assert_eq!(order, [(0, 5), (1, 9), (1, 10), (0, 6)]);
        assert_eq!(after.next.values().copied().collect::<Vec<_>>(), [7, 11]);
    }

    #[test]
    fn a_full_answer_leaves_the_cursor_before_what_did_not_fit() {
        let many = (0..MOST_RECORDS as i64 + 5).map(|n| record(n, n, b"{}")).collect();
        let mut after = Cursor::default();
        assert_eq!(merge(vec![batch(0, many)], &mut after).len(), MOST_RECORDS);
        assert_eq!(after.next[&("customers".to_owned(), 0)], MOST_RECORDS as i64);

        // Control characters take six bytes each as JSON.
        let large = (0..10).map(|n| record(n, n, &vec![1; 60_000])).collect();
        let records = merge(vec![batch(0, large)], &mut after);
        assert_eq!(records.len(), 2, "each takes 360,000 bytes");
        assert_eq!(after.next[&("customers".to_owned(), 0)], 2);
    }

    #[test]
    fn a_record_larger_than_an_answer_is_cut_and_marked() {
        let mut after = Cursor::default();
        let records = merge(vec![batch(0, vec![record(0, 0, &vec![0xff; 5 << 20]), record(1, 1, b"x")])], &mut after);
        assert_eq!(records.len(), 2);
        assert_eq!(records[0]["truncated"], true);
        assert!(records[1].get("truncated").is_none());
        assert_eq!(records[1]["value"], "x");
    }

    #[test]
    fn what_is_absent_is_null_and_what_is_not_text_is_marked() {
        let (none, _) = text(None);
        assert!(none.is_null());
        assert_eq!(text(Some(b"a\xff")).0, "a\u{fffd}");
    }
}
