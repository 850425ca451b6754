use std::time::{Duration, Instant};

use chrono::TimeDelta;
use millrace_domain::aggregates::CustomerUsage;
use millrace_domain::customers::PeriodUsage;
use millrace_domain::cycles::Cycle;
use millrace_domain::identity::CustomerId;
use score::Score;

use crate::world::{World, at, by_day_minutes, documents_away, model, snapshot};

#[tokio::test]
async fn scores_are_stored_while_the_documents_are_away() {
    let world = World::new().await;
    world.promote(world.train(&by_day_minutes()).await).await;
    let away = documents_away().await;
    let score = Score::new(world.mysql.clone(), world.objects.clone(), away);
    let begun = Instant::now();
    for n in 0..5 {
        world.deliver_at(&score, n, &[snapshot("C-1", n, 300.0, None)]).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "only the first batch waits for them: {:?}", begun.elapsed());
    assert_eq!(world.count("churn_scores").await, "5");
    world.documents.clear().await.unwrap();
}

fn usage(customer: &str, ends_at_hour: i64, day_minutes: f64) -> CustomerUsage {
    let period = PeriodUsage { minutes: day_minutes, calls: 3, charge: 0.25 };
    CustomerUsage {
        customer_id: CustomerId::parse(customer).unwrap(),
        account_id: customer.to_owned(),
        cycle: Cycle::parse("2026-10").unwrap(),
        starts_at: at(ends_at_hour) - TimeDelta::days(30),
        ends_at: at(ends_at_hour),
        day: period,
        eve: period,
        night: period,
        intl: period,
        version: 1,
    }
}

#[tokio::test]
async fn the_platforms_own_usage_is_read_from_the_documents_and_missing_without_them() {
    let world = World::new().await;
    world.promote(world.train(&model("platform_day_minutes", 0.02)).await).await;
    world.documents.put_customer_usage(&[usage("C-1", 5, 300.0), usage("C-2", 9, 300.0)]).await.unwrap();
    let values = ["C-1", "C-2", "C-3"].map(|customer| snapshot(customer, 6, 100.0, None));
    world.deliver(&values).await;
    // The second customer's cycle ended after the observation, the third has none: the training's median stands for them.
    assert_eq!(world.scores().await, ["C-1 6 1 88 1", "C-2 6 1 50 1", "C-3 6 1 50 1"]);
    let score = world.documents.score(&CustomerId::parse("C-3").unwrap()).await.unwrap().unwrap();
    assert_eq!(serde_json::to_string(&score.reasons[0].value).unwrap(), "null");

    let away = documents_away().await;
    let score = Score::new(world.mysql.clone(), world.objects.clone(), away);
    world.deliver_at(&score, 3, &[snapshot("C-1", 7, 100.0, None)]).await;
    assert_eq!(world.scores().await[1], "C-1 7 1 50 1");
    world.documents.clear().await.unwrap();
}
