use std::process::Command;

use millrace_test_support::stack::project_root;

use crate::{Bench, Said};

pub(crate) fn wrong_ones_are_named_with_exit_status_2(bench: &Bench) {
    let events = bench.file("events.jsonl", "{}\n");
    let events = events.to_str().unwrap();
    let customers = bench.file("customers.csv", "State\nKS\n");
    let customers = customers.to_str().unwrap();
    let uneven = bench.file("uneven.csv", "subscriber,usage\n212600000001,1\n212600000001,1,2\n");
    let uneven = uneven.to_str().unwrap();
    let usage = |rest: &[&'static str]| [&["replay", "--topic", "usage-events"], rest].concat();
    let wrong: &[(Vec<&str>, &str)] = &[
        (vec!["destroy"], "destroy"),
        (vec!["status", "--jsn"], "--jsn"),
        (vec!["up", "--engine", "podman"], "--engine"),
        (vec!["up", "--alarm-speed", "0"], "--alarm-speed"),
        (vec!["up", "--alarm-webhook", "chat.example.com"], "--alarm-webhook"),
        (vec!["replay", events], "--topic"),
        (vec!["replay", "--topic", "users", events], "--topic"),
        (usage(&[]), "FILE"),
        (usage(&["/nowhere/events.jsonl"]), "/nowhere/events.jsonl"),
        (usage(&["--rate", "0", "x"]), "--rate"),
        (usage(&["--rate", "fast", "x"]), "--rate"),
        (usage(&["--observed-at", "2026-01-01T00:00:00Z", "x"]), "--observed-at"),
        (vec!["replay", "--topic", "customers", "--observed-at", "yesterday", customers], "--observed-at"),
        (vec!["replay", "--topic", "usage-events", uneven], "line: 3"),
        (vec!["simulate", "--seconds", "0"], "--seconds"),
        (vec!["simulate", "--rate=-1"], "--rate"),
        (vec!["simulate", "--seed", "x"], "--seed"),
        (vec!["simulate", "--faulty", "30"], "--faulty"),
        (vec!["simulate", "--only", "users"], "--only"),
        (vec!["import", "operators", events], "operators"),
        (vec!["import", "operator", "/nowhere/operator.json"], "/nowhere/operator.json"),
        (vec!["invoke"], "FUNCTION"),
        (vec!["invoke", "paint"], "paint"),
        (vec!["invoke", "rate", "--event", "/nowhere/event.json"], "--event"),
        (vec!["rejects", "list", "--limit", "many"], "--limit"),
        (vec!["rejects", "show", "first"], "first"),
        (vec!["rejects", "show", "999999"], "999999"),
        (vec!["rejects", "replay", "999999"], "999999"),
        (vec!["given-up", "show", "nothing"], "nothing"),
        (vec!["invoice", "MR1999-00000001"], "MR1999-00000001"),
        (vec!["invoice", "MR1999-00000001", "--format", "docx"], "--format"),
        (vec!["bill", "--cycle", "2026-13"], "--cycle"),
        (vec!["rerate", "--from", "2026-01-01", "--to", "soon"], "--to"),
        (vec!["given-up", "replay", "nothing"], "nothing"),
        (vec!["rejects", "replay", "--cluster-arn", "arn:aws:kafka:x"], "goes with --mysql-url"),
        (vec!["models", "list", "--bucket", "models"], "goes with --mysql-url"),
        (vec!["models", "show", "1", "--mysql-url", "mysql://u@h/d", "--secret-arn", "arn:aws:x"], "--bucket"),
        (vec!["credit", "MR1999-00000001", "--secret-arn", "arn:aws:x"], "--mysql-url"),
    ];
    for (arguments, word) in wrong {
        bench.run(arguments).names(2, &[word]);
    }
    assert_eq!(bench.stack.count("usage-events", "produced"), 0, "a wrong file is told of before anything is sent");

    let home = tempfile::tempdir().unwrap();
    let mut up = Command::new(project_root().join("target/release/millrace"));
    up.args(["up", "--detach"]).env("MILLRACE_HOME", home.path()).env("MILLRACE_PORT_BASE", "http");
    Said::of(&up.output().unwrap()).names(2, &["MILLRACE_PORT_BASE"]);
}
