//! Nothing is lost and nothing counts twice, whatever dies in between.
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used)]

use std::time::Duration;

use chrono::Utc;
use millrace_test_support::stack::Stack;
use millrace_tests::database::Views;
use millrace_tests::{manifests, one_stack_at_a_time, processes, usage};
use serde_json::Value;

const TOPIC: &str = "usage-events";
const SOON: Duration = Duration::from_secs(120);

#[test]
fn every_record_is_accounted_for_while_a_function_the_database_and_kafka_die() {
    let _one = one_stack_at_a_time();
    let stack = Stack::start();
    let expected = usage::mixed_events(1_000, 1, Utc::now());
    let file = stack.home().join("events.jsonl");
    std::fs::write(&file, &expected.lines).unwrap();

    let mut replay = stack
        .command(["replay", "--topic", TOPIC, "--rate", "8000", "--wait"])
        .arg(&file)
        .spawn()
        .expect("replay starts");
    let arrived = |stack: &Stack, at_least: u64| {
        let topic = stack.topic(TOPIC);
        topic["stored"].as_u64().unwrap() + topic["duplicates"].as_u64().unwrap() >= at_least
    };
    stack.wait_until("a tenth of the records", SOON, |s| arrived(s, 10_000));
    processes::kill(processes::instance(&stack, "rate"));
    stack.wait_until("a third of the records", SOON, |s| s.status()["ready"] == true && arrived(s, 33_000));
    processes::kill(processes::service(&stack, "mysql"));
    stack.wait_until("the database", SOON, |s| s.status()["ready"] == true && arrived(s, 50_000));
    processes::kill(processes::service(&stack, "kafka"));
    assert!(replay.wait().unwrap().success(), "replay --wait ends well");

    stack.wait_until("the rest", SOON, |s| s.status()["ready"] == true && s.count(TOPIC, "lag") == 0);
    let topic = stack.topic(TOPIC);
    let counted = |what: &str| topic[what].as_u64().unwrap();
    assert_eq!(counted("produced"), expected.records(), "{topic}");
    assert_eq!(counted("stored"), expected.stored, "{topic}");
    assert_eq!(counted("duplicates"), expected.duplicates, "{topic}");
    assert_eq!(counted("rejects"), expected.rejected(), "{topic}");
    assert_eq!(counted("given_up"), 0, "{topic}");
    check_rows(&stack, &expected);
}

#[test]
fn a_batch_that_is_given_up_on_waits_whole_in_s3_and_can_be_replayed() {
    let _one = one_stack_at_a_time();
    let root = tempfile::tempdir().unwrap();
    manifests::copy_to(root.path(), |name, manifest| {
        if name == "rate" {
            // Each attempt ends soon and the whole batch is given up on: no hour of ever smaller halves.
            manifest["timeout_seconds"] = 5.into();
            let kafka = &mut manifest["triggers"][0]["kafka"];
            kafka["maximum_retry_attempts"] = 1.into();
            kafka["bisect_on_error"] = false.into();
        }
    });
    let stack = Stack::start_at(root.path().to_owned());
    let expected = usage::mixed_events(50, 2, Utc::now());
    let file = stack.home().join("events.jsonl");
    std::fs::write(&file, &expected.lines).unwrap();

    // With the database stopped (not dead: the supervisor would bring it back), every attempt fails until none is left.
    let database = processes::service(&stack, "mysql");
    processes::signal(database, "STOP");
    let mut replay = stack.command(["replay", "--topic", TOPIC]).arg(&file).spawn().expect("replay starts");
    assert!(replay.wait().unwrap().success());
    let given_up = || stack.millrace(["given-up", "list", "--json"]);
    let begun = std::time::Instant::now();
    loop {
        let output = given_up();
        let listed: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let ends = |batch: &Value| Some(batch["last_offset"].as_u64()? + 1 - batch["first_offset"].as_u64()?);
        let records: u64 = listed["given_up"].as_array().into_iter().flatten().filter_map(ends).sum();
        if records == expected.records() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(400), "given up so far: {listed}");
        std::thread::sleep(Duration::from_millis(500));
    }
    processes::signal(database, "CONT");

    stack.wait_until("the database", SOON, |s| s.status()["ready"] == true);
    let topic = stack.topic(TOPIC);
    assert_eq!(
        topic["given_up"].as_u64().unwrap()
            + topic["stored"].as_u64().unwrap()
            + topic["duplicates"].as_u64().unwrap()
            + topic["rejects"].as_u64().unwrap()
            + topic["lag"].as_u64().unwrap(),
        topic["produced"].as_u64().unwrap(),
        "{topic}"
    );
    assert_eq!(topic["given_up"], expected.records(), "{topic}");

    stack.succeed(["given-up", "replay"]);
    stack.wait_until("the replayed records", SOON, |s| {
        s.count(TOPIC, "stored") == expected.stored && s.count(TOPIC, "lag") == 0
    });
    let topic = stack.topic(TOPIC);
    assert_eq!(topic["produced"], 2 * expected.records(), "a replay is produced anew: {topic}");
    assert_eq!(topic["given_up"], expected.records(), "{topic}");
    assert_eq!(topic["duplicates"], expected.duplicates, "{topic}");
    assert_eq!(topic["rejects"], expected.rejected(), "{topic}");
    check_rows(&stack, &expected);
}

/// The rows themselves, not only the counters.
fn check_rows(stack: &Stack, expected: &usage::Expected) {
    let views = Views::connect(&stack.mysql_url());
    let rows = views
        .integers("SELECT COUNT(*), COUNT(DISTINCT event_id), CAST(SUM(usage_amount) AS SIGNED) FROM bi_usage_events");
    assert_eq!(rows, [expected.stored as i64, expected.stored as i64, expected.usage_total as i64]);
    let rejects = views.lines("SELECT CONCAT(field, '=', COUNT(*)) FROM bi_rejects GROUP BY field ORDER BY field");
    let wanted: Vec<String> = expected.rejects.iter().map(|(field, count)| format!("{field}={count}")).collect();
    assert_eq!(rejects, wanted);
}
