//! Topics that come, grow, are made again and lose records, and a broker that goes away.

use serde_json::json;

use crate::kafka::{Broker, Topic, brokers};
use crate::mapping::seen;
use crate::support::{TestHost, eventually};

fn values(host: &TestHost) -> Vec<String> {
    seen(host).into_iter().flat_map(|seen| seen.values).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_there_yet_is_waited_for() {
    let topic = Topic::at(&brokers());
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    topic.create(1, &[]).await;
    topic.produce(0, &["a"]).await;
    eventually("the record", async || topic.committed(0).await == Some(1)).await;
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_are_read_from_their_start() {
    let topic = Topic::new(1).await;
    let host = topic.reader(2, json!({"starting_position": "LATEST"})).start();
    host.host.start_triggers().await.unwrap();
    eventually("a position", async || topic.committed(0).await == Some(0)).await;
    topic.grow(3).await;
    // A producer learns of new partitions with its next look at the topic.
    let producer = topic.anew();
    producer.produce(2, &["new"]).await;
    eventually("the record", async || topic.committed(2).await == Some(1)).await;
    assert_eq!(values(&host), ["new"]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_again_is_read_from_its_start_after_what_was_read_of_the_old_one() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["old 0", "old 1", "once:held", "old 3"]).await;
    let host = topic.reader(1, json!({"batch_window_ms": 300})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the old records", async || topic.committed(0).await == Some(4)).await;
    topic.delete().await;
    topic.create(1, &[]).await;
    let producer = topic.anew();
    producer.produce(0, &["new 0", "new 1"]).await;
    eventually("the new records", async || values(&host).contains(&"new 1".to_owned())).await;
    let new: Vec<String> = values(&host).into_iter().filter(|value| value.starts_with("new")).collect();
    assert_eq!(new, ["new 0", "new 1"]);
    eventually("the new position", async || topic.committed(0).await == Some(2)).await;
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_again_with_fewer_records_than_were_read_delivers_each_of_them_once() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["old"; 40]).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the old records", async || topic.committed(0).await == Some(40)).await;
    let mut made = Vec::new();
    // Whoever read the old topic finds the new one by its name, often before the host has looked: so more than once.
    for records in [30, 20, 10] {
        topic.delete().await;
        topic.create(1, &[]).await;
        let new: Vec<String> = (0..records).map(|n| format!("{n} of {records}")).collect();
        topic.anew().produce(0, &new.iter().map(String::as_str).collect::<Vec<_>>()).await;
        eventually("the new records", async || topic.committed(0).await == Some(records)).await;
        made.extend(new);
    }
    let delivered: Vec<String> = values(&host).into_iter().filter(|value| value != "old").collect();
    assert_eq!(delivered, made);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_again_while_the_host_was_stopped_is_read_from_its_start() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["old"; 2]).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the old records", async || topic.committed(0).await == Some(2)).await;
    host.host.stop().await;
    topic.delete().await;
    topic.create(1, &[]).await;
    let producer = topic.anew();
    let new = ["new 0", "new 1", "new 2", "new 3"];
    producer.produce(0, &new).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the new records", async || topic.committed(0).await == Some(4)).await;
    assert_eq!(values(&host), new);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_batch_of_a_deleted_topic_holds_up_only_its_own_partition_of_the_new_one() {
    let topic = Topic::new(2).await;
    topic.produce(0, &["poison"]).await;
    let host = topic.reader(2, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("retries", async || seen(&host).len() > 2).await;
    topic.delete().await;
    topic.create(2, &[]).await;
    let producer = topic.anew();
    for partition in [0, 1] {
        producer.produce(partition, &["new"]).await;
    }
    eventually("the other partition", async || topic.committed(1).await == Some(1)).await;
    // The other partition's record may have come twice: to whoever read the old topic, too, until the host looked again.
    let first = seen(&host).into_iter().filter(|seen| seen.partition.ends_with("-0"));
    let delivered: Vec<Vec<String>> = first.map(|seen| seen.values).collect();
    assert!(
        delivered.iter().all(|values| *values == ["poison"]),
        "the new record waits for the old one: {delivered:?}"
    );
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_were_deleted_unread_are_passed_over_and_the_rest_is_read() {
    let topic = Topic::new(1).await;
    topic.produce(0, &["a", "b"]).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the first records", async || topic.committed(0).await == Some(2)).await;
    host.host.stop().await;
    topic.produce(0, &["c", "d", "e", "f"]).await;
    topic.delete_records_before(0, 4).await;
    let host = topic.reader(1, json!({})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the last records", async || topic.committed(0).await == Some(6)).await;
    assert_eq!(values(&host), ["e", "f"]);
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_deleted_under_a_slow_function_are_passed_over_and_the_rest_is_read() {
    let topic = Topic::new(1).await;
    // More than is fetched ahead, so that the position to fetch from is deleted.
    let filler = "x".repeat(900_000);
    topic.produce(0, &["slow:4000"]).await;
    topic.produce(0, &[filler.as_str(); 60]).await;
    let host = topic.reader(1, json!({"batch_size": 1})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the slow batch", async || !seen(&host).is_empty()).await;
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    topic.produce(0, &["last"]).await;
    topic.delete_records_before(0, 61).await;
    eventually("the last record", async || topic.committed(0).await == Some(62)).await;
    let values = values(&host);
    assert_eq!(values.last().map(String::as_str), Some("last"));
    assert!(values.len() < 62, "{} of 62 records were read although most were deleted", values.len());
    host.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_and_started_again_costs_no_record() {
    let mut broker = Broker::start();
    let topic = Topic::at(&broker.address);
    topic.create(2, &[]).await;
    topic.produce(0, &["a"; 100]).await;
    let host = topic.reader(2, json!({"batch_size": 10})).start();
    host.host.start_triggers().await.unwrap();
    eventually("the first records", async || topic.committed(0).await == Some(100)).await;
    broker.kill();
    broker.start_again();
    topic.produce(0, &["b"; 100]).await;
    topic.produce(1, &["c"; 100]).await;
    for (partition, end) in [(0, 200), (1, 100)] {
        eventually("the later records", async || topic.committed(partition).await == Some(end)).await;
    }
    let mut read = values(&host);
    read.sort();
    read.dedup();
    assert_eq!(read, ["a", "b", "c"]);
    host.host.stop().await;
}
