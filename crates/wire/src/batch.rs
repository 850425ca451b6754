//! The batch in which Lambda's Kafka event source mapping hands records to a function (`aws:kafka`).
//!
//! It is read borrowed from the payload: keys and values stay base64 until they are asked for. [`write_batch`] makes the same
//! payload at once, [`write_payload_start`] and [`write_record`] while records arrive; the local host sends what AWS would.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::Rejection;
pub use crate::batch_reader::BatchError;
pub use crate::batch_writer::{
    Envelope, OutgoingPartition, OutgoingRecord, PAYLOAD_END, RecordView, record_len, write_batch, write_payload_start,
    write_record,
};

/// The records of one invocation, by partition, in the order of topic and partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaBatch<'a> {
    /// The partitions that the batch has records of.
    pub partitions: Vec<PartitionRecords<'a>>,
}

/// The records of one partition, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionRecords<'a> {
    /// The topic.
    pub topic: Cow<'a, str>,
    /// The partition's number, not negative.
    pub partition: i32,
    /// Its records.
    pub records: Vec<Record<'a>>,
}

/// One record as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place in the partition.
    pub offset: i64,
    /// The broker's time for it, to the millisecond. A time before 1970 or after 9999 is moved to that end.
    pub timestamp: DateTime<Utc>,
    /// Its key.
    pub key: Option<Encoded<'a>>,
    /// Its value; `None` is a tombstone, which no topic of ours knows.
    pub value: Option<Encoded<'a>>,
    /// Its headers in order; a name may stand more than once.
    pub headers: Vec<Header<'a>>,
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// Bytes as they travel: base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded<'a>(pub(crate) Cow<'a, str>);

impl<'a> KafkaBatch<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// When it is not what an event source mapping sends. That is no fault of a record, so it is an error of the invocation.
    pub fn parse(payload: &'a [u8]) -> Result<Self, BatchError> {
        crate::batch_reader::read(payload)
    }

    /// How many records it has.
    pub fn len(&self) -> usize {
        self.partitions.iter().map(|partition| partition.records.len()).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Record<'_> {
    /// Decodes the value into `buffer`, which is emptied first, and returns it.
    ///
    /// # Errors
    /// When there is no value, or when it is not base64.
    pub fn value_into<'b>(&self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Rejection> {
        buffer.clear();
        let value = self.value.as_ref().ok_or_else(|| Rejection::whole("is missing: the record is a tombstone"))?;
        value.decode_into(buffer)?;
        Ok(buffer)
    }
}

impl Encoded<'_> {
    /// The base64 text.
    pub fn as_base64(&self) -> &str {
        &self.0
    }

    /// The bytes.
    ///
    /// # Errors
    /// When the text is not base64.
    pub fn decode(&self) -> Result<Vec<u8>, Rejection> {
        let mut bytes = Vec::new();
        self.decode_into(&mut bytes)?;
        Ok(bytes)
    }

    /// Appends the bytes to `buffer`.
    ///
    /// # Errors
    /// When the text is not base64; then `buffer` is as it was.
    pub fn decode_into(&self, buffer: &mut Vec<u8>) -> Result<(), Rejection> {
        base64_simd::STANDARD.decode_append(self.0.as_bytes(), buffer).map_err(|_| Rejection::whole("is not base64"))
    }

    /// The bytes, or the text itself where it is not base64: what is kept of a refused record.
    pub fn decode_lossy(&self) -> Vec<u8> {
        self.decode().unwrap_or_else(|_| self.0.as_bytes().to_vec())
    }
}
