//! Schedules against the clock.

use std::time::Duration;

use chrono::{Datelike, Timelike, Utc};
use serde_json::json;

use crate::support::{Setup, eventually};

/// A cron expression that is due at each of the next `minutes` whole minutes, and at no other time.
fn every_minute() -> String {
    "cron(* * * * ? *)".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_invokes_with_its_input_at_the_whole_minute_and_never_twice_at_once() {
    // The function takes 70 s: the second minute is left out, and the run goes on.
    let trigger = |name: &str, input: serde_json::Value| json!({"schedule": {"name": name, "expression": every_minute(), "timezone": "Europe/Paris", "input": input}});
    let long = json!({"do": "sleep", "ms": 70_000, "note": "long"});
    let past = Utc::now() - chrono::Duration::seconds(30);
    let at =
        format!("at({}-{:02}-{:02}T{:02}:{:02}:00)", past.year(), past.month(), past.day(), past.hour(), past.minute());
    let host = Setup::new()
        .function(
            "one",
            json!({
                "timeout_seconds": 120, "concurrency": 4,
                "triggers": [
                    trigger("long", long), trigger("short", json!({"note": "short"})),
                    {"schedule": {"name": "missed", "expression": at, "input": {"note": "missed"}}},
                ],
            }),
        )
        .journal()
        .start();
    host.host.start_triggers().await.unwrap();
    let status = host.host.status().schedules;
    assert_eq!(status[0].next_run.unwrap().second(), 0);
    assert_eq!(status[2].next_run, None, "a time that has passed is not made up");
    let count =
        |note: &str| host.journal().iter().filter(|line| line["note"] == note && line["moment"] == "begin").count();
    tokio::time::sleep(Duration::from_secs(60)).await;
    eventually("the short schedule's first run", async || count("short") >= 1).await;
    tokio::time::sleep(Duration::from_secs(45)).await;
    eventually("the short schedule's second run", async || count("short") == 2).await;
    eventually("the long schedule's run is left out", async || host.host.status().schedules[0].skipped == 1).await;
    assert_eq!(count("long"), 1);
    assert_eq!(count("missed"), 0);
    host.host.stop().await;
}
