//! The event of a batch, as Lambda's Kafka event source mapping writes it, made in one buffer while records arrive.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use millrace_wire::batch::{Envelope, PAYLOAD_END, RecordView, write_payload_start, write_record};

use crate::runtime_api::REQUEST_LIMIT;

/// What is the same in every event of one partition.
pub(crate) struct Frame {
    topic: String,
    partition: i32,
    event_start: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(event_source_arn: &str, bootstrap_servers: &str, topic: &str, partition: i32) -> Frame {
        let mut event_start = Vec::new();
        write_payload_start(&mut event_start, &Envelope { event_source_arn, bootstrap_servers }, topic, partition);
        Frame { topic: topic.to_owned(), partition, event_start }
    }
}

/// Where a record's JSON lies in the batch's buffer.
#[derive(Debug, Clone)]
struct Mark {
    offset: i64,
    timestamp: i64,
    bytes: Range<usize>,
}

/// Gathers records until a batch is full.
pub(crate) struct BatchBuilder {
    frame: Arc<Frame>,
    most_records: usize,
    buffer: Vec<u8>,
    marks: Vec<Mark>,
    /// A record that did not fit any more: the next batch's first.
    carried: Option<(Vec<u8>, Mark)>,
    /// How large the batch before was, which is the best guess for the next.
    expected: usize,
}

impl BatchBuilder {
    pub(crate) fn new(frame: Arc<Frame>, most_records: usize) -> BatchBuilder {
        BatchBuilder { frame, most_records, buffer: Vec::new(), marks: Vec::new(), carried: None, expected: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Whether the batch takes no further record: by count, by bytes, or because the next one did not fit.
    pub(crate) fn is_full(&self) -> bool {
        self.marks.len() >= self.most_records
            || self.carried.is_some()
            || self.buffer.len() + PAYLOAD_END.len() >= REQUEST_LIMIT
    }

    /// Takes a record; the batch must not be full.
    pub(crate) fn push(&mut self, record: &RecordView<'_>) {
        if self.marks.is_empty() {
            self.buffer.reserve(self.expected);
            self.buffer.extend_from_slice(&self.frame.event_start);
        } else {
            self.buffer.push(b',');
        }
        let start = self.buffer.len();
        write_record(&mut self.buffer, &self.frame.topic, self.frame.partition, record);
        let mark = Mark { offset: record.offset, timestamp: record.timestamp_ms, bytes: start..self.buffer.len() };
        if !self.marks.is_empty() && self.buffer.len() + PAYLOAD_END.len() > REQUEST_LIMIT {
            self.carried = Some((self.buffer.split_off(start), mark));
            // The comma before it goes too.
            self.buffer.truncate(start - 1);
        } else {
            self.marks.push(mark);
        }
    }

    /// Closes the batch and begins the next.
    pub(crate) fn take(&mut self) -> Batch {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(PAYLOAD_END);
        self.expected = buffer.len();
        let batch =
            Batch { frame: self.frame.clone(), event: Bytes::from(buffer), marks: std::mem::take(&mut self.marks) };
        if let Some((bytes, mark)) = self.carried.take() {
            self.buffer.reserve(self.expected);
            self.buffer.extend_from_slice(&self.frame.event_start);
            let start = self.buffer.len();
            self.buffer.extend_from_slice(&bytes);
            self.marks.push(Mark { bytes: start..self.buffer.len(), ..mark });
        }
        batch
    }
}

/// A closed batch of one partition's records, in the order of their offsets.
pub(crate) struct Batch {
    frame: Arc<Frame>,
    event: Bytes,
    marks: Vec<Mark>,
}

impl Batch {
    pub(crate) fn len(&self) -> usize {
        self.marks.len()
    }

    pub(crate) fn offset(&self, index: usize) -> i64 {
        self.marks.get(index).map_or(0, |mark| mark.offset)
    }

    pub(crate) fn timestamp(&self, index: usize) -> i64 {
        self.marks.get(index).map_or(-1, |mark| mark.timestamp)
    }

    /// The offset after the record before `index`: what is committed when everything before `index` is done.
    pub(crate) fn position_before(&self, index: usize) -> i64 {
        match index.checked_sub(1) {
            Some(last) => self.offset(last) + 1,
            None => self.offset(0),
        }
    }

    /// Which record of `range` has this offset.
    pub(crate) fn index_of(&self, offset: i64, range: &Range<usize>) -> Option<usize> {
        let index = self.marks.binary_search_by_key(&offset, |mark| mark.offset).ok()?;
        range.contains(&index).then_some(index)
    }

    /// The event of these records; that of all of them needs no copy.
    pub(crate) fn event(&self, range: &Range<usize>) -> Bytes {
        if *range == (0..self.marks.len()) {
            return self.event.clone();
        }
        let Some(marks) = self.marks.get(range.clone()) else { return Bytes::new() };
        let (Some(first), Some(last)) = (marks.first(), marks.last()) else { return Bytes::new() };
        let records = &self.event[first.bytes.start..last.bytes.end];
        Bytes::from([&self.frame.event_start, records, PAYLOAD_END].concat())
    }
}
