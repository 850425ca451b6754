//! Batches delivered twice, in pieces, at once, and from a topic that was made again.

use crate::support::{Fixture, TOPIC, event, now, values};
use chrono::Duration;
use millrace_test_support::batches::batch;
use millrace_wire::{PartialBatchResponse, usage};
use rate::Rate;

/// Ten records: event 3 twice, and one that is no event.
fn mixed() -> Vec<Vec<u8>> {
    let mut mixed = values([5, 4, 3, 3, 2, 9, 8, 7, 6]);
    mixed.insert(4, br#"{"event_id":"nonsense"}"#.to_vec());
    mixed
}

#[tokio::test]
async fn a_batch_delivered_twice_changes_nothing_the_second_time() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, 0, now(), &mixed()).await;
    let first = fixture.tables().await;
    assert_eq!(fixture.ledger().await, ["0: 0 10 0 8 1 1"]);
    assert_eq!(fixture.rejects().await, ["0 0 4 event_id expected a UUID"]);
    fixture.deliver(0, 0, now(), &mixed()).await;
    assert_eq!(fixture.tables().await, first);
}

#[tokio::test]
async fn a_batch_split_at_every_point_ends_in_the_same_tables() {
    let fixture = Fixture::new().await;
    let sorted = |mut tables: Vec<Vec<String>>| {
        tables[0].sort();
        tables
    };
    fixture.deliver(0, 0, now(), &mixed()).await;
    let whole = sorted(fixture.tables().await);
    for split in 1..mixed().len() {
        fixture.empty().await;
        fixture.deliver(0, 0, now(), &mixed()[..split]).await;
        fixture.deliver(0, split as i64, now(), &mixed()[split..]).await;
        assert_eq!(sorted(fixture.tables().await), whole, "split at {split}");
        // A retry may begin anywhere in what was stored.
        fixture.deliver(0, split as i64 / 2, now(), &mixed()[split / 2..]).await;
        assert_eq!(sorted(fixture.tables().await), whole, "split at {split}, redelivered");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_racing_on_one_partition_count_each_record_once() {
    let fixture = Fixture::new().await;
    let other = Rate::new(fixture.pool.clone(), Duration::days(400));
    let whole = values(0..200);
    for round in 0..5 {
        fixture.empty().await;
        let (first, second) = (batch(TOPIC, 0, 0, now(), &whole), batch(TOPIC, 0, 0, now(), &whole[..150]));
        let (first, second) = tokio::join!(fixture.rate.handle(&first), other.handle(&second));
        assert_eq!((first.unwrap(), second.unwrap()), Default::default());
        assert_eq!(fixture.ledger().await, ["0: 0 200 0 200 0 0"], "round {round}");
        assert_eq!(fixture.events().await.len(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_events_on_two_partitions_at_once_are_stored_once_and_counted_as_duplicates() {
    let fixture = Fixture::new().await;
    let other = Rate::new(fixture.pool.clone(), Duration::days(400));
    for round in 0..5 {
        fixture.empty().await;
        let forward = batch(TOPIC, 0, 0, now(), &values(0..300));
        let backward = batch(TOPIC, 1, 0, now(), &values((100..400).rev()));
        let (first, second) = tokio::join!(fixture.rate.handle(&forward), other.handle(&backward));
        assert_eq!((first.unwrap(), second.unwrap()), Default::default());
        let sums = fixture
            .database
            .texts("SELECT CONCAT_WS(' ', SUM(stored), SUM(duplicates), SUM(rejects)) FROM ledger")
            .await;
        assert_eq!(sums, ["400 200 0"], "round {round}");
        assert_eq!(fixture.events().await.len(), 400);
    }
}

#[tokio::test]
async fn a_record_known_from_another_partition_or_an_earlier_batch_is_a_duplicate() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, 0, now(), &values([1, 2])).await;
    fixture.deliver(3, 0, now(), &values([2, 3])).await;
    fixture.deliver(0, 2, now(), &values([3, 1])).await;
    assert_eq!(fixture.ledger().await, ["0: 0 4 0 2 2 0", "3: 0 2 0 1 1 0"]);
    assert_eq!(fixture.events().await.len(), 3);
}

#[tokio::test]
async fn a_redelivered_record_that_is_not_stored_is_stored_and_not_counted() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, 0, now(), &mixed()).await;
    let (ledger, events) = (fixture.ledger().await, fixture.events().await.len());
    fixture.database.run("DELETE FROM usage_events WHERE usage_amount = 60 ORDER BY seq LIMIT 2").await;
    fixture.database.run("DELETE FROM rejects").await;
    fixture.deliver(0, 0, now(), &mixed()).await;
    assert_eq!(fixture.ledger().await, ledger);
    assert_eq!(fixture.events().await.len(), events);
    assert_eq!(fixture.rejects().await.len(), 1);
}

#[tokio::test]
async fn a_topic_made_again_loses_nothing_and_keeps_its_counts() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, 0, now(), &mixed()).await;
    let later = now() + Duration::seconds(1);
    let mut again = values([20, 21, 3]);
    again.push(b"no event either".to_vec());
    fixture.deliver(0, 0, later, &again).await;
    assert_eq!(fixture.ledger().await, ["0: 1 4 10 10 2 2"]);
    assert_eq!(fixture.rejects().await.len(), 2, "both rejects are kept, though one offset may be used twice");
    fixture.deliver(0, 0, later, &again).await;
    assert_eq!(
        fixture.ledger().await,
        ["0: 1 4 10 10 2 2"],
        "the new topic's records are redelivered like any other's"
    );
    assert_eq!(fixture.events().await.len(), 10);
}

