//! The filter answers every line with a line: published and own cases, and everything that a line can be besides an event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use millrace_rating_filter::{Filter, MAX_LINE, run};
use millrace_wire::tariff;

#[derive(Deserialize)]
struct Case {
    id: String,
    tariff: Box<RawValue>,
    events: Vec<Value>,
    expected: Vec<Expected>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    Amount(Decimal),
    Error { error: String },
}

fn answers(tariff_json: &str, input: &[u8]) -> Vec<Value> {
    let tariff = tariff::parse(tariff_json.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let mut output = Vec::new();
    run(Filter::new(&tariff), input, &mut output).unwrap();
    assert!(output.is_empty() || output.ends_with(b"\n"));
    let text = String::from_utf8(output).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

fn check(file: &Path) -> usize {
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for case in &cases {
        let input: String = case.events.iter().map(|event| format!("{event}\n")).collect();
        let answers = answers(case.tariff.get(), input.as_bytes());
        assert_eq!(answers.len(), case.expected.len(), "{}", case.id);
        for ((event, answer), expected) in case.events.iter().zip(&answers).zip(&case.expected) {
            assert_eq!(answer["event_id"], event["event_id"], "{}", case.id);
            match expected {
                Expected::Amount(amount) => assert_eq!(decimal(&answer["amount"]), *amount, "{}: {answer}", case.id),
                Expected::Error { error } => assert_eq!(answer["error"], **error, "{}: {answer}", case.id),
            }
        }
    }
    cases.len()
}

#[test]
fn our_own_cases_come_to_their_amounts_line_by_line() {
    assert!(check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/cases/rating.json")) > 0);
}

#[test]
fn published_cases_come_to_their_amounts_line_by_line_where_they_are_at_hand() {
    let Some(folder) = std::env::var_os("MILLRACE_SHARED") else {
        println!("skipped: MILLRACE_SHARED names no folder with more cases");
        return;
    };
    assert!(check(&Path::new(&folder).join("cases/rating.json")) > 0);
}

const TARIFF: &str = r#"{"currency":"MAD","timezone":"UTC","timings":{"any":{},"evening":{"from":"19:00","to":"24:00"}},
    "rates":[{"service":"voice","prefix":"212","timing":"any","weight":10,"connect_fee":"0.1","zone":"na\"tional",
    "steps":[{"from":0,"price":"0.60","per":60,"increment":30}],"rounding":"up","decimals":4},
    {"service":"voice","prefix":"212","timing":"evening","weight":20,"connect_fee":"0",
    "steps":[{"from":0,"price":"0.01","per":1,"increment":1}],"max_cost":"5","after_max":"reject","rounding":"up","decimals":4}],
    "allowances":[{"service":"voice","amount":10}]}"#;

fn event(id: u32, started_at: &str, usage: u32) -> String {
    format!(
        r#"{{"event_id":"3F2C1E0A-1111-4222-8333-4444555566{id:02}","service":"voice","subscriber":"212600000001","destination":"+212700000002","started_at":"{started_at}","usage":{usage}}}"#
    )
}

#[test]
fn a_charge_is_written_as_the_format_says() {
    let tariff = tariff::parse(TARIFF.as_bytes()).unwrap();
    let mut output = Vec::new();
    run(Filter::new(&tariff), event(1, "2026-03-02T18:59:15.000+00:00", 60).as_bytes(), &mut output).unwrap();
    let expected = r#"{"event_id":"3f2c1e0a-1111-4222-8333-444455556601","amount":"0.70","currency":"MAD","connect_fee":"0.10","allowance_used":10,"zone":"na\"tional","spans":[{"timing":"any","units":45,"charged_units":60,"amount":"0.60"},{"timing":"evening","units":15,"charged_units":0,"amount":"0.00"}]}"#;
    assert_eq!(String::from_utf8(output).unwrap(), format!("{expected}\n"));
}

#[test]
fn allowances_are_spent_by_the_cycles_that_begin_on_the_day_asked_for() {
    let tariff = tariff::parse(TARIFF.as_bytes()).unwrap();
    let days = ["2026-03-02", "2026-03-14", "2026-03-15", "2026-04-14"];
    let lines: String = (1..).zip(days).map(|(id, day)| event(id, &format!("{day}T10:00:00Z"), 30) + "\n").collect();
    let used = |filter: Filter<'_>| -> Vec<u64> {
        let mut output = Vec::new();
        run(filter, lines.as_bytes(), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["allowance_used"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(used(Filter::new(&tariff)), [10, 0, 0, 10]);
    assert_eq!(used(Filter::with_cycle_day(&tariff, 15)), [10, 0, 10, 0]);
}

#[test]
fn errors_stand_in_their_lines_place() {
    let good = |id| event(id, "2026-03-02T10:00:00Z", 30);
    let lines = [
        good(1).into_bytes(),
        Vec::new(),
        b"  \r".to_vec(),
        b"{broken".to_vec(),
        b"[]".to_vec(),
        b"\xff\xfe".to_vec(),
        good(2).replace("\"usage\":30", "\"usage\":30,\"usage\":31").into_bytes(),
        good(3).replace("212600000001", "12345").into_bytes(),
        good(4).replace("\"usage\":30", "\"usage\":-1").into_bytes(),
        good(5).replace("+212700000002", "33").into_bytes(),
        event(6, "2026-03-02T20:00:00Z", 600).into_bytes(),
        vec![b' '; MAX_LINE + 1],
        [good(7).as_bytes(), b"\r"].concat(),
        good(8).replace("\"usage\":30", "\"\\u0075sage\":\"3.0e1\",\"note\":{\"a\":[1,\"\\n\"]}").into_bytes(),
        event(9, "1999-01-01T00:00:00Z", 0).into_bytes(),
    ];
    let answers = answers(TARIFF, &lines.join(&b'\n'));
    let told: Vec<_> = answers
        .iter()
        .map(|answer| {
            (answer["event_id"].as_str().map(|id| &id[34..]), answer["error"].as_str(), answer["amount"].as_str())
        })
        .collect();
    let invalid = (None, Some("invalid"), None);
    let expected = [
        (Some("01"), None, Some("0.40")),
        invalid,
        invalid,
        invalid,
        invalid,
        invalid,
        invalid,
        invalid,
        invalid,
        (Some("05"), Some("no_rate"), None),
        (Some("06"), Some("max_cost"), None),
        invalid,
        (Some("07"), None, Some("0.40")),
        (Some("08"), None, Some("0.40")),
        (Some("09"), None, Some("0.00")),
    ];
    assert_eq!(told, expected);
    for (line, field) in [(6, "usage"), (7, "subscriber"), (8, "usage"), (11, "value")] {
        assert!(answers[line]["detail"].as_str().unwrap().starts_with(&format!("{field}: ")), "{}", answers[line]);
    }
    assert!(
        answers.iter().all(|answer| answer.get("error").is_none() || !answer["detail"].as_str().unwrap().is_empty())
    );
}

#[test]
fn nothing_in_is_nothing_out_and_the_last_line_needs_no_end() {
    assert!(answers(TARIFF, b"").is_empty());
    let event = event(1, "2026-03-02T10:00:00Z", 30);
    assert_eq!(answers(TARIFF, event.as_bytes()), answers(TARIFF, format!("{event}\n").as_bytes()));
    assert_eq!(answers(TARIFF, b"\n\n").len(), 2);
}
