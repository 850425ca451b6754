//! Writing an `aws:kafka` payload as AWS does.

use std::io::Write;

/// What stands around the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The cluster's ARN.
    pub event_source_arn: &'a str,
    /// Comma-separated `host:port`s.
    pub bootstrap_servers: &'a str,
}

/// The records of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingPartition<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition's number.
    pub partition: i32,
    /// Its records by offset.
    pub records: &'a [OutgoingRecord],
}

/// One record as Kafka has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutgoingRecord {
    /// Its place in the partition.
    pub offset: i64,
    /// The broker's time, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// One record as it lies in a client's buffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Its place in the partition.
    pub offset: i64,
    /// In milliseconds since 1970; whose time it is says `timestamp_type`.
    pub timestamp_ms: i64,
    /// `CREATE_TIME`, `LOG_APPEND_TIME` or `NO_TIMESTAMP_TYPE`.
    pub timestamp_type: &'static str,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers in order.
    pub headers: Vec<(&'a str, &'a [u8])>,
}

/// What closes a payload of one partition that [`write_payload_start`] began.
pub const PAYLOAD_END: &[u8] = b"]}}";

/// Begins a payload of one partition; its records follow, with commas between them, and then [`PAYLOAD_END`].
pub fn write_payload_start(out: &mut Vec<u8>, envelope: &Envelope<'_>, topic: &str, partition: i32) {
    write_envelope(out, envelope);
    write_partition_start(out, topic, partition);
}

/// Makes the payload of one invocation. Partitions without records are left out.
pub fn write_batch(envelope: &Envelope<'_>, partitions: &[OutgoingPartition<'_>]) -> Vec<u8> {
    let len: usize =
        partitions.iter().map(|p| p.records.iter().map(|r| record_len(p.topic, p.partition, r)).sum::<usize>()).sum();
    let mut out = Vec::with_capacity(len + 512);
    write_envelope(&mut out, envelope);
    let mut first = true;
    for partition in partitions.iter().filter(|partition| !partition.records.is_empty()) {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_partition_start(&mut out, partition.topic, partition.partition);
        for (index, record) in partition.records.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_record(&mut out, partition.topic, partition.partition, &record.view());
        }
        out.push(b']');
    }
    out.extend_from_slice(b"}}");
    out
}

/// An upper bound of the bytes that a record takes in a payload, its comma included: what a batch's size limit is held against.
pub fn record_len(topic: &str, partition: i32, record: &OutgoingRecord) -> usize {
    let base64 = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(4, |bytes| bytes.len().div_ceil(3) * 4 + 2);
    // A header's byte takes at most `-128,`, an escaped character at most six bytes; a topic's name has none.
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() * 6 + value.len() * 5 + 8).sum();
    let digits = |number: i64| number.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 2;
    let numbers = digits(record.offset) + digits(record.timestamp_ms) + digits(i64::from(partition));
    topic.len() + numbers + base64(&record.key) + base64(&record.value) + headers + FRAME
}

/// The names, quotes and marks of a record that has no content.
const FRAME: usize =
    r#"{"topic":"","partition":,"offset":,"timestamp":,"timestampType":"LOG_APPEND_TIME","key":,"value":,"headers":[]},"#.len();

impl OutgoingRecord {
    fn view(&self) -> RecordView<'_> {
        RecordView {
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            timestamp_type: "LOG_APPEND_TIME",
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect(),
        }
    }
}

fn write_envelope(out: &mut Vec<u8>, envelope: &Envelope<'_>) {
    out.extend_from_slice(br#"{"eventSource":"aws:kafka","eventSourceArn":"#);
    string(out, envelope.event_source_arn);
    out.extend_from_slice(br#","bootstrapServers":"#);
    string(out, envelope.bootstrap_servers);
    out.extend_from_slice(br#","records":{"#);
}

fn write_partition_start(out: &mut Vec<u8>, topic: &str, partition: i32) {
    string(out, &format!("{topic}-{partition}"));
    out.extend_from_slice(b":[");
}

/// Writes one record of a partition, without a comma.
pub fn write_record(out: &mut Vec<u8>, topic: &str, partition: i32, record: &RecordView<'_>) {
    out.extend_from_slice(br#"{"topic":"#);
    string(out, topic);
    // Writing to memory cannot fail.
    let _ = write!(
        out,
        r#","partition":{partition},"offset":{},"timestamp":{},"timestampType":"{}","key":"#,
        record.offset, record.timestamp_ms, record.timestamp_type
    );
    base64(out, record.key);
    out.extend_from_slice(br#","value":"#);
    base64(out, record.value);
    out.extend_from_slice(br#","headers":["#);
    for (index, (name, value)) in record.headers.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{" } else { b"{" });
        string(out, name);
        out.extend_from_slice(b":[");
        for (index, byte) in value.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let _ = write!(out, "{comma}{}", byte.cast_signed());
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"]}");
}

fn base64(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.extend_from_slice(b"null"),
        Some(bytes) => {
            out.push(b'"');
            base64_simd::STANDARD.encode_append(bytes, out);
            out.push(b'"');
        }
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    // A string always has a JSON form, and writing to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}
