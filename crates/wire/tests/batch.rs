//! The batch as a function receives it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_lambda_events::event::kafka::KafkaEvent;

use millrace_wire::PartialBatchResponse;
use millrace_wire::batch::{Envelope, KafkaBatch, OutgoingPartition, OutgoingRecord, record_len, write_batch};

fn records() -> Vec<OutgoingRecord> {
    vec![
        OutgoingRecord {
            offset: 15,
            timestamp_ms: 1_545_084_650_500,
            key: Some(b"212600000001".to_vec()),
            value: Some(b"{\"a\":1}".to_vec()),
            headers: vec![
                ("trace".into(), vec![0, 104, 128, 255]),
                ("trace".into(), Vec::new()),
                ("q\"\u{1}é".into(), vec![7]),
            ],
        },
        OutgoingRecord { offset: i64::MAX, timestamp_ms: 1, ..OutgoingRecord::default() },
    ]
}

fn written() -> Vec<u8> {
    let records = records();
    let partition = |topic, partition| OutgoingPartition { topic, partition, records: &records };
    let envelope = Envelope {
        event_source_arn: "arn:aws:kafka:eu-west-1:1:cluster/millrace/1",
        bootstrap_servers: "127.0.0.1:8001",
    };
    let empty = OutgoingPartition { topic: "customers", partition: 1, records: &[] };
    write_batch(&envelope, &[partition("usage-events", 3), empty, partition("sensor-readings", 0)])
}

#[test]
fn a_written_batch_is_what_the_aws_crate_reads() {
    let event: KafkaEvent = serde_json::from_slice(&written()).unwrap();
    assert_eq!(event.event_source.as_deref(), Some("aws:kafka"));
    assert_eq!(event.bootstrap_servers.as_deref(), Some("127.0.0.1:8001"));
    assert_eq!(event.records.len(), 2);
    let record = &event.records["usage-events-3"][0];
    assert_eq!((record.topic.as_deref(), record.partition, record.offset), (Some("usage-events"), 3, 15));
    assert_eq!(record.timestamp.0.timestamp_millis(), 1_545_084_650_500);
    assert_eq!(record.timestamp_type.as_deref(), Some("LOG_APPEND_TIME"));
    assert_eq!((record.key.as_deref(), record.value.as_deref()), (Some("MjEyNjAwMDAwMDAx"), Some("eyJhIjoxfQ==")));
    assert_eq!(record.headers[0]["trace"], [0, 104, -128, -1]);
    assert_eq!((&event.records["usage-events-3"][1].key, &event.records["usage-events-3"][1].value), (&None, &None));
}

#[test]
fn what_the_aws_crate_writes_is_read_the_same() {
    let written = written();
    let event: KafkaEvent = serde_json::from_slice(&written).unwrap();
    let again = serde_json::to_vec(&event).unwrap();
    assert_eq!(KafkaBatch::parse(&written).unwrap(), KafkaBatch::parse(&again).unwrap());
}

#[test]
fn a_batch_is_read_by_partition_in_order() {
    let written = written();
    let batch = KafkaBatch::parse(&written).unwrap();
    assert_eq!((batch.len(), batch.is_empty()), (4, false));
    let names: Vec<_> = batch.partitions.iter().map(|p| (p.topic.as_ref(), p.partition)).collect();
    assert_eq!(names, [("sensor-readings", 0), ("usage-events", 3)]);
    let [first, tombstone] = &batch.partitions[1].records[..] else { panic!("two records") };
    let mut buffer = b"left over".to_vec();
    assert_eq!(first.value_into(&mut buffer).unwrap(), b"{\"a\":1}");
    assert_eq!(first.key.as_ref().unwrap().decode().unwrap(), b"212600000001");
    let headers: Vec<_> = first.headers.iter().map(|h| (h.name.as_ref(), h.value.as_slice())).collect();
    assert_eq!(headers, [("trace", &[0, 104, 128, 255][..]), ("trace", &[]), ("q\"\u{1}é", &[7])]);
    assert_eq!(tombstone.value_into(&mut buffer).unwrap_err().field, "value");
}

