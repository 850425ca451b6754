//! What a training reads, and what it does with too little or too much.

use millrace_domain::aggregates::CustomerUsage;
use millrace_domain::customers::PeriodUsage;
use millrace_domain::cycles::Cycle;
use serde_json::Value;
use train::Outcome;

use crate::world::{World, customers, noon};

#[tokio::test(flavor = "multi_thread")]
async fn too_few_examples_or_one_class_only_is_said_and_no_failure() {
    let world = World::new().await;
    let nothing = world.run().await;
    assert_eq!(nothing.outcome, Outcome::TooLittleData);
    assert!(nothing.why.contains("0 labelled"), "{}", nothing.why);
    world.put(&customers("a", 50, 1, noon(), true)).await;
    let few = world.run().await;
    assert_eq!((few.outcome, few.rows), (Outcome::TooLittleData, 50));

    let mut all_stay = customers("b", 500, 2, noon(), true);
    all_stay.iter_mut().for_each(|customer| customer.churn = Some(false));
    let world = World::new().await;
    world.put(&all_stay).await;
    let one_class = world.run().await;
    assert_eq!(one_class.outcome, Outcome::TooLittleData);
    assert!(one_class.why.contains("left"), "{}", one_class.why);
    assert!(world.models().await.is_empty() && world.champion().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_data_outgrew_it_the_newest_examples_are_taken_and_it_says_so() {
    let mut world = World::new().await;
    world.train.settings.max_rows = 700;
    let examples = customers("a", 1_000, 1, noon(), true);
    world.put(&examples).await;
    let answer = world.run().await;
    assert_eq!((answer.outcome, answer.rows, answer.left_out), (Outcome::Promoted, 700, 300), "{answer:?}");
    assert_eq!(answer.instead, Some("infra/spark/train_churn.py"));
    let card = world.train.documents.model_card(1).await.unwrap().unwrap().card;
    assert_eq!(card["data"]["left_out"], 300);
    let from: chrono::DateTime<chrono::Utc> = card["data"]["from"].as_str().unwrap().parse().unwrap();
    assert!(from >= examples[300].observed_at, "the newest are taken: {card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_tells_what_the_model_is_and_is_the_same_in_s3_and_in_documents() {
    let world = World::new().await;
    world.put(&customers("a", 900, 1, noon(), true)).await;
    let answer = world.run().await;
    let document = world.train.documents.model_card(1).await.unwrap().unwrap().card;
    let object = world.train.objects.card(1, std::time::Duration::from_secs(5)).await.unwrap();
    let object: Value = serde_json::from_slice(&object).unwrap();
    for part in ["version", "candidate", "promoted", "why", "data"] {
        assert_eq!(object[part], document[part], "{part}");
        assert!(!object[part].is_null(), "{part} is missing: {object}");
    }
    assert_eq!(object["data"]["rows"], answer.rows);
    assert_eq!(object["settings"]["contact_cost"], 10.0);
    for part in ["candidates", "metrics", "intervals", "importances", "parameters", "threshold", "calibration"] {
        assert!(!object[part].is_null(), "{part} is missing: {object}");
    }
    for part in ["from", "to", "trained_on", "held_out", "held_out_churned"] {
        assert!(!object["data"][part].is_null(), "data.{part} is missing: {object}");
    }
    for (name, interval) in object["intervals"].as_object().unwrap() {
        let (low, high) = (interval["low"].as_f64().unwrap(), interval["high"].as_f64().unwrap());
        assert!(low <= high && object["metrics"][name].is_number(), "{name}: {object}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_own_usage_before_the_observation_is_learnt_from() {
    let world = World::new().await;
    let mut customers = customers("a", 900, 1, noon(), true);
    let none = PeriodUsage { minutes: 0.0, calls: 0, charge: 0.0 };
    let mut usage = Vec::new();
    for (n, customer) in customers.iter_mut().enumerate() {
        // Only the platform knows who leaves: those that hardly call at night.
        let leaves = n % 3 == 0;
        customer.churn = Some(leaves);
        let night = PeriodUsage { minutes: if leaves { 5.0 } else { 90.0 }, calls: 10, charge: 1.0 };
        for (cycle, ends_at, night) in
            [("2026-10", "2026-11-01T00:00:00Z", night), ("2026-11", "2026-12-01T00:00:00Z", none)]
        {
            usage.push(CustomerUsage {
                customer_id: customer.customer_id.clone(),
                account_id: format!("A-{n}"),
                cycle: Cycle::parse(cycle).unwrap(),
                starts_at: "2026-10-01T00:00:00Z".parse().unwrap(),
                ends_at: ends_at.parse().unwrap(),
                day: none,
                eve: none,
                night,
                intl: none,
                version: 1,
            });
        }
    }
    world.put(&customers).await;
    world.train.documents.put_customer_usage(&usage).await.unwrap();
    let answer = world.run().await;
    assert_eq!(answer.outcome, Outcome::Promoted, "{answer:?}");
    let card = world.train.documents.model_card(1).await.unwrap().unwrap().card;
    assert!(card["importances"].to_string().contains("platform_night_minutes"), "{card}");
}
