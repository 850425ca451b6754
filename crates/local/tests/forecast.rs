//! `millrace forecast` as people and programs call it: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

fn start() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// Hours of a daily wave with a shake that looks random and is not, without some of its hours.
fn series(folder: &Path, hours: usize, missing: &[usize]) -> PathBuf {
    let row = |hour: usize| {
        let shake = (hour * 7919 % 101) as f64 / 101.0 - 0.5;
        let value = 50.0 + 20.0 * (std::f64::consts::TAU * hour as f64 / 24.0).sin() + 8.0 * shake;
        let time = start() + TimeDelta::hours(hour as i64);
        format!("{},{value}\n", time.to_rfc3339_opts(SecondsFormat::Secs, true))
    };
    let rows: String = (0..hours).filter(|hour| !missing.contains(hour)).map(row).collect();
    let file = folder.join("series.csv");
    std::fs::write(&file, format!("time,value\n{rows}")).unwrap();
    file
}

fn forecast(file: &Path, horizon: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.arg("forecast").arg("--input").arg(file).args(["--horizon", horizon]).args(more).output().unwrap()
}

#[test]
fn the_answer_has_method_candidates_and_bands_and_comes_out_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = series(folder.path(), 28 * 24, &[]);
    let output = forecast(&file, "24", &["--json"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let candidates = answer["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 5, "{answer}");
    assert!(candidates.is_sorted_by_key(|candidate| candidate["mae"].as_f64().unwrap()), "{answer}");
    assert_eq!(answer["method"], candidates[0]["method"], "the one that was off least");
    let points = answer["forecast"].as_array().unwrap();
    assert_eq!((points.len(), &points[0]["time"]), (24, &"2026-06-29T00:00:00Z".into()));
    for point in points {
        let [low, value, high] = ["low", "value", "high"].map(|name| point[name].as_f64().unwrap());
        assert!(low <= value && value <= high, "{point}");
    }
    assert_eq!(forecast(&file, "24", &["--json"]).stdout, output.stdout);
    let told = forecast(&file, "24", &[]);
    assert!(String::from_utf8(told.stdout).unwrap().contains("% of outcomes in the past"));
}

#[test]
fn hours_that_were_filled_in_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let output = forecast(&series(folder.path(), 21 * 24, &[100, 101]), "24", &["--json"]);
    assert!(output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("2 hours from 2026-06-05T04:00:00Z are missing and were filled in"), "{told}");
}

#[test]
fn what_cannot_be_forecast_is_wrong_input_and_says_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let (short, none) = (series(folder.path(), 100, &[]), folder.path().join("none.csv"));
    for (file, horizon, expected) in [
        (&short, "24", "the series has 100 hours, and a horizon of 24 hours needs at least 192"),
        (&short, "0", "--horizon: expected 1 to 672 hours, not 0"),
        (&short, "a day", "--horizon"),
        (&none, "24", "--input: "),
    ] {
        let output = forecast(file, horizon, &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}
