//! The champion and the present.

use std::time::Duration;

use chrono::TimeDelta;
use millrace_lambda_support::metrics::Metric;
use train::{Answer, Outcome};

use crate::world::{World, customers, noon};

#[tokio::test(flavor = "multi_thread")]
async fn a_population_that_moved_is_seen_and_one_that_did_not_is_not() {
    let world = World::new().await;
    world.put(&customers("a", 1_500, 1, noon(), true)).await;
    world.put(&customers("now", 800, 2, noon() + TimeDelta::days(1), false)).await;
    let same = world.run().await.monitoring.expect("a champion that is watched");
    assert_eq!(same.recent_rows, 800);
    assert!(same.score_drift.unwrap() < 0.1 && same.feature_drift.unwrap() < 0.1, "{same:?}");

    let mut moved = customers("now", 800, 3, noon() + TimeDelta::days(2), false);
    moved.iter_mut().for_each(|customer| customer.day.minutes += 150.0);
    world.put(&moved).await;
    let answer = world.run().await;
    let seen = answer.monitoring.clone().unwrap();
    assert!(seen.score_drift.unwrap() > 0.25 && seen.feature_drift.unwrap() > 0.25, "{seen:?}");
    assert!(seen.furthest_feature.as_deref().unwrap().contains("minutes"), "{seen:?}");

    let metrics = answer.metrics(Duration::from_secs(1));
    for metric in [Metric::FeatureDrift, Metric::ScoreDrift, Metric::ChampionAge, Metric::ChampionLogLoss] {
        assert!(metrics.iter().any(|(emitted, value)| *emitted == metric && value.is_finite()), "{metric:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_fails_is_told_and_the_training_is_done() {
    let world = World::new().await;
    world.put(&customers("a", 900, 1, noon(), true)).await;
    let failed = |answer: &Answer| {
        let metrics = answer.metrics(Duration::from_secs(1));
        metrics.iter().find(|(metric, _)| *metric == Metric::MonitoringFailed).map(|(_, value)| *value)
    };
    let compared = world.run().await;
    assert_eq!((failed(&compared), compared.monitoring_error.is_none()), (Some(0.0), true));
    std::fs::remove_file(world.artefact(1).with_file_name("card.json")).unwrap();
    let answer = world.run().await;
    assert_eq!((answer.outcome, answer.version), (Outcome::Unchanged, Some(1)));
    assert!(answer.monitoring.is_none() && answer.monitoring_error.is_some(), "{answer:?}");
    assert_eq!(failed(&answer), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_came_later_tell_how_the_scores_did() {
    let world = World::new().await;
    world.put(&customers("a", 900, 1, noon(), true)).await;
    world.run().await;
    // Four scores: two said to leave of whom one left, two not said to of whom one left; and one without a label.
    for (n, predicted, left) in [(1, 1, Some(1)), (2, 1, Some(0)), (3, 0, Some(1)), (4, 0, Some(0)), (5, 1, None)] {
        world
            .database
            .run(&format!(
                "INSERT INTO churn_scores (observed_at, customer_id, model_version, probability, churn_predicted, reasons, scored_at) \
                 VALUES (UTC_TIMESTAMP(3) - INTERVAL 1 DAY, 'C-{n}', 1, 0.5, {predicted}, '[]', UTC_TIMESTAMP(3))"
            ))
            .await;
        if let Some(left) = left {
            world
                .database
                .run(&format!(
                    "INSERT INTO customer_snapshots (observed_at, customer_id, state, account_length, area_code, international_plan, \
                        voice_mail_plan, number_vmail_messages, total_day_minutes, total_day_calls, total_day_charge, \
                        total_eve_minutes, total_eve_calls, total_eve_charge, total_night_minutes, total_night_calls, \
                        total_night_charge, total_intl_minutes, total_intl_calls, total_intl_charge, customer_service_calls, churn) \
                     VALUES (UTC_TIMESTAMP(3), 'C-{n}', 'KS', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {left})"
                ))
                .await;
        }
    }
    let monitoring = world.run().await.monitoring.unwrap();
    assert_eq!((monitoring.live_labels, monitoring.live_precision, monitoring.live_recall), (4, Some(0.5), Some(0.5)));
}
