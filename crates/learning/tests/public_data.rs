//! Training on the public churn data, when it is there.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::path::PathBuf;

use chrono::DateTime;
use millrace_churn_model::{Artefact, Model, Observation};
use millrace_domain::customers::CustomerSnapshot;
use millrace_learning::{Examples, Metrics, TrainSettings, train};
use millrace_wire::Topic;
use millrace_wire::csv_records::{CsvRecords, CustomerDefaults};

fn snapshots() -> Option<Vec<CustomerSnapshot>> {
    let Some(shared) = std::env::var_os("MILLRACE_SHARED") else {
        println!("skipped: MILLRACE_SHARED is not set");
        return None;
    };
    let file = File::open(PathBuf::from(shared).join("data/churn-bigml-80.csv")).unwrap();
    let defaults = CustomerDefaults { stem: "churn-bigml-80".to_owned(), observed_at: DateTime::UNIX_EPOCH };
    let records = CsvRecords::new(file, Topic::Customers, defaults).unwrap();
    Some(
        records
            .map(|record| millrace_wire::customers::decode(&record.unwrap().json, DateTime::UNIX_EPOCH).unwrap())
            .collect(),
    )
}

#[test]
fn customers_set_aside_are_told_apart_as_well_as_the_goal_asks() {
    let Some(snapshots) = snapshots() else { return };
    let examples = Examples::from_snapshots(&snapshots);
    let trained = train(&examples, &TrainSettings::default()).unwrap();
    for candidate in &trained.report.candidates {
        println!(
            "{:20} log loss {:.4} ({} {:.4}) {:?} state {}",
            candidate.name,
            candidate.metrics.log_loss,
            candidate.calibration,
            candidate.uncalibrated_log_loss,
            candidate.metrics,
            candidate.reads_state
        );
    }
    println!("{:?}\n{:?}", trained.report.threshold, trained.report.importances);
    let best = &trained.report.candidates[0];
    assert_eq!(trained.report.candidates.len(), 5, "{:?}", trained.report.failures);
    assert!(best.metrics.log_loss < 0.14 && best.metrics.roc_auc > 0.90, "{best:?}");

    let held_out = examples.held_out();
    assert!((400..700).contains(&held_out.len()), "{}", held_out.len());
    let model = Model::load(trained.artefact).unwrap();
    let metrics = Metrics::measure(&examples.probabilities(&model, &held_out), &examples.labels(&held_out));
    println!("{metrics:?}");
    // A fifth of the file is few: the standard errors are .009, .035, .023 and .029.
    assert!(metrics.accuracy > 0.94 && metrics.f1 > 0.78, "{metrics:?}");
    assert!(metrics.roc_auc > 0.88 && metrics.pr_auc > 0.82 && metrics.log_loss < 0.19, "{metrics:?}");
}

#[test]
fn the_same_rows_and_seed_give_the_same_bytes_which_score_as_the_model_does() {
    let Some(snapshots) = snapshots() else { return };
    let examples = Examples::from_snapshots(&snapshots[..1200]);
    let bytes = || train(&examples, &TrainSettings::default()).unwrap().artefact.to_bytes().unwrap();
    let first = bytes();
    assert_eq!(first, bytes());
    let model = Model::load(Artefact::from_bytes(&first).unwrap()).unwrap();
    let observations: Vec<Observation<'_>> = snapshots.iter().map(Observation::from).collect();
    let of_examples = Examples::from_snapshots(&snapshots).probabilities(&model, &(0..2666).collect::<Vec<_>>());
    for ((observation, score), probability) in observations.iter().zip(model.score_all(&observations)).zip(of_examples)
    {
        assert_eq!(score, model.score(observation));
        assert_eq!(score.probability, probability);
        let contributions = model.contributions(observation);
        assert!((contributions.iter().sum::<f64>() + model.base() - score.margin).abs() < 1e-9);
    }
}
