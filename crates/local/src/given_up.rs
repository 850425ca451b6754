//! Batches that an event source mapping gave up on: kept whole in a bucket, listed, read back and replayed from there.
//!
//! The local host's keys tell which records an object holds. Lambda's own, below `aws/lambda/<mapping>/`, do not: there the object
//! itself is asked, which may hold records of several partitions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use millrace_local_host::{Manifest, Trigger};
use millrace_store_objects::{ObjectSettings, ObjectStore};
use serde::Deserialize;
use serde_json::json;

use crate::project;
use crate::stack::Stack;

/// Where it is noted that a batch was replayed. The batch itself stays, and stays counted: its replay is produced anew.
const REPLAYED: &str = "replayed-batches/";

/// Where Lambda puts what it gave up on, in a bucket that it has for itself.
const LAMBDA: &str = "aws/lambda/";

/// Records of one partition that were given up on together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its object's key.
    pub key: String,
    /// The topic.
    pub topic: String,
    /// The first digits of the topic's id, which tell it from one of the same name that was made before or after it; see
    /// [`Batch::is_of`]. Empty on AWS, which does not tell it.
    pub topic_id: String,
    /// The partition.
    pub partition: i32,
    /// Offset of its first record.
    pub first_offset: i64,
    /// Offset of its last record.
    pub last_offset: i64,
    /// When it was given up on.
    pub given_up_at: Option<DateTime<Utc>>,
    /// Whether it was replayed since.
    pub replayed: bool,
}

impl Batch {
    /// Reads what a key tells: `…/<topic>/<partition>/<topic id's first digits>-<first>-<last>.json`.
    fn parse(key: &str, given_up_at: Option<DateTime<Utc>>) -> Option<Self> {
        let mut parts = key.rsplit('/');
        let (topic_id, offsets) = parts.next()?.strip_suffix(".json")?.split_once('-')?;
        let (first, last) = offsets.split_once('-')?;
        let (first_offset, last_offset) = (first.parse().ok()?, last.parse().ok()?);
        let partition = parts.next()?.parse().ok()?;
        let topic = parts.next()?.to_owned();
        Some(Self {
            key: key.to_owned(),
            topic,
            topic_id: topic_id.to_owned(),
            partition,
            first_offset,
            last_offset,
            given_up_at,
            replayed: false,
        })
    }

    /// How many records it holds: each offset from the first to the last is one.
    #[must_use]
    pub fn records(&self) -> u64 {
        u64::try_from(self.last_offset - self.first_offset + 1).unwrap_or(0)
    }

    /// Whether it holds records of the topic of this id, with or without dashes.
    #[must_use]
    pub fn is_of(&self, topic_id: &str) -> bool {
        topic_id.replace('-', "").starts_with(&self.topic_id)
    }
}

/// What is known of a batch beyond its key: Lambda's invocation record.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvocationRecord {
    /// Why it was given up on.
    pub request_context: RequestContext,
    /// Which records it holds.
    #[serde(rename = "KafkaBatchInfo")]
    pub kafka_batch_info: KafkaBatchInfo,
    /// The last answer, when there was one.
    pub response_context: Option<ResponseContext>,
    /// The event that the function did not get through, as JSON. Empty when it was too large to be sent.
    #[serde(default)]
    pub payload: String,
}

/// The records.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KafkaBatchInfo {
    /// By `<topic>-<partition>`.
    pub records_info: BTreeMap<String, RecordsInfo>,
}

/// The records of one partition.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordsInfo {
    /// The first one's offset, as text.
    pub first_record_offset: String,
    /// The last one's.
    pub last_record_offset: String,
}

impl InvocationRecord {
    fn read(key: &str, body: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(body).with_context(|| format!("{key} is no invocation record"))
    }

    /// What it tells of its records: a batch for each partition.
    fn batches(&self, key: &str, given_up_at: Option<DateTime<Utc>>) -> Option<Vec<Batch>> {
        let batch = |(partition, info): (&String, &RecordsInfo)| {
            let (topic, partition) = partition.rsplit_once('-')?;
            Some(Batch {
                key: key.to_owned(),
                topic: topic.to_owned(),
                topic_id: String::new(),
                partition: partition.parse().ok()?,
                first_offset: info.first_record_offset.parse().ok()?,
                last_offset: info.last_record_offset.parse().ok()?,
                given_up_at,
                replayed: false,
            })
        };
        self.kafka_batch_info.records_info.iter().map(batch).collect()
    }
}

/// The attempts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    /// The last attempt's id, as in the function's log.
    pub request_id: String,
    /// The function.
    pub function_arn: String,
    /// Why no more attempts were made.
    pub condition: String,
    /// How many were made.
    pub approximate_invoke_count: u32,
}

/// The last attempt.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseContext {
    /// How the function failed; `None` when it answered that records failed.
    pub function_error: Option<String>,
}

/// The bucket's batches.
pub struct GivenUp {
    store: ObjectStore,
    prefixes: BTreeSet<String>,
}

impl GivenUp {
    /// Prepares to read a stack's bucket where the functions' manifests send what is given up on.
    ///
    /// # Errors
    /// When a manifest can't be read.
    pub fn of(stack: &Stack) -> anyhow::Result<Self> {
        let manifests = Manifest::load_all(&project::root()?.join("functions"))?;
        let prefixes = manifests
            .iter()
            .flat_map(|manifest| &manifest.triggers)
            .filter_map(|trigger| match trigger {
                Trigger::Kafka(kafka) => {
                    kafka.on_failure.as_ref().map(|prefix| format!("{}/aws/lambda/", prefix.trim_end_matches('/')))
                }
                Trigger::Schedule(_) | Trigger::Http(_) => None,
            })
            .collect();
        let store = ObjectStore::new(&stack.object_settings());
        Ok(Self { store, prefixes })
    }