#[test]
fn the_documented_payload_is_read() {
    let payload = br#"{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/vpc-2priv-2pub/751d2973","bootstrapServers":"b-2.demo:9092,b-1.demo:9092",
        "records":{"mytopic-0":[{"topic":"mytopic","partition":0,"offset":15,"timestamp":1545084650987,"timestampType":"CREATE_TIME",
        "key":"abcDEFghiJKLmnoPQRstuVWXyz1234==","value":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==","headers":[{"headerKey":[104,101,-1,255]}]}]}}"#;
    let batch = KafkaBatch::parse(payload).unwrap();
    let record = &batch.partitions[0].records[0];
    assert_eq!(record.value.as_ref().unwrap().decode().unwrap(), b"Hello, this is a test.");
    assert_eq!(record.headers[0].value, [104, 101, 255, 255]);
}

#[test]
fn a_value_that_is_not_base64_is_a_rejects_own_fault() {
    let payload = br#"{"records":{"t-0":[{"offset":1,"timestamp":0,"value":"a b"}]}}"#;
    let batch = KafkaBatch::parse(payload).unwrap();
    let record = &batch.partitions[0].records[0];
    assert_eq!(record.value_into(&mut Vec::new()).unwrap_err().field, "value");
    assert_eq!(record.value.as_ref().unwrap().decode_lossy(), b"a b");
}

#[test]
fn a_time_beyond_what_stores_hold_is_moved_to_the_end() {
    let payload = br#"{"records":{"t-0":[{"offset":1,"timestamp":-1},{"offset":2,"timestamp":9223372036854775807}]}}"#;
    let batch = KafkaBatch::parse(payload).unwrap();
    let times: Vec<_> = batch.partitions[0].records.iter().map(|record| record.timestamp.to_rfc3339()).collect();
    assert_eq!(times, ["1970-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999+00:00"]);
}

#[test]
fn what_is_no_batch_is_an_error() {
    for payload in [
        &b""[..],
        b"{}",
        b"[]",
        b"{\"records\":{\"t\":[]}}",
        b"{\"records\":{\"t-x\":[]}}",
        b"{\"records\":{\"-1\":[]}}",
        b"{\"records\":{\"t-9999999999\":[]}}",
    ] {
        assert!(KafkaBatch::parse(payload).is_err(), "{}", String::from_utf8_lossy(payload));
    }
    assert!(KafkaBatch::parse(br#"{"records":{}}"#).unwrap().is_empty());
}

#[test]
fn a_records_length_bounds_what_it_takes_in_a_payload() {
    let envelope = Envelope { event_source_arn: "", bootstrap_servers: "" };
    let size = |records: &[OutgoingRecord]| {
        write_batch(&envelope, &[OutgoingPartition { topic: "usage-events", partition: 11, records }]).len()
    };
    for record in records() {
        let taken = size(&[record.clone(), record.clone()]) - size(std::slice::from_ref(&record));
        let bound = record_len("usage-events", 11, &record);
        assert!(taken <= bound && bound < taken + 120, "{taken} within {bound}");
    }
}

#[test]
fn a_partial_response_is_what_the_mapping_reads() {
    let mut response = PartialBatchResponse::default();
    assert_eq!(serde_json::to_string(&response).unwrap(), r#"{"batchItemFailures":[]}"#);
    response.retry("usage-events", 0, 17);
    let json = serde_json::to_string(&response).unwrap();
    assert_eq!(json, r#"{"batchItemFailures":[{"itemIdentifier":{"topic-partition":"usage-events-0","offset":17}}]}"#);
    let read: PartialBatchResponse = serde_json::from_str(&json).unwrap();
    assert_eq!(read.batch_item_failures[0].item_identifier.split(), Some(("usage-events", 0)));
}
