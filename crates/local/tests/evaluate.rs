//! `millrace evaluate` as people and programs call it: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chrono::DateTime;
use millrace_simulation::SampleOperator;
use serde_json::Value;
use tempfile::TempDir;

const HEADER: &str = "State,Account length,Area code,International plan,Voice mail plan,Number vmail messages,Total day minutes,Total day calls,Total day charge,Total eve minutes,Total eve calls,Total eve charge,Total night minutes,Total night calls,Total night charge,Total intl minutes,Total intl calls,Total intl charge,Customer service calls,Churn";

/// Labelled customers of the sample operator, as the public churn files are written.
fn rows(from: u64, count: usize) -> Vec<String> {
    let world = SampleOperator::new(3).unwrap().world(3);
    let yes = |plan| if plan { "Yes" } else { "No" };
    (from..)
        .filter_map(|index| world.customer_snapshot(index, DateTime::UNIX_EPOCH))
        .filter_map(|c| {
            let churn = if c.churn? { "True" } else { "False" };
            let periods: Vec<String> = [c.day, c.eve, c.night, c.intl]
                .iter()
                .map(|period| format!("{},{},{}", period.minutes, period.calls, period.charge))
                .collect();
            let plans = format!("{},{}", yes(c.international_plan), yes(c.voice_mail_plan));
            let usage = periods.join(",");
            Some(format!(
                "{},{},{},{plans},{},{usage},{},{churn}",
                c.state, c.account_length, c.area_code, c.number_vmail_messages, c.customer_service_calls
            ))
        })
        .take(count)
        .collect()
}

struct Files {
    _folder: TempDir,
    train: PathBuf,
    test: PathBuf,
}

fn files(train: &[String], test: &[String]) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, rows: &[String]| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
        path
    };
    let (train, test) = (write("a.csv", train), write("b.csv", test));
    Files { _folder: folder, train, test }
}

fn evaluate(train: &Path, test: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.arg("evaluate").arg("--train").arg(train).arg("--test").arg(test).args(more).output().unwrap()
}

/// The answer without what is measured by a clock or in memory.
fn figures(output: &Output) -> Value {
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    for candidate in answer["candidates"].as_array_mut().unwrap() {
        let candidate = candidate.as_object_mut().unwrap();
        for measured in ["fit_seconds", "predict_rows_per_second", "peak_rss_mb", "cross_validation_seconds"] {
            assert!(candidate.remove(measured).unwrap().as_f64().unwrap() > 0.0, "{measured}");
        }
    }
    answer
}

#[test]
fn every_candidate_is_measured_and_the_same_files_give_the_same_figures() {
    let files = files(&rows(0, 900), &rows(10_000, 300));
    let answer = figures(&evaluate(&files.train, &files.test, &["--json"]));
    assert_eq!(answer["rows"], serde_json::json!({"train": 900, "test": 300}));
    let candidates = answer["candidates"].as_array().unwrap();
    let names: Vec<&str> = candidates.iter().map(|candidate| candidate["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["logistic_regression", "naive_bayes", "decision_tree", "random_forest", "boosted_trees"]);
    assert!(names.contains(&answer["champion"].as_str().unwrap()));
    for candidate in candidates {
        assert!(!candidate["library"].as_str().unwrap().is_empty());
        // Better than knowing nothing; few of these customers leave, so that little reaches a probability of 0.5.
        for (figure, least) in [("accuracy", 0.8), ("f1", 0.0), ("roc_auc", 0.7), ("pr_auc", 0.3)] {
            assert!((least..=1.0).contains(&candidate[figure].as_f64().unwrap()), "{figure} of {candidate}");
        }
        assert!(candidate["log_loss"].as_f64().unwrap() < 0.6, "{candidate}");
    }
    assert_eq!(answer, figures(&evaluate(&files.train, &files.test, &["--json"])));

    let table = String::from_utf8(evaluate(&files.train, &files.test, &[]).stdout).unwrap();
    let champion = format!("{}*", answer["champion"].as_str().unwrap());
    assert!(table.contains(&champion) && table.contains("measured on 300 test rows"), "{table}");
}

#[test]
fn a_bad_field_is_named_with_its_file_and_line() {
    let good = rows(0, 200);
    let spoilt = |change: &dyn Fn(&str) -> String| {
        let mut rows = good.clone();
        rows[2] = change(&rows[2]);
        rows
    };
    let unlabelled = spoilt(&|row| format!("{},", row.rsplit_once(',').unwrap().0));
    let no_length = spoilt(&|row| {
        let cells: Vec<&str> = row.split(',').collect();
        [&[cells[0], ""], &cells[2..]].concat().join(",")
    });
    let wrong_plan = spoilt(&|row| row.replacen(",No,", ",Perhaps,", 1).replacen(",Yes,", ",Perhaps,", 1));
    for (rows, field) in [(unlabelled, "churn"), (no_length, "account_length"), (wrong_plan, "_plan")] {
        for files in [files(&rows, &good), files(&good, &rows)] {
            let output = evaluate(&files.train, &files.test, &["--json"]);
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{message}");
            assert!(output.stdout.is_empty());
            assert!(message.contains(".csv: line 4: ") && message.contains(field), "{message}");
        }
    }
}

#[test]
fn a_missing_file_and_too_few_customers_are_bad_input() {
    let few = rows(0, 8);
    let files = files(&few, &few);
    let missing = evaluate(&files.train, Path::new("no-such-file.csv"), &[]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("--test: no-such-file.csv"));
    let few = evaluate(&files.train, &files.test, &[]);
    assert_eq!(few.status.code(), Some(2));
    assert!(String::from_utf8(few.stderr).unwrap().contains("a.csv: too few examples: 8 rows"));
}
