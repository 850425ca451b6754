use millrace_domain::identity::CustomerId;

use crate::world::{World, by_day_minutes, snapshot};

async fn alerts(world: &World) -> Vec<String> {
    let alerts = "SELECT CONCAT_WS(' ', customer_id, HOUR(opened_at), COALESCE(HOUR(closed_at), '-'), ROUND(100 * probability)) \
                  FROM churn_alerts ORDER BY alert_id";
    world.database.texts(alerts).await
}

async fn world() -> World {
    let world = World::new().await;
    world.promote(world.train(&by_day_minutes()).await).await;
    world
}

#[tokio::test]
async fn an_alert_opens_where_the_threshold_is_crossed_and_closes_below_it() {
    let world = world().await;
    for (hour, minutes, expected) in [
        (1, 100.0, vec![]),
        (2, 300.0, vec!["C-1 2 - 88"]),
        (3, 400.0, vec!["C-1 2 - 88"]),
        (4, 100.0, vec!["C-1 2 4 88"]),
        (5, 50.0, vec!["C-1 2 4 88"]),
        (6, 400.0, vec!["C-1 2 4 88", "C-1 6 - 98"]),
    ] {
        world.deliver(&[snapshot("C-1", hour, minutes, None)]).await;
        assert_eq!(alerts(&world).await, expected, "at {hour}:00");
    }
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn an_observation_that_comes_late_is_scored_and_not_judged() {
    let world = world().await;
    world.deliver(&[snapshot("C-1", 5, 300.0, None), snapshot("C-2", 5, 100.0, None)]).await;
    world.deliver(&[snapshot("C-1", 4, 100.0, None), snapshot("C-2", 4, 300.0, None)]).await;
    assert_eq!(world.count("churn_scores").await, "4");
    assert_eq!(alerts(&world).await, ["C-1 5 - 88"]);
    // The document is of the latest observation too.
    let document = world.documents.score(&CustomerId::parse("C-2").unwrap()).await.unwrap().unwrap();
    assert!(!document.churn_predicted);
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn the_observations_of_a_batch_are_judged_in_the_order_of_their_times() {
    let world = world().await;
    let hours = [(4, 300.0), (2, 300.0), (3, 100.0), (1, 100.0)];
    world.deliver(&hours.map(|(hour, minutes)| snapshot("C-1", hour, minutes, None))).await;
    assert_eq!(alerts(&world).await, ["C-1 2 3 88", "C-1 4 - 88"]);
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn what_waited_for_a_champion_is_judged_unless_a_newer_observation_was() {
    let world = World::new().await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None), snapshot("C-2", 1, 300.0, None)]).await;
    world.promote(world.train(&by_day_minutes()).await).await;
    world.deliver(&[snapshot("C-1", 2, 100.0, None)]).await;
    assert_eq!(world.score_left().await.scored, 2);
    assert_eq!(alerts(&world).await, ["C-2 1 - 88"]);
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_label_closes_the_alert_whatever_the_customer_did_and_whichever_batch_it_comes_with() {
    let world = world().await;
    world.deliver(&["C-1", "C-2", "C-3"].map(|customer| snapshot(customer, 1, 300.0, None))).await;
    let labels = [snapshot("C-1", 2, 300.0, Some(true)), snapshot("C-2", 2, 300.0, Some(false))];
    for _ in 0..2 {
        world.deliver_at(&world.score, 3, &labels).await;
        assert_eq!(alerts(&world).await, ["C-1 1 2 88", "C-2 1 2 88", "C-3 1 - 88"]);
        assert_eq!(world.count("churn_states").await, "3");
    }
    // A later score may open another; scores and labels of a batch are judged in the order of their times.
    let later =
        [snapshot("C-2", 5, 400.0, None), snapshot("C-3", 6, 300.0, None), snapshot("C-3", 4, 300.0, Some(false))];
    world.deliver(&later).await;
    assert_eq!(alerts(&world).await, ["C-1 1 2 88", "C-2 1 2 88", "C-3 1 4 88", "C-2 5 - 98", "C-3 6 - 88"]);
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_label_of_an_earlier_time_than_the_last_score_leaves_its_alert_open() {
    let world = world().await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None), snapshot("C-1", 4, 300.0, None)]).await;
    world.deliver(&[snapshot("C-1", 3, 300.0, Some(false))]).await;
    assert_eq!(alerts(&world).await, ["C-1 1 - 88"]);
    world.deliver(&[snapshot("C-1", 5, 300.0, Some(true))]).await;
    assert_eq!(alerts(&world).await, ["C-1 1 5 88"]);
    world.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_score_that_comes_after_the_label_is_stored_and_opens_no_alert() {
    let world = World::new().await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None), snapshot("C-2", 1, 300.0, None)]).await;
    world.promote(world.train(&by_day_minutes()).await).await;
    world.deliver(&[snapshot("C-1", 2, 300.0, Some(true)), snapshot("C-3", 2, 300.0, Some(true))]).await;
    assert_eq!(world.score_left().await.scored, 2);
    world.deliver(&[snapshot("C-3", 1, 300.0, None), snapshot("C-3", 2, 300.0, None)]).await;
    assert_eq!(world.scores().await, ["C-1 1 1 88 1", "C-2 1 1 88 1", "C-3 1 1 88 1"]);
    assert_eq!(alerts(&world).await, ["C-2 1 - 88"]);
    world.documents.clear().await.unwrap();
}
