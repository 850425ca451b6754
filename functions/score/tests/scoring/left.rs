use millrace_domain::identity::CustomerId;
use millrace_store_mysql::scores;
use score::ScoredLeft;
use std::time::{Duration, Instant};

use crate::world::{World, at, by_day_minutes, snapshot};

#[tokio::test]
async fn without_a_champion_snapshots_wait_and_the_schedule_scores_them() {
    let world = World::new().await;
    let customers: Vec<_> = (0..1201).map(|n| snapshot(&format!("C-{n:04}"), n % 20, 300.0, None)).collect();
    world.deliver(&customers).await;
    assert_eq!(
        (world.count("churn_scores").await, world.count("unscored_snapshots").await),
        ("0".into(), "1201".into())
    );
    assert_eq!(world.score_left().await, ScoredLeft { ran: true, scored: 0, waiting: 1201 });

    world.promote(world.train(&by_day_minutes()).await).await;
    assert_eq!(world.score_left().await, ScoredLeft { ran: true, scored: 1201, waiting: 0 });
    assert_eq!((world.count("churn_scores").await, world.count("churn_alerts").await), ("1201".into(), "1201".into()));
    let document = world.documents.score(&CustomerId::parse("C-1200").unwrap()).await.unwrap();
    assert_eq!(document.unwrap().observed_at, at(0));
    assert_eq!(world.score_left().await, ScoredLeft { ran: true, scored: 0, waiting: 0 });
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_run_that_is_out_of_time_leaves_the_rest() {
    let world = World::new().await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None)]).await;
    world.promote(world.train(&by_day_minutes()).await).await;
    let out_of_time = world.score.score_left(Instant::now()).await.unwrap();
    assert_eq!(out_of_time, ScoredLeft { ran: true, scored: 0, waiting: 1 });
    let (one, another) = (world.another_process(), world.another_process());
    let deadline = Instant::now() + Duration::from_secs(30);
    let (one, another) = tokio::join!(one.score_left(deadline), another.score_left(deadline));
    let (one, another) = (one.unwrap(), another.unwrap());
    assert_eq!(one.scored + another.scored, 1, "{one:?} {another:?}");
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn scores_of_what_another_run_has_scored_change_nothing() {
    let world = World::new().await;
    world.promote(world.train(&by_day_minutes()).await).await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None)]).await;
    let scored = scores::of_customer(&world.mysql, &CustomerId::parse("C-1").unwrap(), 1).await.unwrap();
    let again = scores::store_left(&world.mysql, vec![scored[0].score.clone()]).await.unwrap();
    assert_eq!(again, scores::Scored::default());
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn another_task_is_refused_by_name() {
    let world = World::new().await;
    let error = world.score.handle(r#"{"task":"fold"}"#).await.unwrap_err();
    assert_eq!(error.to_string(), "task: expected score-left, not fold");
}
