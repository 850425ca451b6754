//! The event source mapping: batches, order, concurrency, positions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kafka::Topic;
use crate::support::{TestHost, eventually};

/// What one invocation was sent: the partition's key, offsets and values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) partition: String,
    pub(crate) offsets: Vec<i64>,
    pub(crate) values: Vec<String>,
}

/// Every invocation's batch, in the order of their beginnings.
pub(crate) fn seen(host: &TestHost) -> Vec<Seen> {
    let begun = host.journal().into_iter().filter(|line| line.get("end_ms").is_none());
    begun
        .map(|line| {
            let records = line["records"].as_array().unwrap().clone();
            assert!(records.iter().all(|record| record[0] == records[0][0]), "a batch is of one partition");
            Seen {
                partition: records[0][0].as_str().unwrap().to_owned(),
                offsets: records.iter().map(|record| record[1].as_i64().unwrap()).collect(),
                values: records.iter().map(|record| record[2].as_str().unwrap().to_owned()).collect(),
            }
        })
        .collect()
}

pub(crate) fn offsets_seen(host: &TestHost) -> Vec<Vec<i64>> {
    seen(host).into_iter().map(|seen| seen.offsets).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_closed_by_its_size_and_the_rest_by_the_window() {
    let topic = Topic::new(1).await;
    let values: Vec<String> = (0..25).map(|n| format!("v{n}")).collect();
    topic.produce(0, &values.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let host = topic.reader(1, json!({"batch_size": 10, "batch_window_ms": 400})).start();
    host.host.start_triggers().await.unwrap();
    eventually("all records", async || topic.committed(0).await == Some(25)).await;
    let batches = seen(&host);
    assert_eq!(batches.iter().map(|batch| batch.offsets.len()).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(batches.iter().flat_map(|batch| batch.values.clone()).collect::<Vec<_>>(), values);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_gathered_for_as_long_as_the_window() {
    let topic = Topic::new(1).await;
    let host = topic.reader(1, json!({"batch_window_ms": 5000})).start();
    host.host.start_triggers().await.unwrap();
    eventually("a position", async || topic.committed(0).await == Some(0)).await;
    for value in ["a", "b", "c"] {
        topic.produce(0, &[value]).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(seen(&host), [], "the window is open");
    eventually("the batch", async || offsets_seen(&host) == [[0, 1, 2]]).await;
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_closed_before_its_event_is_over_six_megabytes() {
    let topic = Topic::new(1).await;
    let large = "x".repeat(900_000);
    topic.produce(0, &[large.as_str(); 12]).await;
    let host = topic.reader(1, json!({"batch_window_ms": 2000})).start();
    host.host.start_triggers().await.unwrap();
    eventually("all records", async || topic.committed(0).await == Some(12)).await;
    // 1.2 MB each in base64: five fit and six do not.
    assert_eq!(offsets_seen(&host), [vec![0, 1, 2, 3, 4], vec![5, 6, 7, 8, 9], vec![10, 11]]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_served_at_once_up_to_the_concurrency_with_one_batch_of_each_in_flight() {
    let topic = Topic::new(4).await;
    for partition in 0..4 {
        topic.produce(partition, &["slow:150"; 4]).await;
    }
    let host = topic.reader(2, json!({"batch_size": 1})).start();
    host.host.start_triggers().await.unwrap();
    for partition in 0..4 {
        eventually("all records", async || topic.committed(partition).await == Some(4)).await;
    }
    let mut spans: Vec<(u64, u64, String)> = host
        .journal()
        .iter()
        .filter_map(|line| {
            let partition = line["records"][0][0].as_str()?.to_owned();
            Some((line["begin_ms"].as_u64()?, line.get("end_ms").and_then(Value::as_u64)?, partition))
        })
        .collect();
    spans.sort();
    assert_eq!(spans.len(), 16);
    let at_once = |time: u64| spans.iter().filter(|(begin, end, _)| (*begin..*end).contains(&time)).collect::<Vec<_>>();
    let most = spans.iter().map(|(begin, ..)| at_once(*begin).len()).max();
    assert_eq!(most, Some(2), "as many at once as the concurrency");
    for (begin, ..) in &spans {
        let partitions: Vec<&String> = at_once(*begin).into_iter().map(|(_, _, partition)| partition).collect();
        assert!(partitions.len() < 2 || partitions[0] != partitions[1], "two batches of one partition at once");
    }
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_committed_after_success_only() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["slow:5000"]).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the batch", async || !seen(&host).is_empty()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(topic.committed(0).await, Some(0));
    eventually("the commit", async || topic.committed(0).await == Some(1)).await;
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_started_again_goes_on_where_it_ended() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["a", "b"]).await;
    for (more, expected) in [(None, [0, 1]), (Some(["c", "d"]), [2, 3])] {
        if let Some(values) = more {
            topic.produce(0, &values).await;
        }
        let host = topic.reader(1, json!({})).start();
        host.host.start_triggers().await.unwrap();
        eventually("the records", async || topic.committed(0).await == Some(expected[1] + 1)).await;
        assert_eq!(offsets_seen(&host).concat(), expected);
        host.host.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_the_batch_in_flight_end_and_commits_it() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["slow:1000"]).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the batch", async || !seen(&host).is_empty()).await;
    host.host.stop().await;
    assert_eq!(topic.committed(0).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn latest_begins_after_what_is_there_and_holds_from_the_first_start_on() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["old"]).await;
    let host = topic.reader(1, json!({"starting_position": "LATEST"})).start();
    host.host.start_triggers().await.unwrap();
    eventually("a position", async || topic.committed(0).await == Some(1)).await;
    host.host.stop().await;
    topic.produce(0, &["while it was stopped"]).await;
    let host = topic.reader(1, json!({"starting_position": "LATEST"})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the record", async || topic.committed(0).await == Some(2)).await;
    assert_eq!(seen(&host)[0].values, ["while it was stopped"]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_of_each_partitions_position() {
    let topic = Topic::new(2).await;
    topic.produce(1, &["a", "b"]).await;
    let host = topic.reader(2, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the records", async || topic.committed(1).await == Some(2)).await;
    let status = host.host.status();
    let mapping = &status.mappings[0];
    assert_eq!((mapping.function.as_str(), mapping.topic.as_str()), ("reader", topic.name.as_str()));
    assert!(mapping.topic_id.is_some());
    let positions: Vec<(i32, i64)> = mapping.partitions.iter().map(|p| (p.partition, p.position)).collect();
    assert_eq!(positions, [(0, 0), (1, 2)]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_mapping_sends_nothing_and_goes_on_where_it_ended() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["slow:600"]).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the first batch", async || !seen(&host).is_empty()).await;
    host.host.set_enabled("reader", false).await.unwrap();
    assert_eq!(topic.committed(0).await, Some(1), "what was in flight has ended");
    assert!(!host.host.status().mappings[0].enabled);
    topic.produce(0, &["while it was disabled"]).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(offsets_seen(&host), [[0]]);
    host.host.set_enabled("reader", true).await.unwrap();
    eventually("the record", async || topic.committed(0).await == Some(2)).await;
    assert_eq!(offsets_seen(&host), [[0], [1]]);
    let error = host.host.set_enabled("nobody", true).await.unwrap_err();
    assert_eq!(error.to_string(), "no Kafka topic is mapped to the function nobody here");
    host.host.stop().await;
}
