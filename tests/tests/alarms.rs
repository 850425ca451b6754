//! A stack's alarms, twenty times as fast as they are: an overheated site, a producer that stops and a database that is dead each
//! page once and clear once, and nothing else pages.
#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use millrace_test_support::stack::{Stack, project_root};
use millrace_tests::{one_stack_at_a_time, processes};
use serde_json::{Value, json};

/// The longest that an alarm may take: fifteen of its minutes, five for what may explain it, and as long again on a busy machine.
const SOON: Duration = Duration::from_secs(120);

/// Takes what the stack posts.
struct Webhook {
    url: String,
    notices: Arc<Mutex<Vec<Value>>>,
}

impl Webhook {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let notices = Arc::new(Mutex::new(Vec::new()));
        let taken = notices.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Outside the lock: a connection may take its time, or break.
                if let Some(notice) = take(stream) {
                    taken.lock().unwrap().push(notice);
                }
            }
        });
        Self { url, notices }
    }

    fn texts(&self) -> Vec<String> {
        self.notices.lock().unwrap().iter().map(|notice| notice["text"].as_str().unwrap().to_owned()).collect()
    }

    fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while !self.texts().contains(&text.to_owned()) {
            assert!(begun.elapsed() < SOON, "no {text:?} within {SOON:?}: {:?}", self.texts());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Reads a request and answers it; `None` when the connection breaks before.
fn take(mut stream: TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").ok()?;
    serde_json::from_slice(&body).ok()
}

/// What goes on in a stack meanwhile. It ends when this is dropped.
struct Life {
    stop: Arc<AtomicBool>,
    hot: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    producers: BTreeMap<&'static str, Child>,
}

impl Life {
    fn begin(stack: &Arc<Stack>) -> Self {
        let mut life =
            Self { stop: Arc::default(), hot: Arc::default(), threads: Vec::new(), producers: BTreeMap::new() };
        life.produce(stack, "usage-events");
        life.produce(stack, "customers");
        // The schedules of minutes, more often than the alarms' minute.
        life.repeat(stack, |stack, _| {
            stack.millrace(["invoke", "cache"]);
        });
        for (function, task) in [("watch", "silent"), ("score", "score-left")] {
            let event = stack.home().join(format!("{task}.json"));
            std::fs::write(&event, json!({"task": task}).to_string()).unwrap();
            life.repeat(stack, move |stack, _| {
                stack.millrace(["invoke".as_ref(), function.as_ref(), "--event".as_ref(), event.as_os_str()]);
            });
        }
        let readings = stack.home().join("readings.jsonl");
        life.repeat(stack, move |stack, hot| {
            let measured_at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
            let reading = |sensor: &str, celsius: f64| {
                json!({"sensor_id": sensor, "measured_at": measured_at, "temperature_c": celsius}).to_string()
            };
            let lines = [reading("S-1", if hot { 95.0 } else { 21.0 }), reading("S-2", 22.0)];
            std::fs::write(&readings, lines.join("\n")).unwrap();
            let arguments = ["replay".as_ref(), "--topic".as_ref(), "sensor-readings".as_ref(), readings.as_os_str()];
            stack.millrace(arguments);
        });
        life
    }

    /// Does work again and again, whatever comes of it: the database may be away.
    fn repeat(&mut self, stack: &Arc<Stack>, mut work: impl FnMut(&Stack, bool) + Send + 'static) {
        let (stack, stop, hot) = (stack.clone(), self.stop.clone(), self.hot.clone());
        self.threads.push(std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                work(&stack, hot.load(Ordering::Relaxed));
                std::thread::sleep(Duration::from_millis(400));
            }
        }));
    }

    fn produce(&mut self, stack: &Stack, topic: &'static str) {
        let mut simulate = stack.command(["simulate", "--rate", "5", "--only", topic]);
        let child = simulate.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.producers.insert(topic, child);
    }

    fn stop_producer(&mut self, topic: &str) {
        let mut child = self.producers.remove(topic).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for child in self.producers.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The alarms that `status` has in alarm.
fn on(stack: &Stack) -> BTreeSet<String> {
    let status = stack.status();
    let alarms = status["alarms"]["alarms"].as_array().unwrap_or_else(|| panic!("no alarms in {status}"));
    assert!(alarms.len() > 40, "{status}");
    let on = alarms.iter().filter(|alarm| alarm["state"] == "ALARM");
    on.map(|alarm| alarm["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_hot_site_a_stopped_producer_and_a_dead_database_page_once_each_and_clear_once() {
    let _one = one_stack_at_a_time();
    let webhook = Webhook::listen();
    let stack = Stack::prepare(project_root());
    stack.up(["--empty", "--alarm-speed", "20", "--alarm-webhook", &webhook.url]);
    let stack = Arc::new(stack);
    let mut life = Life::begin(&stack);
    stack.wait_until("a stack at work", SOON, |stack| {
        ["usage-events", "sensor-readings", "customers"].iter().all(|topic| stack.count(topic, "stored") > 0)
    });

    life.hot.store(true, Ordering::Relaxed);
    life.stop_producer("usage-events");
    webhook.wait_for("ALARM sites-warning: site-hot");
    webhook.wait_for("ALARM ingest-warning: producer-stopped-rate-usage-events");
    assert_eq!(on(&stack), BTreeSet::from(["producer-stopped-rate-usage-events", "site-hot"].map(str::to_owned)));
    let text = stack.succeed(["status"]);
    assert!(text.contains("ALARM") && text.contains("SensorsHot (Maximum over 60 s)"), "{text}");
    let page: Value = serde_json::from_slice(&std::fs::read(stack.home().join("run/alarms")).unwrap()).unwrap();
    assert_eq!(page["pages"].as_array().unwrap().len(), 2, "what the page reads: {page}");
    life.hot.store(false, Ordering::Relaxed);
    life.produce(&stack, "usage-events");
    webhook.wait_for("OK sites-warning: site-hot");
    webhook.wait_for("OK ingest-warning: producer-stopped-rate-usage-events");

    // Without the file that makes its accounts the server can't be started again.
    let (accounts, aside) = (stack.home().join("mysql/accounts.sql"), stack.home().join("accounts.sql"));
    let mysql = processes::service(&stack, "mysql");
    std::fs::rename(&accounts, &aside).unwrap();
    processes::kill(mysql);
    webhook.wait_for("ALARM database-critical: database-away");
    std::fs::rename(&aside, &accounts).unwrap();
    webhook.wait_for("OK database-critical: database-away");
    stack.wait_until("all to be quiet", SOON, |stack| on(stack).is_empty());
    drop(life);

    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for notice in webhook.notices.lock().unwrap().iter() {
        let text = |key: &str| notice[key].as_str().unwrap_or_else(|| panic!("no {key} in {notice}")).to_owned();
        told.entry(text("alarm")).or_default().push(text("state"));
        let (severity, at) = (text("severity"), text("at"));
        assert!(text("alarm").ends_with(&severity) && at.ends_with('Z'), "{notice}");
        for alarm in notice["alarms"].as_array().unwrap() {
            let runbook = alarm["runbook"].as_str().unwrap();
            let (file, section) = runbook.split_once('#').unwrap();
            let sections = std::fs::read_to_string(project_root().join(file)).unwrap();
            assert!(sections.contains(&format!("\n## {section}\n")), "{alarm}");
            assert!(!alarm["reason"].as_str().unwrap().is_empty() && !alarm["meaning"].as_str().unwrap().is_empty());
        }
    }
    let once = || vec!["ALARM".to_owned(), "OK".to_owned()];
    let expected = ["database-critical", "ingest-warning", "sites-warning"].map(|page| (page.to_owned(), once()));
    assert_eq!(told, BTreeMap::from(expected), "each is told of once and cleared once, and nothing else is");
    what_functions_measure_is_on_the_list(&stack);
}

/// Each metric that a function logged is documented, with its unit and its dimensions.
fn what_functions_measure_is_on_the_list(stack: &Stack) {
    let listed = std::fs::read_to_string(project_root().join("docs/metrics.md")).unwrap();
    let mut seen = BTreeSet::new();
    for function in ["rate", "watch", "score", "cache"] {
        let log = std::fs::read_to_string(stack.home().join(format!("logs/{function}.log"))).unwrap();
        for line in log.lines().filter(|line| line.starts_with(r#"{"_aws""#)) {
            let line: Value = serde_json::from_str(line).unwrap();
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            let dimensions: Vec<&str> =
                directive["Dimensions"][0].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            for metric in directive["Metrics"].as_array().unwrap() {
                let (name, unit) = (metric["Name"].as_str().unwrap(), metric["Unit"].as_str().unwrap());
                let row = format!("| `{name}` | {unit} | {} |", dimensions.join(", "));
                assert!(listed.contains(&row), "{row} is not in docs/metrics.md");
                seen.insert(name.to_owned());
            }
        }
    }
    for metric in ["LagAge", "EventsUnrated", "SensorsHot", "ConservationDifference", "BillingDifference"] {
        assert!(seen.contains(metric), "nothing measured {metric}: {seen:?}");
    }
}
