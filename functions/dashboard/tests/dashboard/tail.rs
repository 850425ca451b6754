//! The live tail, from a real broker.

use std::time::{Duration, Instant};

use chrono::Utc;
use lambda_http::http::StatusCode;
use millrace_test_support::environment;
use rskafka::client::partition::{Compression, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use serde_json::Value;

use crate::site::site;

async fn kafka() -> Client {
    ClientBuilder::new(vec![environment::required("MILLRACE_TEST_KAFKA")]).build().await.unwrap()
}

async fn create_topic(client: &Client, topic: &str, partitions: i32) {
    client.controller_client().unwrap().create_topic(topic, partitions, 1, 10_000).await.unwrap();
    let begun = Instant::now();
    while !client.list_topics().await.unwrap().iter().any(|found| found.name == topic) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{topic} was created");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn produce(client: &Client, topic: &str, partition: i32, values: &[&str], compression: Compression) {
    let partition = client.partition_client(topic, partition, UnknownTopicHandling::Retry).await.unwrap();
    let record = |value: &&str| Record {
        key: Some(b"key".to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: Default::default(),
        timestamp: Utc::now(),
    };
    partition.produce(values.iter().map(record).collect(), compression).await.unwrap();
}

fn values(answer: &Value) -> Vec<&str> {
    answer["records"].as_array().unwrap().iter().map(|record| record["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_tail_begins_now_and_gives_each_later_record_once() {
    let site = site().await;
    let client = kafka().await;
    create_topic(&client, &site.topic, 2).await;
    produce(&client, &site.topic, 0, &["before"], Compression::NoCompression).await;
    let cookie = site.cookie().await;
    let (status, first) = site.get("/api/live", &cookie).await;
    assert_eq!((status, first["records"].as_array().unwrap().len()), (StatusCode::OK, 0));
    let live = async |answer: &Value| {
        site.get(&format!("/api/live?cursor={}", answer["cursor"].as_str().unwrap()), &cookie).await.1
    };

    produce(&client, &site.topic, 0, &["one", "two"], Compression::Gzip).await;
    produce(&client, &site.topic, 1, &["three"], Compression::Snappy).await;
    produce(&client, &site.topic, 1, &["four"], Compression::Lz4).await;
    produce(&client, &site.topic, 1, &["five"], Compression::Zstd).await;
    let second = live(&first).await;
    assert_eq!(values(&second), ["one", "two", "three", "four", "five"]);
    assert_eq!(second["behind"], 0);
    let record = &second["records"][1];
    assert_eq!(
        (&record["topic"], &record["partition"], &record["offset"], &record["key"]),
        (&site.topic.clone().into(), &0.into(), &2.into(), &"key".into())
    );
    assert_eq!(values(&live(&second).await), [] as [&str; 0]);
    assert_eq!(values(&live(&first).await).len(), 5, "an answer that was lost can be asked for again");
    client.controller_client().unwrap().delete_topic(&site.topic, 10_000).await.unwrap();
}

#[tokio::test]
async fn a_tail_that_fell_behind_catches_up_without_a_gap() {
    let site = site().await;
    let client = kafka().await;
    create_topic(&client, &site.topic, 1).await;
    let cookie = site.cookie().await;
    let (_, mut answer) = site.get("/api/live", &cookie).await;
    let numbers: Vec<String> = (0..1700).map(|n| n.to_string()).collect();
    produce(
        &client,
        &site.topic,
        0,
        &numbers.iter().map(String::as_str).collect::<Vec<_>>(),
        Compression::NoCompression,
    )
    .await;
    let mut seen = Vec::new();
    for behind in [1200, 700, 200, 0] {
        answer = site.get(&format!("/api/live?cursor={}", answer["cursor"].as_str().unwrap()), &cookie).await.1;
        assert_eq!(answer["behind"], behind);
        seen.extend(values(&answer).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, numbers);
    client.controller_client().unwrap().delete_topic(&site.topic, 10_000).await.unwrap();
}

#[tokio::test]
async fn a_cursor_before_or_beyond_the_log_is_mended() {
    let site = site().await;
    let client = kafka().await;
    create_topic(&client, &site.topic, 1).await;
    let cookie = site.cookie().await;
    let (_, start) = site.get("/api/live", &cookie).await;
    produce(&client, &site.topic, 0, &["a", "b", "c"], Compression::NoCompression).await;
    let live = async |answer: &Value| {
        site.get(&format!("/api/live?cursor={}", answer["cursor"].as_str().unwrap()), &cookie).await
    };
    let (_, end) = live(&start).await;

    let partition = client.partition_client(site.topic.clone(), 0, UnknownTopicHandling::Retry).await.unwrap();
    partition.delete_records(2, 10_000).await.unwrap();
    let (status, trimmed) = live(&start).await;
    assert_eq!((status, values(&trimmed)), (StatusCode::OK, vec!["c"]), "the log begins after the cursor");

    let controller = client.controller_client().unwrap();
    controller.delete_topic(&site.topic, 10_000).await.unwrap();
    let begun = Instant::now();
    while controller.create_topic(&site.topic, 1, 1, 10_000).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the topic was made again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    produce(&client, &site.topic, 0, &["new"], Compression::NoCompression).await;
    // The broker's own view of a topic that was made again needs a moment.
    let begun = Instant::now();
    loop {
        let (status, again) = live(&end).await;
        if status == StatusCode::OK {
            assert_eq!(values(&again), ["new"], "what a topic made again has is after the cursor");
            break;
        }
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    controller.delete_topic(&site.topic, 10_000).await.unwrap();
}