    /// Prepares to read a bucket on AWS, as the standard configuration of AWS says (region, credentials, an emulator's address).
    pub fn on_aws(bucket: &str) -> Self {
        let store = ObjectStore::new(&ObjectSettings::on_aws(bucket));
        Self { store, prefixes: BTreeSet::from([LAMBDA.to_owned()]) }
    }

    /// Every batch, in the order of the keys.
    ///
    /// # Errors
    /// When the object server does not answer.
    pub async fn list(&self) -> anyhow::Result<Vec<Batch>> {
        let replayed: BTreeSet<String> =
            self.store.list(REPLAYED).await?.into_iter().map(|object| object.key).collect();
        let mut batches = Vec::new();
        for prefix in &self.prefixes {
            for object in self.store.list(prefix).await? {
                let (key, at) = (object.key.as_str(), object.modified);
                let found = match Batch::parse(key, at) {
                    Some(batch) => vec![batch],
                    None => self.look_into(key, at).await?,
                };
                let replayed = replayed.contains(&format!("{REPLAYED}{key}"));
                batches.extend(found.into_iter().map(|batch| Batch { replayed, ..batch }));
            }
        }
        Ok(batches)
    }

    /// The batches of an object whose key does not tell them. Whatever else lies there is told of and left out.
    async fn look_into(&self, key: &str, at: Option<DateTime<Utc>>) -> anyhow::Result<Vec<Batch>> {
        let object = match self.store.get(key).await {
            Ok(object) => object,
            // Removed since it was listed.
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let batches = InvocationRecord::read(key, &object.body).ok().and_then(|record| record.batches(key, at));
        if batches.is_none() {
            eprintln!("{key} is no invocation record of Kafka: it is left out");
        }
        Ok(batches.unwrap_or_default())
    }

    /// Reads a batch; `None` when there is none of that key.
    ///
    /// # Errors
    /// When it can't be read, or is no invocation record.
    pub async fn read(&self, key: &str) -> anyhow::Result<Option<InvocationRecord>> {
        match self.store.get(key).await {
            Ok(object) => Ok(Some(InvocationRecord::read(key, &object.body)?)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(anyhow!(error)),
        }
    }

    /// Notes that a batch's records were sent to their topic again.
    ///
    /// # Errors
    /// When it can't be noted.
    pub async fn mark_replayed(&self, key: &str, records: usize, at: DateTime<Utc>) -> anyhow::Result<()> {
        let note = json!({"replayed_at": at.to_rfc3339_opts(SecondsFormat::Millis, true), "records": records});
        let body = Bytes::from(note.to_string());
        Ok(self.store.put(&format!("{REPLAYED}{key}"), body, "application/json", &Default::default()).await?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_key_tells_which_records_were_given_up() {
        let key = "failed-batches/aws/lambda/0b7e/usage-events/3/6f1c20aa-000000000017-000000000116.json";
        let batch = Batch::parse(key, None).unwrap();
        assert_eq!(
            (batch.topic.as_str(), batch.partition, batch.first_offset, batch.last_offset),
            ("usage-events", 3, 17, 116)
        );
        assert_eq!(batch.records(), 100);
        assert!(batch.is_of("6f1c20aa-04a4-4e32-8f6b-0d5a2c8f1f10") && batch.is_of("6f1c20aa04a44e328f6b0d5a2c8f1f10"));
        assert!(!batch.is_of("7f1c20aa-04a4-4e32-8f6b-0d5a2c8f1f10"));
        assert!(Batch::parse("failed-batches/aws/lambda/notes.txt", None).is_none());
    }
    #[test]
    fn lambda_s_record_tells_its_partitions() {
        // As AWS documents it; the key's end is not documented for Kafka and not read.
        let body = r#"{
            "requestContext": {
                "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
                "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:millrace-dev-rate:live",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 101
            },
            "responseContext": null,
            "version": "1.0",
            "timestamp": "2026-11-21T00:38:06.021Z",
            "KafkaBatchInfo": {
                "batchSize": 103,
                "eventSourceArn": "arn:aws:kafka:eu-central-1:123456789012:cluster/millrace-dev/751d2973-1",
                "bootstrapServers": "b-1:9098",
                "payloadSize": 2039086,
                "recordsInfo": {
                    "usage-events-0": {"firstRecordOffset": "17", "lastRecordOffset": "116",
                        "firstRecordTimestamp": "2026-11-21T00:38:04.835Z", "lastRecordTimestamp": "2026-11-21T00:38:05.580Z"},
                    "usage-events-11": {"firstRecordOffset": "5", "lastRecordOffset": "7",
                        "firstRecordTimestamp": "2026-11-21T00:38:04.835Z", "lastRecordTimestamp": "2026-11-21T00:38:05.580Z"}
                }
            },
            "payload": "{\"eventSource\":\"aws:kafka\",\"records\":{}}"
        }"#;
        let key = "aws/lambda/0b7e0c1e-0000-4000-8000-000000000000/usage-events-0/2026/11/21/2026-11-21T00.38.06-77";
        assert!(Batch::parse(key, None).is_none());
        let batches = InvocationRecord::read(key, body.as_bytes()).unwrap().batches(key, None).unwrap();
        let told: Vec<_> = batches
            .iter()
            .map(|batch| (batch.topic.as_str(), batch.partition, batch.first_offset, batch.last_offset))
            .collect();
        assert_eq!(told, [("usage-events", 0, 17, 116), ("usage-events", 11, 5, 7)]);
        assert!(batches.iter().all(|batch| batch.key == key && batch.is_of("6f1c20aa-04a4-4e32-8f6b-0d5a2c8f1f10")));
        assert!(InvocationRecord::read("x", b"{}").is_err());
    }
}
