//! Reading an `aws:kafka` payload.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};

use crate::batch::{Encoded, Header, KafkaBatch, PartitionRecords, Record};
use crate::response::split_topic_partition;

/// Why a payload is not a batch.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// It is not JSON of the batch's shape.
    #[error("the payload is not a batch of aws:kafka: {0}")]
    Shape(#[from] serde_json::Error),
    /// A key of `records` is not a topic and a partition.
    #[error("records: expected keys of the form topic-partition")]
    TopicPartition,
}

pub(crate) fn read(payload: &[u8]) -> Result<KafkaBatch<'_>, BatchError> {
    let wire: WireBatch<'_> = serde_json::from_slice(payload)?;
    let mut partitions: Vec<PartitionRecords<'_>> = Vec::with_capacity(wire.records.0.len());
    for (name, records) in wire.records.0 {
        let (topic, partition) = split_name(name.0)?;
        let records = records.into_iter().map(WireRecord::into_record);
        match partitions.iter_mut().find(|known| known.topic == topic && known.partition == partition) {
            Some(known) => known.records.extend(records),
            None => partitions.push(PartitionRecords { topic, partition, records: records.collect() }),
        }
    }
    partitions.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(KafkaBatch { partitions })
}

fn split_name(name: Cow<'_, str>) -> Result<(Cow<'_, str>, i32), BatchError> {
    match name {
        Cow::Borrowed(name) => split_topic_partition(name).map(|(topic, partition)| (Cow::Borrowed(topic), partition)),
        Cow::Owned(name) => {
            split_topic_partition(&name).map(|(topic, partition)| (Cow::Owned(topic.to_owned()), partition))
        }
    }
    .ok_or(BatchError::TopicPartition)
}

#[derive(Deserialize)]
struct WireBatch<'a> {
    #[serde(borrow)]
    records: Partitions<'a>,
}

/// `records` in its own order; a map type would hash its keys for nothing.
struct Partitions<'a>(Vec<(Text<'a>, Vec<WireRecord<'a>>)>);

#[derive(Deserialize)]
struct WireRecord<'a> {
    offset: i64,
    timestamp: Millis,
    #[serde(borrow, default)]
    key: Option<Text<'a>>,
    #[serde(borrow, default)]
    value: Option<Text<'a>>,
    #[serde(borrow, default)]
    headers: Headers<'a>,
}

impl<'a> WireRecord<'a> {
    fn into_record(self) -> Record<'a> {
        Record {
            offset: self.offset,
            timestamp: instant(self.timestamp.0),
            key: self.key.map(|key| Encoded(key.0)),
            value: self.value.map(|value| Encoded(value.0)),
            headers: self.headers.0,
        }
    }
}

/// Brokers number records from 1970 on; -1 stands for none.
fn instant(millis: i64) -> DateTime<Utc> {
    const END_OF_9999: i64 = 253_402_300_799_999;
    DateTime::from_timestamp_millis(millis.clamp(0, END_OF_9999)).unwrap_or_default()
}

/// Milliseconds since 1970: a number from AWS, a string from the `aws_lambda_events` crate.
struct Millis(i64);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: de::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct MillisVisitor;
        impl Visitor<'_> for MillisVisitor {
            type Value = Millis;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("milliseconds since 1970")
            }

            fn visit_i64<E>(self, millis: i64) -> Result<Millis, E> {
                Ok(Millis(millis))
            }

            fn visit_u64<E>(self, millis: u64) -> Result<Millis, E> {
                Ok(Millis(i64::try_from(millis).unwrap_or(i64::MAX)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Millis, E> {
                text.parse().map(Millis).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        input.deserialize_any(MillisVisitor)
    }
}

/// A string, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: de::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        input.deserialize_str(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Partitions<'a> {
    fn deserialize<D: de::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct PartitionsVisitor;
        impl<'de> Visitor<'de> for PartitionsVisitor {
            type Value = Partitions<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("records by topic-partition")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Partitions<'de>, A::Error> {
                let mut partitions = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    partitions.push(entry);
                }
                Ok(Partitions(partitions))
            }
        }
        input.deserialize_map(PartitionsVisitor)
    }
}

/// A list of maps from a name to bytes.
#[derive(Default)]
struct Headers<'a>(Vec<Header<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Headers<'a> {
    fn deserialize<D: de::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct HeadersVisitor;
        impl<'de> Visitor<'de> for HeadersVisitor {
            type Value = Headers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of headers")
            }

            fn visit_unit<E>(self) -> Result<Headers<'de>, E> {
                Ok(Headers::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Headers<'de>, A::Error> {
                let mut headers = Headers::default();
                while let Some(HeaderMap(some)) = list.next_element()? {
                    headers.0.extend(some);
                }
                Ok(headers)
            }
        }
        input.deserialize_any(HeadersVisitor)
    }
}

struct HeaderMap<'a>(Vec<Header<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for HeaderMap<'a> {
    fn deserialize<D: de::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct HeaderMapVisitor;
        impl<'de> Visitor<'de> for HeaderMapVisitor {
            type Value = HeaderMap<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header: its name with a list of bytes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderMap<'de>, A::Error> {
                let mut headers = Vec::new();
                while let Some((name, value)) = map.next_entry::<Text<'de>, Option<Vec<HeaderByte>>>()? {
                    let value = value.unwrap_or_default().into_iter().map(|byte| byte.0).collect();
                    headers.push(Header { name: name.0, value });
                }
                Ok(HeaderMap(headers))
            }
        }
        input.deserialize_map(HeaderMapVisitor)
    }
}

/// A byte of a header. AWS writes them signed, as Java has them; some tools write them unsigned.
struct HeaderByte(u8);

impl<'de> Deserialize<'de> for HeaderByte {
    fn deserialize<D: de::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let number = i16::deserialize(input)?;
        let byte = i8::try_from(number).map(i8::cast_unsigned).or_else(|_| u8::try_from(number));
        byte.map(HeaderByte).map_err(|_| de::Error::custom("expected a byte"))
    }
}
