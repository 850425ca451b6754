use millrace_churn_model::ReasonValue;
use millrace_domain::identity::CustomerId;
use millrace_store_mysql::live_quality::live_quality;
use millrace_store_mysql::{champion, scores};

use crate::world::{World, at, by_day_minutes, model, snapshot};

fn customer(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

#[tokio::test]
async fn a_snapshot_without_a_label_is_scored_with_its_batch_and_only_once() {
    let world = World::new().await;
    world.promote(world.train(&by_day_minutes()).await).await;
    let values = [
        snapshot("C-1", 9, 300.0, None),
        snapshot("C-2", 9, 100.0, None),
        snapshot("C-3", 9, 300.0, Some(true)),
        snapshot("C-1", 9, 300.0, None),
    ];
    for _ in 0..2 {
        world.deliver_at(&world.score, 0, &values).await;
        assert_eq!(world.scores().await, ["C-1 9 1 88 1", "C-2 9 1 12 0"]);
        assert_eq!(world.count("unscored_snapshots").await, "0");
        assert_eq!(world.count("churn_alerts").await, "1");
    }
    // Another process, and the broker's offsets begin anew: the same snapshots are duplicates.
    world.deliver_at(&world.another_process(), 100, &values).await;
    assert_eq!(world.count("churn_scores").await, "2");
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn of_two_records_of_one_observation_the_first_is_stored_and_scored() {
    let world = World::new().await;
    world.promote(world.train(&by_day_minutes()).await).await;
    world
        .deliver(&[
            snapshot("C-1", 1, 300.0, None),
            snapshot("C-1", 1, 100.0, None),
            snapshot("C-2", 1, 300.0, Some(true)),
            snapshot("C-2", 1, 300.0, None),
        ])
        .await;
    assert_eq!(world.scores().await, ["C-1 1 1 88 1"]);
    assert_eq!(world.count("unscored_snapshots").await, "0");
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_score_has_its_strongest_reasons_in_the_database_and_in_the_document() {
    let world = World::new().await;
    world.promote(world.train(&by_day_minutes()).await).await;
    world.deliver(&[snapshot("C-1", 9, 300.0, None)]).await;
    let stored = scores::of_customer(&world.mysql, &customer("C-1"), 10).await.unwrap();
    let score = &stored[0].score;
    let reasons: Vec<_> = score.reasons.iter().map(|r| (r.feature.as_str(), r.value.clone(), r.contribution)).collect();
    assert_eq!(
        reasons,
        [
            ("total_day_minutes", ReasonValue::Number(Some(300.0)), 2.0),
            ("account_length", ReasonValue::Number(Some(128.0)), 0.0)
        ]
    );
    assert_eq!(world.documents.score(&customer("C-1")).await.unwrap().as_ref(), Some(score));
    let risky = scores::high_risk(&world.mysql, 10).await.unwrap();
    assert_eq!(risky.iter().map(|risk| (risk.opened_at, &risk.latest)).collect::<Vec<_>>(), [(at(9), score)]);
    assert_eq!(world.documents.highest_scores(10).await.unwrap(), std::slice::from_ref(score));
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_promotion_and_a_rollback_count_from_the_next_batch_on() {
    let world = World::new().await;
    let first = world.train(&by_day_minutes()).await;
    let second = world.train(&model("total_day_minutes", -0.02)).await;
    world.promote(first).await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None)]).await;
    world.promote(second).await;
    world.deliver(&[snapshot("C-1", 2, 300.0, None)]).await;
    assert_eq!(champion::rollback(&world.mysql, Some(second), "a test", "").await.unwrap(), first);
    world.deliver(&[snapshot("C-1", 3, 300.0, None)]).await;
    assert_eq!(world.scores().await, ["C-1 1 1 88 1", "C-1 2 2 12 0", "C-1 3 1 88 1"]);
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_label_that_comes_later_is_what_became_of_the_customer() {
    let world = World::new().await;
    world.promote(world.train(&by_day_minutes()).await).await;
    world
        .deliver(&[
            snapshot("C-1", 1, 300.0, None),
            snapshot("C-2", 1, 300.0, None),
            snapshot("C-3", 1, 100.0, None),
            snapshot("C-4", 1, 100.0, None),
            snapshot("C-4", 0, 100.0, Some(true)),
        ])
        .await;
    world
        .deliver(&[
            snapshot("C-1", 2, 300.0, None),
            snapshot("C-1", 3, 300.0, Some(true)),
            snapshot("C-1", 4, 300.0, Some(false)),
            snapshot("C-2", 2, 300.0, Some(false)),
            snapshot("C-3", 2, 300.0, Some(true)),
        ])
        .await;
    let view = "SELECT CONCAT_WS(' ', customer_id, HOUR(observed_at), ROUND(100 * probability), churn_predicted, model_version, \
                COALESCE(actual, '-'), scored_at IS NOT NULL) FROM bi_churn_scores ORDER BY customer_id, observed_at";
    assert_eq!(
        world.database.texts(view).await,
        ["C-1 1 88 1 1 1 1", "C-1 2 88 1 1 1 1", "C-2 1 88 1 1 0 1", "C-3 1 12 0 1 1 1", "C-4 1 12 0 1 - 1"]
    );
    let quality = live_quality(&world.mysql, 1, at(0)).await.unwrap();
    assert_eq!(
        (quality.left_as_said, quality.stayed_though_said, quality.left_unsaid, quality.stayed_as_said),
        (2, 1, 1, 0)
    );
    world.documents.clear().await.unwrap();
}
