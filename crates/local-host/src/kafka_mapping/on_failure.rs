//! The on-failure destination: a batch that is given up on, kept whole in S3 with what is known of its failure.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use millrace_store_objects::{ObjectError, ObjectStore};
use serde::Serialize;
use uuid::Uuid;

use super::payload::Batch;

/// Why a batch was given up on, in Lambda's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    RetryAttemptsExhausted,
    EventAgeExceeded,
    MaximumPayloadSizeExceeded,
}

impl Condition {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Condition::EventAgeExceeded => "EventAgeExceeded",
            Condition::MaximumPayloadSizeExceeded => "MaximumPayloadSizeExceeded",
        }
    }
}

/// The last invocation of what is given up on.
#[derive(Debug, Clone)]
pub(crate) struct LastInvocation {
    pub(crate) request_id: String,
    pub(crate) function_error: Option<String>,
}

/// Where one mapping's batches go, and what identifies it.
pub(crate) struct OnFailure {
    pub(crate) store: ObjectStore,
    pub(crate) prefix: String,
    pub(crate) mapping: Uuid,
    pub(crate) function_arn: String,
    pub(crate) source_arn: String,
    pub(crate) bootstrap_servers: String,
}

/// Which records of which partition.
pub(crate) struct GivenUp<'a> {
    pub(crate) topic: &'a str,
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
    pub(crate) batch: &'a Batch,
    pub(crate) range: Range<usize>,
    pub(crate) condition: Condition,
    pub(crate) invocations: u32,
    pub(crate) last: Option<LastInvocation>,
}

/// Lambda's invocation record for a Kafka batch in S3.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InvocationRecord<'a> {
    request_context: RequestContext<'a>,
    response_context: Option<ResponseContext<'a>>,
    version: &'static str,
    timestamp: String,
    #[serde(rename = "KafkaBatchInfo")]
    kafka_batch_info: KafkaBatchInfo<'a>,
    payload: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: &'a str,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'static str,
    function_error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KafkaBatchInfo<'a> {
    batch_size: usize,
    event_source_arn: &'a str,
    bootstrap_servers: &'a str,
    payload_size: usize,
    records_info: BTreeMap<String, RecordsInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordsInfo {
    first_record_offset: String,
    last_record_offset: String,
    first_record_timestamp: String,
    last_record_timestamp: String,
}

impl OnFailure {
    /// Keeps the records. The key is made of what they are, so that a second attempt writes over the first.
    pub(crate) async fn keep(&self, given_up: &GivenUp<'_>, now: DateTime<Utc>) -> Result<(), ObjectError> {
        let (first, last) = (given_up.first_offset(), given_up.last_offset());
        // Short, since the S3 server of a laptop makes one file name of it. A part of the topic's id tells topics of one name
        // apart; the whole id is in the metadata.
        let topic_id = given_up.topic_id.simple().to_string();
        let key = format!(
            "{}/aws/lambda/{}/{}/{}/{}-{first:012}-{last:012}.json",
            self.prefix.trim_end_matches('/'),
            self.mapping,
            given_up.topic,
            given_up.partition,
            &topic_id[..8],
        );
        let metadata = BTreeMap::from([
            ("topic".to_owned(), given_up.topic.to_owned()),
            ("topic-id".to_owned(), given_up.topic_id.to_string()),
            ("partition".to_owned(), given_up.partition.to_string()),
            ("first-offset".to_owned(), first.to_string()),
            ("last-offset".to_owned(), last.to_string()),
            ("records".to_owned(), given_up.range.len().to_string()),
        ]);
        self.store.put(&key, self.record(given_up, now), "application/json", &metadata).await
    }

    fn record(&self, given_up: &GivenUp<'_>, now: DateTime<Utc>) -> Bytes {
        let event = given_up.batch.event(&given_up.range);
        let info = RecordsInfo {
            first_record_offset: given_up.first_offset().to_string(),
            last_record_offset: given_up.last_offset().to_string(),
            first_record_timestamp: time(given_up.batch.timestamp(given_up.range.start)),
            last_record_timestamp: time(given_up.batch.timestamp(given_up.range.end - 1)),
        };
        let record = InvocationRecord {
            request_context: RequestContext {
                request_id: given_up.last.as_ref().map_or("", |last| &last.request_id),
                function_arn: &self.function_arn,
                condition: given_up.condition.name(),
                approximate_invoke_count: given_up.invocations,
            },
            response_context: given_up.last.as_ref().map(|last| ResponseContext {
                status_code: 200,
                executed_version: "$LATEST",
                function_error: last.function_error.as_deref(),
            }),
            version: "1.0",
            timestamp: now.to_rfc3339_opts(SecondsFormat::Millis, true),
            kafka_batch_info: KafkaBatchInfo {
                batch_size: given_up.range.len(),
                event_source_arn: &self.source_arn,
                bootstrap_servers: &self.bootstrap_servers,
                payload_size: event.len(),
                records_info: BTreeMap::from([(format!("{}-{}", given_up.topic, given_up.partition), info)]),
            },
            // The event is made of ASCII and of JSON strings.
            payload: std::str::from_utf8(&event).unwrap_or_default(),
        };
        // A struct of strings and numbers always serialises.
        Bytes::from(serde_json::to_vec(&record).unwrap_or_default())
    }
}

impl GivenUp<'_> {
    fn first_offset(&self) -> i64 {
        self.batch.offset(self.range.start)
    }

    fn last_offset(&self) -> i64 {
        self.batch.offset(self.range.end - 1)
    }
}

fn time(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}