#[tokio::test]
async fn offsets_that_were_jumped_over_are_noted_and_count_as_redelivered_when_they_come_after_all() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, 0, now(), &values(0..3)).await;
    fixture.deliver(0, 8, now() + Duration::seconds(2), &values(8..10)).await;
    assert_eq!(fixture.tables().await[3], ["0 0 3 8"]);
    fixture.deliver(0, 4, now() + Duration::seconds(1), &values(4..6)).await;
    assert_eq!(fixture.tables().await[3], ["0 0 3 8"]);
    assert_eq!(fixture.ledger().await, ["0: 0 10 0 5 0 0"]);
    assert_eq!(fixture.events().await.len(), 7, "what is not stored yet is");
}

#[tokio::test]
async fn a_batch_of_several_partitions_is_stored_by_partition() {
    let fixture = Fixture::new().await;
    let record = |n: u32, offset| millrace_wire::batch::OutgoingRecord {
        offset,
        timestamp_ms: now().timestamp_millis(),
        key: None,
        value: Some(millrace_wire::usage::encode(&event(n))),
        headers: Vec::new(),
    };
    let partitions = [(TOPIC, 2, vec![record(1, 7), record(2, 8)]), (TOPIC, 0, vec![record(3, 0)])];
    let answer = fixture.rate.handle(&millrace_test_support::batches::several(&partitions)).await.unwrap();
    assert_eq!(answer, PartialBatchResponse::default());
    assert_eq!(fixture.ledger().await, ["0: 0 1 0 1 0 0", "2: 0 9 0 2 0 0"]);
}

#[tokio::test]
async fn duplicates_within_a_large_batch_are_found_wherever_they_stand() {
    let fixture = Fixture::new().await;
    let mut records = values(0..1300);
    for (place, n) in [(700, 3), (1299, 3), (1200, 701), (20, 19)] {
        records[place] = usage::encode(&event(n));
    }
    records[900] = b"{}".to_vec();
    for _ in 0..2 {
        fixture.deliver(0, 0, now(), &records).await;
        assert_eq!(fixture.ledger().await, ["0: 0 1300 0 1295 4 1"]);
        assert_eq!(fixture.events().await.len(), 1295);
    }
}
