//! A stack's life: started twice, killed, restarted, beside another, ended.
#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use millrace_test_support::stack::{Stack, project_root};
use millrace_tests::database::Views;
use millrace_tests::{one_stack_at_a_time, processes, usage};

const TOPIC: &str = "usage-events";
const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_stack_outlives_whatever_is_killed_and_leaves_nothing_behind() {
    let _one = one_stack_at_a_time();
    let stack = Stack::start();
    a_second_up_finds_it(&stack);
    it_is_empty(&stack);
    its_files_are_the_owner_s_alone(&stack);
    it_listens_on_loopback_only(&stack);

    let first = usage::mixed_events(1, 1, Utc::now());
    replay(&stack, &first);
    a_service_that_dies_is_named_and_restarted(&stack, "documents");
    let before = stack.status();

    // Everything at once: supervisor, services and functions.
    processes::kill_all(&processes::of_home(&stack));
    let output = stack.millrace(["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("no stack runs"), "{output:?}");
    stack.up(["--empty"]);
    let after = stack.status();
    assert_eq!(after["ready"], true, "{after}");
    assert_eq!(after["topics"], before["topics"], "all data are there");
    assert_eq!(after["addresses"], before["addresses"], "passwords and ports stay");
    let second = usage::mixed_events(1, 2, Utc::now());
    replay(&stack, &second);
    assert_eq!(stack.count(TOPIC, "stored"), first.stored + second.stored);
    let views = Views::connect(&stack.mysql_url());
    assert_eq!(views.integer("SELECT COUNT(*) FROM bi_usage_events"), (first.stored + second.stored) as i64);

    // The supervisor alone: what it leaves behind is found by `down`.
    processes::kill_all(&[processes::supervisor(&stack)]);
    let left = processes::of_home(&stack);
    assert!(left.len() >= 3, "the services live on: {:?}", processes::names(&left));
    stack.succeed(["down"]);
    assert_eq!(processes::names(&processes::of_home(&stack)), Vec::<String>::new());
    assert!(stack.home().join("kafka").is_dir() && stack.home().join("mysql").is_dir(), "data are kept");
    std::fs::write(stack.home().join("letter.txt"), "mine").unwrap();
    stack.succeed(["down", "--wipe"]);
    assert_eq!(names(stack.home()), ["letter.txt"], "nothing but what is not the stack's own");
}

#[test]
fn two_homes_run_side_by_side_with_ports_of_their_own() {
    let _one = one_stack_at_a_time();
    let sample = Stack::prepare(project_root());
    let printed = sample.up([]);
    assert!(printed.contains("Millrace is ready") && printed.contains("password "), "{printed}");
    let own = Stack::start();
    assert_ne!(sample.port_base(), own.port_base());

    // The sample's operator and its simulator are in one, and nothing is in the other.
    let accounts = |stack: &Stack| Views::connect(&stack.mysql_url()).integer("SELECT COUNT(*) FROM bi_accounts");
    assert!(accounts(&sample) >= 100, "{}", accounts(&sample));
    assert!(services(&sample).contains(&"simulate".to_owned()), "{:?}", services(&sample));
    sample.wait_until("records of the simulator", SOON, |stack| {
        stack.count(TOPIC, "stored") > 0 && stack.count("sensor-readings", "stored") > 0
    });
    it_is_empty(&own);
    assert!(schedules(&sample).contains(&"bill".to_owned()), "{:?}", schedules(&sample));

    let taken = Stack::prepare(project_root());
    let output = taken
        .command(["up", "--detach", "--empty"])
        .env("MILLRACE_PORT_BASE", sample.port_base().to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&sample.port_base().to_string()) && said.contains("MILLRACE_PORT_BASE"), "{said}");

    sample.succeed(["down"]);
    assert_eq!(processes::names(&processes::of_home(&sample)), Vec::<String>::new());
    assert_eq!(own.status()["ready"], true);
    assert!(!processes::of_home(&own).is_empty());
}

fn a_second_up_finds_it(stack: &Stack) {
    let before = processes::supervisor(stack);
    for options in [vec!["up"], vec!["up", "--detach"]] {
        let output = stack.millrace(options);
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("runs already") && said.contains(&stack.dashboard()), "{said}");
    }
    assert_eq!(processes::supervisor(stack), before);
}

