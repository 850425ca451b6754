//! Training on the sample operator's customers, who leave for reasons that can be learnt.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeDelta};
use millrace_churn_model::{Artefact, ArtefactError, Model, Observation, PlatformUsage, ReasonValue, checksum};
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::CustomerId;
use millrace_learning::{Business, Candidate, Examples, LearningError, Metrics, TrainSettings, compare, train};
use millrace_simulation::SampleOperator;

/// Snapshots of customers of whom each has a label and stands once.
fn snapshots(from: u64, count: usize) -> Vec<CustomerSnapshot> {
    let world = SampleOperator::new(3).unwrap().world(3);
    (from..)
        .filter_map(|index| {
            let time = DateTime::UNIX_EPOCH + TimeDelta::hours(index as i64);
            let snapshot = world.customer_snapshot(index, time)?;
            let customer_id = CustomerId::parse(&format!("customer-{index}")).unwrap();
            snapshot.churn.is_some().then_some(CustomerSnapshot { customer_id, ..snapshot })
        })
        .take(count)
        .collect()
}

fn settings(candidates: &[Candidate]) -> TrainSettings {
    TrainSettings { candidates: candidates.to_vec(), ..TrainSettings::default() }
}

fn model(snapshots: &[CustomerSnapshot], candidate: Candidate) -> Model {
    Model::load(train(&Examples::from_snapshots(snapshots), &settings(&[candidate])).unwrap().artefact).unwrap()
}

#[test]
fn every_candidate_learns_and_the_best_is_chosen() {
    let examples = Examples::from_snapshots(&snapshots(0, 2_500));
    let trained = train(&examples, &TrainSettings::default()).unwrap();
    let report = &trained.report;
    assert_eq!((report.candidates.len(), report.failures.len()), (5, 0), "{:?}", report.failures);
    assert_eq!(report.chosen, report.candidates[0].name);
    assert!(report.candidates.is_sorted_by(|a, b| a.metrics.log_loss <= b.metrics.log_loss));
    for candidate in &report.candidates {
        println!("{} {:?}", candidate.name, candidate.metrics);
        assert!(candidate.metrics.roc_auc > 0.7 && candidate.metrics.log_loss < 0.45, "{candidate:?}");
        assert!(candidate.intervals.roc_auc.low < candidate.metrics.roc_auc, "{candidate:?}");
    }
    let shares: f64 = report.importances.iter().map(|(_, share)| share).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    let threshold = report.threshold;
    assert!(threshold.value_per_customer >= threshold.value_per_customer_at_half && threshold.probability < 0.5);
    assert_eq!(report.profiles.last().unwrap().feature, "score");

    let model = Model::load(trained.artefact).unwrap();
    let held_out = examples.held_out();
    let metrics = Metrics::measure(&examples.probabilities(&model, &held_out), &examples.labels(&held_out));
    assert!(metrics.roc_auc > 0.75 && metrics.log_loss < 0.45, "{metrics:?}");
}

#[test]
fn a_contact_that_costs_more_is_made_to_fewer() {
    let examples = Examples::from_snapshots(&snapshots(0, 1_000));
    let threshold = |contact_cost| {
        let business = Business { contact_cost, value_kept: 100.0 };
        let settings = TrainSettings { business, ..settings(&[Candidate::LogisticRegression]) };
        train(&examples, &settings).unwrap().artefact.threshold
    };
    assert!(threshold(5.0) < threshold(60.0));
    assert_eq!(threshold(1_000.0), 1.0);
}

