//! The mapping's rules, without a broker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use aws_lambda_events::event::kafka::KafkaEvent;
use bytes::Bytes;
use millrace_wire::batch::RecordView;
use proptest::prelude::*;
use uuid::Uuid;

use super::answer::{Verdict, judge};
use super::consumer::{Bounds, Committed, Start, start, within};
use super::payload::{Batch, BatchBuilder, Frame};
use super::retry::{Next, Piece, after_failure, wait_after};
use crate::function::InvokeAnswer;
use crate::manifest::{KafkaTrigger, StartingPosition};
use crate::runtime_api::REQUEST_LIMIT;

const ARN: &str = "arn:aws:kafka:eu-west-1:000000000000:cluster/millrace/1";

fn builder(most: usize) -> BatchBuilder {
    BatchBuilder::new(Arc::new(Frame::new(ARN, "127.0.0.1:9092", "topic", 3)), most)
}

fn record<'a>(offset: i64, value: &'a [u8]) -> RecordView<'a> {
    let headers = Vec::new();
    RecordView {
        offset,
        timestamp_ms: 1_700_000_000_000 + offset,
        timestamp_type: "CREATE_TIME",
        key: None,
        value: Some(value),
        headers,
    }
}

fn batch(offsets: &[i64]) -> Batch {
    let mut builder = builder(10_000);
    offsets.iter().for_each(|offset| builder.push(&record(*offset, b"value")));
    builder.take()
}

fn offsets(event: &Bytes) -> Vec<i64> {
    let event: KafkaEvent = serde_json::from_slice(event).unwrap();
    event.records.values().flatten().map(|record| record.offset).collect()
}

#[test]
fn an_event_is_what_aws_lambda_events_reads() {
    let mut builder = builder(10);
    builder.push(&RecordView {
        offset: 7,
        timestamp_ms: 1_545_084_650_000,
        timestamp_type: "LOG_APPEND_TIME",
        key: Some(b"\"key\""),
        value: Some(&[0, 255, 10]),
        headers: vec![("trace \"id\"", &[0, 127, 128, 255][..]), ("empty", &[])],
    });
    builder.push(&RecordView { key: None, value: None, ..record(9, b"") });
    let event: KafkaEvent = serde_json::from_slice(&builder.take().event(&(0..2))).unwrap();
    assert_eq!(event.event_source.as_deref(), Some("aws:kafka"));
    assert_eq!(
        (event.event_source_arn.as_deref(), event.bootstrap_servers.as_deref()),
        (Some(ARN), Some("127.0.0.1:9092"))
    );
    let records = &event.records["topic-3"];
    let first = &records[0];
    assert_eq!((first.topic.as_deref(), first.partition, first.offset), (Some("topic"), 3, 7));
    assert_eq!(first.timestamp.0.timestamp_millis(), 1_545_084_650_000);
    assert_eq!(first.timestamp_type.as_deref(), Some("LOG_APPEND_TIME"));
    assert_eq!((first.key.as_deref(), first.value.as_deref()), (Some("ImtleSI="), Some("AP8K")));
    assert_eq!(first.headers[0]["trace \"id\""], [0, 127, -128, -1]);
    assert!(first.headers[1]["empty"].is_empty());
    assert_eq!((records[1].key.as_deref(), records[1].value.as_deref()), (None, None));
}

#[test]
fn a_part_of_a_batch_is_an_event_of_its_own() {
    let batch = batch(&[3, 4, 8, 9]);
    assert_eq!(offsets(&batch.event(&(0..4))), [3, 4, 8, 9]);
    assert_eq!(offsets(&batch.event(&(1..3))), [4, 8]);
    assert_eq!(offsets(&batch.event(&(3..4))), [9]);
}

#[test]
fn a_position_is_the_offset_after_the_last_record_that_is_done() {
    let batch = batch(&[3, 4, 8, 9]);
    assert_eq!([0, 1, 2, 3, 4].map(|index| batch.position_before(index)), [3, 4, 5, 9, 10]);
}

proptest! {
    #[test]
    fn no_event_is_over_the_limit_and_no_record_is_missing(
        sizes in proptest::collection::vec(prop_oneof![0_usize..2_000, 0_usize..3_000_000, 4_700_000_usize..4_718_000], 1..12),
        most in 1_usize..6,
    ) {
        let values: Vec<Vec<u8>> = sizes.iter().map(|size| vec![7; *size]).collect();
        let mut builder = builder(most);
        let mut batches = Vec::new();
        for (offset, value) in values.iter().enumerate() {
            builder.push(&record(i64::try_from(offset).unwrap(), value));
            while builder.is_full() {
                batches.push(builder.take());
            }
        }
        if !builder.is_empty() {
            batches.push(builder.take());
        }
        let mut seen = Vec::new();
        for batch in &batches {
            let event = batch.event(&(0..batch.len()));
            prop_assert!(batch.len() <= most);
            prop_assert!(event.len() <= REQUEST_LIMIT || batch.len() == 1, "{} bytes", event.len());
            seen.extend(offsets(&event));
        }
        prop_assert_eq!(seen, (0..i64::try_from(sizes.len()).unwrap()).collect::<Vec<_>>());
        // A batch is closed only when the next record does not fit, or by its count.
        for pair in batches.windows(2) {
            let bytes = pair[0].event(&(0..pair[0].len())).len() + pair[1].event(&(0..1)).len();
            prop_assert!(pair[0].len() == most || bytes > REQUEST_LIMIT);
        }
    }
}