fn it_is_empty(stack: &Stack) {
    let views = Views::connect(&stack.mysql_url());
    assert_eq!(views.integer("SELECT COUNT(*) FROM bi_accounts"), 0);
    assert!(!services(stack).contains(&"simulate".to_owned()), "{:?}", services(stack));
    // Who has data of one's own says when a cycle is closed; all else runs.
    let schedules = schedules(stack);
    assert!(!schedules.contains(&"bill".to_owned()) && schedules.contains(&"cache".to_owned()), "{schedules:?}");
    assert!(stack.status()["functions"].as_array().unwrap().iter().any(|function| function["name"] == "bill"));
    for topic in ["usage-events", "sensor-readings", "customers"] {
        assert_eq!(stack.count(topic, "produced"), 0, "{topic}");
    }
}

fn services(stack: &Stack) -> Vec<String> {
    let status = stack.status();
    let services = status["services"].as_array().unwrap().iter();
    services.map(|service| service["name"].as_str().unwrap().to_owned()).collect()
}

/// The functions that run by a schedule.
fn schedules(stack: &Stack) -> Vec<String> {
    let status = stack.status();
    let schedules = status["schedules"].as_array().unwrap().iter();
    schedules.map(|schedule| schedule["function"].as_str().unwrap().to_owned()).collect()
}

/// Folders keep everyone else out, and so does every file by itself.
fn its_files_are_the_owner_s_alone(stack: &Stack) {
    let home = stack.home();
    let mode = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o777);
    for folder in ["", "run", "logs", "kafka", "mysql", "documents", "objects"] {
        assert_eq!(mode(&home.join(folder)), 0o700, "{folder}");
    }
    assert_eq!(mode(&home.join("stack.json")), 0o600);
    let wide: Vec<PathBuf> = files(home).into_iter().filter(|file| mode(file) & 0o007 != 0).collect();
    assert_eq!(wide, Vec::<PathBuf>::new(), "files that others may use");
    let private = ["run", "logs", "kafka", "documents", "objects"].map(|folder| files(&home.join(folder))).concat();
    // The database gives its own group what its folder keeps from it.
    let wide: Vec<PathBuf> = private.into_iter().filter(|file| mode(file) & 0o077 != 0).collect();
    assert_eq!(wide, Vec::<PathBuf>::new(), "files that the group may use");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

fn it_listens_on_loopback_only(stack: &Stack) {
    let listening = processes::listening(&processes::of_home(stack));
    let ports = stack.port_base()..stack.port_base() + 7;
    for port in ports {
        assert!(listening.iter().any(|address| address.port() == port), "nobody listens on {port}: {listening:?}");
    }
    let open: Vec<&SocketAddr> = listening.iter().filter(|address| !address.ip().is_loopback()).collect();
    assert!(open.is_empty(), "{open:?}");
}

fn a_service_that_dies_is_named_and_restarted(stack: &Stack, name: &str) {
    let before = processes::service(stack, name);
    processes::kill(before);
    stack.wait_until("its restart", SOON, |stack| {
        let status = stack.status();
        let service = status["services"].as_array().unwrap().iter().find(|service| service["name"] == name).unwrap();
        status["ready"] == true && service["restarts"] == 1 && service["state"] == "ready"
    });
    assert_ne!(processes::service(stack, name), before);
    let log = std::fs::read_to_string(stack.home().join("logs/supervisor.log")).unwrap();
    assert!(log.contains(&format!("{name} died (signal 9)")), "{log}");
}

fn replay(stack: &Stack, events: &usage::Expected) {
    let file = stack.home().join("events.jsonl");
    std::fs::write(&file, &events.lines).unwrap();
    stack.succeed(["replay", "--topic", TOPIC, "--wait", file.to_str().unwrap()]);
    std::fs::remove_file(file).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
