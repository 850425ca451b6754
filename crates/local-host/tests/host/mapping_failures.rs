//! What becomes of a batch that fails.

use std::sync::Arc;
use std::time::Duration;

use millrace_store_objects::{ObjectCredentials, ObjectSettings, ObjectStore};
use serde_json::{Value, json};

use crate::kafka::Topic;
use crate::mapping::{offsets_seen, seen};
use crate::objects::object_store;
use crate::support::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_answer_sends_again_from_the_failed_offset() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["a", "b", "once:x", "c"]).await;
    let host = topic.reader(1, json!({"batch_window_ms": 500})).start();
    host.host.start_triggers().await.unwrap();
    eventually("all records", async || topic.committed(0).await == Some(4)).await;
    assert_eq!(offsets_seen(&host), [vec![0, 1, 2, 3], vec![2, 3]]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_before_the_failed_offset_is_committed() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["a", "b", "again", "c"]).await;
    let host = topic.reader(1, json!({"batch_window_ms": 500})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the commit", async || topic.committed(0).await == Some(2)).await;
    eventually("a further try", async || seen(&host).len() > 3).await;
    assert_eq!(topic.committed(0).await, Some(2), "for ever, without a limit of retries");
    let partition = host.host.status().mappings[0].partitions[0].clone();
    assert!(partition.retries > 1 && partition.failing.unwrap().contains("offset 2"));
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_none_or_names_what_was_not_sent_fails_the_whole_batch() {
    for bad in ["nonsense:n", "unknown:u"] {
        let topic = Topic::new(1).await;
        topic.produce(0, &["a", bad]).await;
        let host = topic.reader(1, json!({"batch_window_ms": 500})).start();
        host.host.start_triggers().await.unwrap();
        eventually("all records", async || topic.committed(0).await == Some(2)).await;
        assert_eq!(offsets_seen(&host), [[0, 1], [0, 1]], "{bad}");
        host.host.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_without_partial_answers_takes_any_answer_as_done() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["again"]).await;
    let host = topic.reader(1, json!({"report_batch_item_failures": false})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the record", async || topic.committed(0).await == Some(1)).await;
    assert_eq!(offsets_seen(&host), [[0]]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_instance_crashed_is_sent_again() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["a", "exit-once:x"]).await;
    let host = topic.reader(1, json!({"batch_window_ms": 500})).start();
    host.host.start_triggers().await.unwrap();
    eventually("all records", async || topic.committed(0).await == Some(2)).await;
    assert_eq!(offsets_seen(&host), [[0, 1], [0, 1]]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_batch_is_retried_with_growing_waits_and_blocks_no_other_partition() {
    let topic = Topic::new(2).await;
    topic.produce(0, &["poison"]).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("retries", async || seen(&host).len() >= 5).await;
    topic.produce(1, &["a"; 50]).await;
    eventually("the other partition", async || topic.committed(1).await == Some(50)).await;
    assert_eq!(topic.committed(0).await, Some(0));
    let journal = host.journal();
    let begun = journal.iter().filter(|line| line["records"][0][2] == "poison");
    let times: Vec<u64> = begun.map(|line| line["begin_ms"].as_u64().unwrap()).collect();
    let waits: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).take(4).collect();
    for (index, wait) in waits.iter().enumerate() {
        let least = 80 << index;
        assert!(*wait >= least, "wait {index} of {waits:?} is at least {least} ms");
    }
    host.host.stop().await;
}

/// The bodies and metadata of what was given up on, in the order of their keys.
async fn kept(store: &ObjectStore) -> Vec<(String, Value, std::collections::BTreeMap<String, String>)> {
    let mut kept = Vec::new();
    for entry in store.list("failed-batches/").await.unwrap() {
        let object = store.get(&entry.key).await.unwrap();
        kept.push((entry.key, serde_json::from_slice(&object.body).unwrap(), object.metadata));
    }
    kept
}

fn values(record: &Value) -> Vec<String> {
    let event: Value = serde_json::from_str(record["payload"].as_str().unwrap()).unwrap();
    let batch = event["records"].as_object().unwrap().values().next().unwrap().as_array().unwrap().clone();
    batch
        .iter()
        .map(|record| {
            let value = base64_simd::STANDARD.decode_to_vec(record["value"].as_str().unwrap()).unwrap();
            String::from_utf8(value).unwrap()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_used_up_its_retries_is_kept_whole_in_s3_and_the_partition_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, store) = object_store(folder.path()).await;
    let topic = Topic::new(1).await;
    topic.produce(0, &["a", "poison", "b"]).await;
    let host = topic
        .reader(1, json!({"batch_window_ms": 500, "maximum_retry_attempts": 2, "on_failure": "failed-batches"}))
        .configure(|config| config.objects = Some(store.clone()))
        .start();
    host.host.start_triggers().await.unwrap();
    eventually("the batch is given up on", async || topic.committed(0).await == Some(3)).await;
    topic.produce(0, &["c"]).await;
    eventually("the next record", async || topic.committed(0).await == Some(4)).await;
    assert_eq!(offsets_seen(&host), [vec![0, 1, 2], vec![0, 1, 2], vec![0, 1, 2], vec![3]]);
    let kept = kept(&store).await;
    let [(key, record, metadata)] = kept.as_slice() else { panic!("one object: {kept:?}") };
    let status = host.host.status();
    let mapping = &status.mappings[0];
    let topic_id = mapping.topic_id.unwrap().to_string();
    assert!(key.starts_with(&format!("failed-batches/aws/lambda/{}/{}/0/", mapping.uuid, topic.name)), "{key}");
    let expected = [
        ("first-offset", "0"),
        ("last-offset", "2"),
        ("partition", "0"),
        ("records", "3"),
        ("topic", topic.name.as_str()),
        ("topic-id", topic_id.as_str()),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(*metadata, expected.into());
    assert_eq!(values(record), ["a", "poison", "b"]);
    assert_eq!(record["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["requestContext"]["functionArn"], "arn:aws:lambda:eu-west-1:000000000000:function:reader");
    assert_eq!(
        record["responseContext"],
        json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    );
    let info = &record["KafkaBatchInfo"];
    assert_eq!(info["batchSize"], 3);
    assert_eq!(info["payloadSize"], record["payload"].as_str().unwrap().len());
    assert_eq!(info["recordsInfo"][format!("{}-0", topic.name)]["lastRecordOffset"], "2");
    assert_eq!(mapping.partitions[0].given_up, 3);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn halving_singles_out_a_poison_record_and_only_that_is_given_up_on() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, store) = object_store(folder.path()).await;
    let topic = Topic::new(1).await;
    topic.produce(0, &["a", "b", "c", "d", "e", "poison", "g", "h"]).await;
    let host = topic
        .reader(1, json!({
            "batch_window_ms": 500, "maximum_retry_attempts": 1, "bisect_on_error": true, "on_failure": "failed-batches",
        }))
        .configure(|config| config.objects = Some(store.clone()))
        .start();
    host.host.start_triggers().await.unwrap();
    eventually("all records", async || topic.committed(0).await == Some(8)).await;
    assert_eq!(
        offsets_seen(&host),
        [
            vec![0, 1, 2, 3, 4, 5, 6, 7],
            vec![0, 1, 2, 3],
            vec![4, 5, 6, 7],
            vec![4, 5],
            vec![4],
            vec![5],
            vec![5],
            vec![6, 7]
        ],
        "halves in order; the single record is retried once"
    );
    let kept = kept(&store).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(values(&kept[0].1), ["poison"]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_too_old_are_given_up_on_unsent() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, store) = object_store(folder.path()).await;
    let topic = Topic::at(&crate::kafka::brokers());
    topic.create(1, &[("message.timestamp.type", "CreateTime")]).await;
    let hour_ago = chrono::Utc::now().timestamp_millis() - 3_600_000;
    topic.produce_at(0, &["old", "older"], Some(hour_ago)).await;
    topic.produce(0, &["young"]).await;
    topic.produce_at(0, &["late"], Some(hour_ago)).await;
    topic.produce(0, &["younger"]).await;
    let host = topic
        .reader(1, json!({"batch_window_ms": 500, "maximum_record_age_seconds": 600, "on_failure": "failed-batches"}))
        .configure(|config| config.objects = Some(store.clone()))
        .start();
    host.host.start_triggers().await.unwrap();
    eventually("all records", async || topic.committed(0).await == Some(5)).await;
    assert_eq!(offsets_seen(&host), [[2], [4]]);
    let kept = kept(&store).await;
    assert_eq!(
        kept.iter().map(|(_, record, _)| values(record)).collect::<Vec<_>>(),
        [vec!["old", "older"], vec!["late"]]
    );
    assert!(kept.iter().all(|(_, record, _)| record["requestContext"]["condition"] == "EventAgeExceeded"));
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_too_large_for_an_event_is_given_up_on_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, store) = object_store(folder.path()).await;
    let topic = Topic::at(&crate::kafka::brokers());
    topic.create(1, &[("max.message.bytes", "8000000")]).await;
    let large = "x".repeat(5_000_000);
    topic.produce(0, &["a", &large, "b"]).await;
    let host = topic
        .reader(1, json!({"batch_window_ms": 500, "on_failure": "failed-batches"}))
        .configure(|config| config.objects = Some(store.clone()))
        .start();
    host.host.start_triggers().await.unwrap();
    eventually("all records", async || topic.committed(0).await == Some(3)).await;
    assert_eq!(offsets_seen(&host), [[0], [2]]);
    let kept = kept(&store).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].1["requestContext"]["condition"], "MaximumPayloadSizeExceeded");
    assert_eq!(kept[0].1["responseContext"], Value::Null);
    assert!(values(&kept[0].1) == [large]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_destination_is_away_nothing_is_committed_and_nothing_lost() {
    let folder = tempfile::tempdir().unwrap();
    let address = { object_store(folder.path()).await.0.address() };
    let store = ObjectStore::new(&ObjectSettings {
        endpoint: Some(format!("http://{address}")),
        region: "eu-west-1".to_owned(),
        bucket: "millrace".to_owned(),
        credentials: Some(ObjectCredentials { access_key: "key".to_owned(), secret_key: "a secret".into() }),
    });
    let topic = Topic::new(1).await;
    topic.produce(0, &["poison"]).await;
    let host = topic
        .reader(1, json!({"maximum_retry_attempts": 0, "on_failure": "failed-batches"}))
        .configure(|config| config.objects = Some(store.clone()))
        .start();
    host.host.start_triggers().await.unwrap();
    let host = Arc::new(host);
    eventually("the destination fails", async || {
        let failing = host.host.status().mappings.first().and_then(|m| m.partitions.first()?.failing.clone());
        failing.is_some_and(|reason| reason.contains("cannot write object"))
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(topic.committed(0).await, Some(0));
    let secret = secrecy::SecretString::from("a secret");
    let _server = millrace_local_host::ObjectsServer::start(folder.path(), address, "key", &secret).await.unwrap();
    eventually("the batch is kept", async || topic.committed(0).await == Some(1)).await;
    assert_eq!(kept(&store).await.len(), 1);
    assert_eq!(seen(&host).len(), 1, "the function is not asked again for it");
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_destination_a_batch_that_is_given_up_on_is_dropped_and_counted() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["poison"]).await;
    let host = topic.reader(1, json!({"maximum_retry_attempts": 1})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the position", async || topic.committed(0).await == Some(1)).await;
    assert_eq!(host.host.status().mappings[0].partitions[0].given_up, 1);
    host.host.stop().await;
}