fn answer(payload: &str) -> InvokeAnswer {
    InvokeAnswer {
        payload: Bytes::from(payload.to_owned()),
        function_error: None,
        request_id: String::new(),
        log_tail: String::new(),
    }
}

fn verdict(payload: &str) -> Verdict {
    judge(&answer(payload), true, "topic-3", &batch(&[3, 4, 8, 9]), &(0..4))
}

#[test]
fn an_answer_without_failures_is_done() {
    for payload in ["", "null", "\"\"", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
        assert_eq!(verdict(payload), Verdict::Done, "{payload}");
    }
}

#[test]
fn the_first_of_several_failures_counts() {
    let item = |offset: i64| format!(r#"{{"itemIdentifier":{{"topic-partition":"topic-3","offset":{offset}}}}}"#);
    let payload = |offsets: &[i64]| {
        let items: Vec<String> = offsets.iter().map(|offset| item(*offset)).collect();
        format!(r#"{{"batchItemFailures":[{}]}}"#, items.join(","))
    };
    assert_eq!(verdict(&payload(&[9])), Verdict::FailedFrom(3));
    assert_eq!(verdict(&payload(&[9, 4, 8])), Verdict::FailedFrom(1));
    assert!(matches!(verdict(&payload(&[5])), Verdict::Failed(_)), "an offset within the batch that no record has");
    assert!(matches!(verdict(&payload(&[4, 10])), Verdict::Failed(_)), "one unknown offset fails the whole batch");
}

#[test]
fn an_answer_that_cannot_be_read_or_is_of_another_partition_fails_the_whole_batch() {
    for payload in [
        "true",
        "[1]",
        r#"{"batchItemFailures":[{}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":{"topic-partition":"topic-3"}}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":{"topic-partition":"topic-4","offset":3}}]}"#,
    ] {
        assert!(matches!(verdict(payload), Verdict::Failed(_)), "{payload}");
    }
}

fn trigger(retries: i64, bisect: bool) -> KafkaTrigger {
    KafkaTrigger {
        topic: "topic".to_owned(),
        consumer_group: "group".to_owned(),
        batch_size: 100,
        batch_window_ms: 0,
        starting_position: StartingPosition::TrimHorizon,
        report_batch_item_failures: true,
        bisect_on_error: bisect,
        maximum_retry_attempts: retries,
        maximum_record_age_seconds: -1,
        on_failure: None,
    }
}

#[test]
fn retries_end_at_their_limit_and_without_one_never() {
    let piece = |retries| Piece { range: 0..4, retries, invocations: 9 };
    assert_eq!(after_failure(&piece(4), &trigger(5, false)), Next::Again(piece(5)));
    assert_eq!(after_failure(&piece(5), &trigger(5, false)), Next::GiveUp);
    assert_eq!(after_failure(&piece(0), &trigger(0, false)), Next::GiveUp);
    assert_eq!(after_failure(&piece(1_000_000), &trigger(-1, false)), Next::Again(piece(1_000_001)));
}

#[test]
fn a_batch_is_halved_until_one_record_is_left_and_halving_is_no_retry() {
    let piece = |range| Piece { range, retries: 0, invocations: 1 };
    assert_eq!(after_failure(&piece(0..5), &trigger(0, true)), Next::Halves(piece(0..2), piece(2..5)));
    assert_eq!(after_failure(&piece(2..3), &trigger(0, true)), Next::GiveUp);
}

#[test]
fn waits_double_up_to_a_minute() {
    let waits: Vec<u128> = [0, 1, 2, 3, 10, 11, 1_000_000].map(|retries| wait_after(retries, 0.5).as_millis()).to_vec();
    assert_eq!(waits, [100, 100, 200, 400, 51_200, 60_000, 60_000]);
    assert_eq!([0.0, 1.0].map(|spread| wait_after(1, spread).as_millis()), [80, 120]);
}

#[test]
fn reading_starts_at_the_committed_position_of_this_topic_within_its_log() {
    let id = Uuid::from_u128(1);
    let bounds = Bounds { low: 10, high: 20 };
    let at = |offset: i64, topic_id: String| {
        start(Some(&Committed { offset, topic_id }), id, bounds, StartingPosition::Latest)
    };
    assert_eq!(at(15, id.to_string()), Start::At(15));
    assert_eq!(at(20, id.to_string()), Start::At(20), "everything is read");
    assert_eq!(at(15, String::new()), Start::At(15), "a position that another tool has set");
    assert_eq!(at(15, Uuid::from_u128(2).to_string()), Start::Rewound(10));
    assert_eq!(at(4, id.to_string()), Start::Lost { at: 10, records: 6 });
    assert_eq!(at(21, id.to_string()), Start::Rewound(10));
    assert_eq!(start(None, id, bounds, StartingPosition::TrimHorizon), Start::At(10));
    assert_eq!(start(None, id, bounds, StartingPosition::Latest), Start::At(20));
    assert_eq!(within(10, bounds), Start::At(10));
}