#[test]
fn artefacts_come_back_whole_and_reasons_add_up_for_every_candidate() {
    let snapshots = snapshots(0, 1_000);
    for candidate in Candidate::ALL {
        let bytes = model(&snapshots, candidate).artefact().to_bytes().unwrap();
        assert_eq!(bytes, model(&snapshots, candidate).artefact().to_bytes().unwrap(), "{}", candidate.name());
        let model = Model::load(Artefact::from_bytes(&bytes).unwrap()).unwrap();
        assert_eq!(checksum(&bytes), checksum(&model.artefact().to_bytes().unwrap()));
        for snapshot in &snapshots[..100] {
            let observation = Observation::from(snapshot);
            let score = model.score(&observation);
            let sum: f64 = model.contributions(&observation).iter().sum();
            assert!((model.base() + sum - score.margin).abs() < 1e-9, "{}", candidate.name());
            let reasons = model.reasons(&observation, 3);
            assert_eq!(reasons.len(), 3);
            assert!(reasons.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
            assert!(reasons.iter().all(|reason| reason.value != ReasonValue::Number(None)));
        }
    }
}

#[test]
fn unseen_states_and_missing_usage_are_scored() {
    let snapshots = snapshots(0, 600);
    let mut examples = Examples::new();
    for (index, snapshot) in snapshots.iter().enumerate() {
        let minutes = if snapshot.churn == Some(true) { 400.0 } else { 50.0 } + index as f64 % 97.0;
        let period = PeriodUsage { minutes, calls: index as u32 % 20, charge: minutes / 10.0 };
        let platform =
            (index % 3 != 0).then_some(PlatformUsage { day: period, eve: period, night: period, intl: period });
        examples.push(&Observation { customer: snapshot, platform }, snapshot.churn == Some(true));
    }
    for candidate in Candidate::ALL {
        let artefact = train(&examples, &settings(&[candidate])).unwrap().artefact;
        assert!(artefact.uses_platform_usage());
        let model = Model::load(artefact).unwrap();
        let elsewhere = CustomerSnapshot { state: "nowhere".to_owned(), ..snapshots[0].clone() };
        let score = model.score(&Observation::from(&elsewhere));
        assert!((0.0..=1.0).contains(&score.probability), "{}: {score:?}", candidate.name());
    }
    assert!(!model(&snapshots, Candidate::NaiveBayes).artefact().uses_platform_usage());
}

#[test]
fn bytes_that_hold_no_whole_model_are_refused() {
    let bytes = model(&snapshots(0, 600), Candidate::BoostedTrees).artefact().to_bytes().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(matches!(Artefact::from_bytes(&bytes[..bytes.len() / 2]), Err(ArtefactError::Malformed(_))));
    let newer = text.replacen("\"schema_version\":1", "\"schema_version\":2", 1);
    assert!(matches!(Artefact::from_bytes(newer.as_bytes()), Err(ArtefactError::SchemaVersion(2))));
    let endless = text.replacen("\"left\":[1,", "\"left\":[0,", 1);
    assert!(matches!(Artefact::from_bytes(endless.as_bytes()), Err(ArtefactError::Inconsistent(_))));
    let unknown = text.replacen("\"total_day_minutes\"", "\"shoe_size\"", 1);
    assert!(matches!(Artefact::from_bytes(unknown.as_bytes()), Err(ArtefactError::Inconsistent(_))));
}

#[test]
fn a_better_challenger_is_promoted_and_an_equal_one_is_not() {
    let snapshots = snapshots(0, 4_000);
    let examples = Examples::from_snapshots(&snapshots);
    let held_out = examples.held_out();
    let [plain, better] = [Candidate::NaiveBayes, Candidate::LogisticRegression].map(|one| model(&snapshots, one));
    let verdict = compare(&plain, &better, &examples, &held_out, 1);
    assert!(verdict.promote && verdict.gain > 0.0, "{verdict:?}");
    assert_eq!(verdict, compare(&plain, &better, &examples, &held_out, 1));
    let back = compare(&better, &plain, &examples, &held_out, 1);
    assert!(!back.promote && back.gain < 0.0, "{back:?}");
    assert!(!compare(&better, &better, &examples, &held_out, 1).promote);
    let few = compare(&plain, &better, &examples, &held_out[..30], 1);
    assert!(!few.promote && few.reason.contains("too small"), "{few:?}");
}

#[test]
fn the_held_out_customers_are_always_the_same_ones_and_the_fresh_are_the_last() {
    let snapshots = snapshots(0, 3_000);
    let examples = Examples::from_snapshots(&snapshots);
    let (kept, held_out) = (examples.for_training(), examples.held_out());
    assert_eq!(kept.len() + held_out.len(), 3_000);
    assert!((450..750).contains(&held_out.len()));
    let later = Examples::from_snapshots(&snapshots[1_000..]);
    let moved: Vec<u32> = held_out.iter().filter(|&&row| row >= 1_000).map(|row| row - 1_000).collect();
    assert_eq!(later.held_out(), moved);
    let fresh = examples.fresh_held_out(TimeDelta::days(90), 20);
    assert!(fresh.len() < held_out.len() && fresh.iter().all(|row| held_out.contains(row)));
    assert_eq!(examples.fresh_held_out(TimeDelta::hours(3), 20), held_out);
}

#[test]
fn too_few_examples_are_said_to_be_too_few() {
    let error = train(&Examples::from_snapshots(&snapshots(0, 10)), &TrainSettings::default()).unwrap_err();
    assert!(matches!(error, LearningError::TooFewExamples { .. }), "{error}");
}
