//! `millrace rate` as people and programs call it: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const TARIFF: &str = r#"{"currency":"MAD","timezone":"UTC","timings":{"any":{}},"rates":[{"service":"voice","prefix":"",
    "timing":"any","weight":1,"connect_fee":"0","steps":[{"from":0,"price":"0.01","per":1,"increment":1}],"rounding":"up","decimals":2}]}"#;

const EVENT: &str = r#"{"event_id":"3f2c1e0a-1111-4222-8333-444455556666","service":"voice","subscriber":"212600000001","destination":"212","started_at":"2026-03-02T10:00:00Z","usage":45}"#;

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tariff.json");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn rate(tariff: &PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.arg("rate").arg("--tariff").arg(tariff).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn answer(tariff: &str, input: &[u8]) -> Output {
    let (_folder, path) = file(tariff);
    let mut child = rate(&path).spawn().unwrap();
    // A bad tariff file ends the command before it reads.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn every_line_is_answered_and_the_status_is_0() {
    let output = answer(TARIFF, format!("{EVENT}\nno event\n{EVENT}").as_bytes());
    assert!(output.status.success() && output.stderr.is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].contains(r#""amount":"0.45","currency":"MAD""#) && lines[0] == lines[2], "{text}");
    assert!(lines[1].starts_with(r#"{"event_id":null,"error":"invalid","detail":""#), "{text}");
}

#[test]
fn a_bad_tariff_file_is_refused_with_a_line_for_each_wrong_field() {
    let bad = TARIFF.replace("\"MAD\"", "\"mad\"").replace("\"per\":1", "\"per\":0").replace("\"up\"", "\"even\"");
    let output = answer(&bad, EVENT.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message.lines().count(), 3, "{message}");
    for path in ["currency: ", "rates[0].steps[0].per: ", "rates[0].rounding: "] {
        assert!(message.contains(path), "{message}");
    }

    let missing = rate(&PathBuf::from("no-such-file.json")).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("--tariff"));
}

#[test]
fn an_answer_comes_while_the_input_is_still_open() {
    let (_folder, path) = file(TARIFF);
    let mut child = rate(&path).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        writeln!(input, "{EVENT}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.contains("0.45"), "{line}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let (_folder, path) = file(TARIFF);
    let mut child = rate(&path).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    drop(child.stdout.take());
    let lines = format!("{EVENT}\n").repeat(1000);
    // Until it has noticed and stopped reading.
    while input.write_all(lines.as_bytes()).is_ok() {}
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
