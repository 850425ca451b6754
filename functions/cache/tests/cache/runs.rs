//! Runs without news, after a loss, out of time, and at once.

use std::time::Duration;

use cache::Cache;
use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::usage::Service;
use millrace_store_documents::UsageGrain;
use millrace_store_mysql::leases;
use tokio::time::Instant;

use crate::world::{World, documents, event, hour, reading, snapshot};

#[tokio::test]
async fn a_run_without_news_writes_no_document() {
    let world = World::new().await;
    world.events(vec![event(hour(), Service::Voice, "C-1", 60)]).await;
    world.readings(vec![reading("S-1", hour(), 20.0)]).await;
    world.snapshots(vec![snapshot("a", hour(), None)]).await;
    let first = world.run().await;
    assert_eq!((first.usage.written, first.revenue.written), (3, 1));
    assert_eq!((first.sensors.written, first.features.written), (1, 1));
    let second = world.run().await;
    assert_eq!(second.written(), 0);
    assert_eq!((second.usage, second.revenue, second.sensors, second.features), Default::default());
    assert!(second.as_of > first.as_of, "what the documents say is true of a later time");
    assert!(second.age(Utc::now()).unwrap() < 5.0);
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn documents_that_are_lost_are_computed_again_as_they_were() {
    let world = World::new().await;
    for n in 0..3 {
        let at = hour() - TimeDelta::hours(n * 20);
        world
            .events((0..50).map(|i| event(at, Service::ALL[i % 3], &format!("C-{}", i % 7), i as u64)).collect())
            .await;
        world
            .readings(
                (0..20)
                    .map(|i| reading(&format!("S-{}", i % 4), at + TimeDelta::seconds(i), 60.0 + i as f64))
                    .collect(),
            )
            .await;
        world
            .snapshots((0..10).map(|i| snapshot(&format!("c{i}"), at, (i % 2 == 0).then_some(i % 4 == 0))).collect())
            .await;
        world.run().await;
    }
    let before = world.all_documents().await;
    world.cache.documents.clear().await.unwrap();
    world.run().await;
    assert_eq!(world.all_documents().await, before);
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn documents_of_another_database_are_thrown_away() {
    let old = World::new().await;
    old.events((0..20).map(|i| event(hour(), Service::Voice, &format!("old-{i}"), 1)).collect()).await;
    old.run().await;
    old.events(vec![event(hour(), Service::Voice, "C-1", 1000)]).await;
    old.run().await;
    let new = World::new().await;
    new.events(vec![event(hour(), Service::Voice, "C-1", 1)]).await;
    let cache =
        Cache { mysql: new.cache.mysql.clone(), documents: documents(old.database.name()).await, holder: "h".into() };
    cache.run(Instant::now() + Duration::from_secs(60)).await.unwrap();
    let sums = cache.documents.usage(UsageGrain::HourByCell, DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(
        sums.iter().map(|sum| (sum.cell.as_deref(), sum.usage_total)).collect::<Vec<_>>(),
        [(Some("C-1"), 1.into())]
    );
    cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_run_that_is_out_of_time_goes_on_next_time() {
    let world = World::new().await;
    world.events(vec![event(hour(), Service::Voice, "C-1", 60)]).await;
    world.snapshots(vec![snapshot("a", hour(), Some(true))]).await;
    let summary = world.cache.run(Instant::now()).await.unwrap();
    assert!(summary.ran && !summary.complete && summary.as_of.is_none(), "{summary:?}");
    let summary = world.run().await;
    assert_eq!((summary.usage.written, summary.features.written), (3, 1));
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn two_runs_at_once_follow_one_another() {
    let world = World::new().await;
    world.events((0..500).map(|i| event(hour(), Service::Voice, &format!("C-{}", i % 50), 1)).collect()).await;
    let other =
        Cache { mysql: world.cache.mysql.clone(), documents: world.cache.documents.clone(), holder: "other".into() };
    let deadline = Instant::now() + Duration::from_secs(60);
    let (a, b) = tokio::join!(world.cache.run(deadline), other.run(deadline));
    assert_eq!(a.unwrap().usage.written + b.unwrap().usage.written, 101);
    let sums = world.cache.documents.usage(UsageGrain::HourByService, hour()).await.unwrap();
    assert_eq!(sums.iter().map(|sum| sum.events).sum::<u64>(), 500);
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_run_that_does_not_get_its_turn_says_so() {
    let world = World::new().await;
    assert!(leases::take(&world.cache.mysql, "cache", "someone else", Duration::from_secs(60)).await.unwrap());
    let summary = world.cache.run(Instant::now()).await.unwrap();
    assert!(!summary.ran && !summary.complete);
    assert_eq!(summary.to_json(Utc::now())["ran"], false);
}
