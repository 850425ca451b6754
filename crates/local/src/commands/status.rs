//! `millrace status`: what the supervisor tells, completed by the figures of the topics.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use millrace_alarms::State as AlarmState;
use millrace_store_mysql::status;
use millrace_wire::Topic;
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;

use super::{database, output};
use crate::{
    CommandError,
    accounting::{TopicCounts, TopicState},
    control::Control,
    given_up::GivenUp,
    home::Home,
    stack::Stack,
    supervisor::{
        report::{Addresses, Phase, Report},
        service::State,
    },
    topics,
};

/// How long the stores and the broker may take together.
const PATIENCE: Duration = Duration::from_secs(15);

/// The options of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints. The fields of the first block are a contract.
#[derive(Debug, Serialize)]
struct Answer {
    ready: bool,
    topics: Vec<TopicCounts>,
    functions: Value,
    addresses: Option<Addresses>,

    /// Why there are no figures of topics.
    #[serde(skip_serializing_if = "Option::is_none")]
    topics_problem: Option<String>,
    #[serde(flatten)]
    report: Option<Details>,
}

/// The supervisor's report without what stands in [`Answer`] already.
#[derive(Debug, Serialize)]
struct Details {
    phase: Phase,
    step: String,
    version: String,
    engine: crate::stack::Engine,
    pid: u32,
    started_at: chrono::DateTime<chrono::Utc>,
    startup_seconds: Option<f64>,
    script_seconds: Option<f64>,
    uptime_seconds: f64,
    services: Vec<crate::supervisor::service::ServiceStatus>,
    memory_mb: std::collections::BTreeMap<String, f64>,
    mappings: Value,
    schedules: Value,
    alarms: millrace_alarms::Report,
}

impl Status {
    /// Runs the command. A stack that does not run is told of with exit status 1.
    ///
    /// # Errors
    /// When there is no supervisor, or one that is not understood.
    pub async fn run(self) -> Result<(), CommandError> {
        let home = Home::find()?;
        let stack = home.stack_if_any()?;
        let report = match &stack {
            Some(stack) => Control::new(stack).report().await?,
            None => None,
        };
        let Some((stack, report)) = stack.as_ref().zip(report) else {
            if self.json {
                let addresses = stack.as_ref().map(Addresses::of);
                output::print_json(&Answer {
                    ready: false,
                    topics: Vec::new(),
                    functions: Value::Array(Vec::new()),
                    addresses,
                    topics_problem: None,
                    report: None,
                })?;
            } else {
                output::print(&format!("no stack runs in {}; scripts/up starts it\n", home.path().display()))?;
            }
            return Err(CommandError::Quiet);
        };
        let counts = match report.phase {
            Phase::Running => timeout(PATIENCE, count(stack, &report))
                .await
                .context("the stores did not answer within 15 s")
                .flatten(),
            Phase::Starting | Phase::Stopping => Err(anyhow::anyhow!(
                "the stack is {}",
                if report.phase == Phase::Starting { "starting" } else { "stopping" }
            )),
        };
        let answer = answer(report, counts);
        if self.json { output::print_json(&answer) } else { output::print(&text(&answer)) }
    }
}

/// The figures of the topics. The stores are read first, so that what arrives meanwhile is lag.
async fn count(stack: &Stack, report: &Report) -> anyhow::Result<Vec<TopicCounts>> {
    let pool = database::of_stack(stack)?;
    let positions = status::snapshot(&pool).await?;
    let given_up = GivenUp::of(stack)?.list().await?;
    let ends = topics::end_offsets(&stack.kafka_brokers()).await?;
    pool.close().await;
    let none = std::collections::BTreeMap::new();
    let count = |topic: Topic| {
        let state = TopicState {
            topic: topic.as_str(),
            positions: &positions,
            ends: ends.get(&topic).unwrap_or(&none),
            given_up: &given_up,
            topic_id: topic_id(&report.host, topic),
        };
        state.count()
    };
    Ok(Topic::ALL.into_iter().map(count).collect())
}

/// The id of the topic as the event source mapping knows it.
fn topic_id(host: &Value, topic: Topic) -> Option<&str> {
    let mappings = host["mappings"].as_array()?;
    mappings.iter().find(|mapping| mapping["topic"] == topic.as_str())?["topic_id"].as_str()
}

fn answer(report: Report, counts: anyhow::Result<Vec<TopicCounts>>) -> Answer {
    let (topics, topics_problem) = match counts {
        Ok(topics) => (topics, None),
        Err(error) => (Vec::new(), Some(format!("{error:#}"))),
    };
    let Report { ready, host, addresses, .. } = &report;
    let of_host = |name: &str| host.get(name).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    Answer {
        ready: *ready && topics_problem.is_none(),
        topics,
        functions: of_host("functions"),
        addresses: Some(addresses.clone()),
        topics_problem,
        report: Some(Details {
            mappings: of_host("mappings"),
            schedules: of_host("schedules"),
            alarms: report.alarms,
            phase: report.phase,
            step: report.step,
            version: report.version,
            engine: report.engine,
            pid: report.pid,
            started_at: report.started_at,
            startup_seconds: report.startup_seconds,
            script_seconds: report.script_seconds,
            uptime_seconds: report.uptime_seconds,
            services: report.services,
            memory_mb: report.memory_mb,
        }),
    }
}

/// The answer for people.
fn text(answer: &Answer) -> String {
    let mut text = String::new();
    if let Some(report) = &answer.report {
        let state = if answer.ready {
            "ready"
        } else if report.phase == Phase::Running {
            "not ready"
        } else {
            &report.step
        };
        text.push_str(&format!("Millrace {} is {state}", report.version));
        if let Some(seconds) = report.startup_seconds {
            text.push_str(&format!("; started in {seconds:.1} s"));
        }
        if let Some(seconds) = report.script_seconds {
            text.push_str(&format!(" ({seconds:.1} s with the script)"));
        }
        let memory = report.memory_mb.get("total").copied().unwrap_or_default();
        text.push_str(&format!("; up {}; {memory:.0} MiB of memory\n\n", duration(report.uptime_seconds)));
        text.push_str(&services(report));
    }
    if let Some(problem) = &answer.topics_problem {
        text.push_str(&format!("\nno figures of the topics: {problem}\n"));
    } else {
        text.push_str(&format!("\n{}", topics_table(&answer.topics)));
    }
    if let Some(functions) = answer.functions.as_array().filter(|functions| !functions.is_empty()) {
        text.push_str(&format!("\n{}", functions_table(functions)));
    }
    if let Some(report) = &answer.report {
        text.push_str(&format!("\n{}", alarms(&report.alarms)));
    }
    if let Some(addresses) = &answer.addresses {
        let rows = [
            ["dashboard", &addresses.dashboard],
            ["kafka", &addresses.kafka],
            ["mysql", &addresses.mysql],
            ["documents", &addresses.documents],
            ["objects", &addresses.objects],
        ];
        text.push_str(&format!("\n{}", output::table(&rows.map(|row| row.map(str::to_owned)))));
    }
    text
}

fn services(report: &Details) -> String {
    let heading = ["SERVICE", "STATE", "STARTED IN", "RESTARTS", "MiB"].map(str::to_owned);
    let mut rows = vec![heading];
    let mut failures = String::new();
    for service in &report.services {
        let memory = report.memory_mb.get(&service.name).map(|memory| format!("{memory:.0}")).unwrap_or_default();
        let state = format!("{:?}", service.state).to_lowercase();
        let start = service.start_seconds.map(|seconds| format!("{seconds:.1} s")).unwrap_or_default();
        rows.push([service.name.clone(), state, start, service.restarts.to_string(), memory]);
        if let Some(failure) = service.last_failure.as_ref().filter(|_| service.state != State::Ready) {
            // The end of the log, which follows, is for who asks.
            failures.push_str(&format!("{}\n", failure.lines().next().unwrap_or_default().trim_end_matches(':')));
        }
    }
    output::table(&rows) + &failures
}

fn topics_table(topics: &[TopicCounts]) -> String {
    let heading = ["TOPIC", "PRODUCED", "STORED", "DUPLICATES", "REJECTS", "GIVEN UP", "LAG"].map(str::to_owned);
    let rows = topics.iter().map(|topic| {
        let numbers = [topic.produced, topic.stored, topic.duplicates, topic.rejects, topic.given_up, topic.lag];
        let [produced, stored, duplicates, rejects, given_up, lag] = numbers.map(|number| number.to_string());
        [topic.topic.clone(), produced, stored, duplicates, rejects, given_up, lag]
    });
    let mut text = output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    for topic in topics.iter().filter(|topic| topic.unaccounted != 0) {
        text.push_str(&format!("{}: {} records are unaccounted for\n", topic.topic, topic.unaccounted));
    }
    text
}

fn functions_table(functions: &[Value]) -> String {
    let heading = ["FUNCTION", "INVOCATIONS", "FAILURES", "P50 ms", "P99 ms", "INSTANCES"].map(str::to_owned);
    let rows = functions.iter().map(|function| {
        let number = |value: &Value| if value.is_null() { "-".to_owned() } else { value.to_string() };
        let duration = &function["duration_ms"];
        [
            function["name"].as_str().unwrap_or_default().to_owned(),
            number(&function["invocations"]),
            number(&function["failures"]),
            number(&duration["p50"]),
            number(&duration["p99"]),
            number(&function["instances"]),
        ]
    });
    output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

/// The alarms that are on; how many there are, when none is.
fn alarms(report: &millrace_alarms::Report) -> String {
    let Some(at) = report.at else { return "alarms are looked at within a minute\n".to_owned() };
    let on: Vec<_> = report.alarms.iter().filter(|alarm| alarm.state == AlarmState::Alarm).collect();
    if on.is_empty() {
        return format!("{} alarms are watched, and none is on\n", report.alarms.len());
    }
    let heading = ["ALARM", "SEVERITY", "FOR", "REASON"].map(str::to_owned);
    let rows = on.into_iter().map(|alarm| {
        let lasts = alarm.since.map(|since| duration((at - since).as_seconds_f64().max(0.0))).unwrap_or_default();
        [alarm.name.clone(), alarm.severity.as_str().to_owned(), lasts, alarm.reason.clone()]
    });
    output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

/// A duration in its largest units.
fn duration(seconds: f64) -> String {
    let seconds = seconds as u64;
    match (seconds / 86_400, seconds % 86_400 / 3_600, seconds % 3_600 / 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn durations_are_told_in_their_largest_units() {
        for (seconds, expected) in [(5.9, "5 s"), (61.0, "1 min 1 s"), (3_720.0, "1 h 2 min"), (90_000.0, "1 d 1 h")] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn the_topic_s_id_is_the_mapping_s() {
        let host = serde_json::json!({"mappings": [{"topic": "customers", "topic_id": "a"}, {"topic": "usage-events", "topic_id": null}]});
        assert_eq!(topic_id(&host, Topic::Customers), Some("a"));
        assert_eq!(topic_id(&host, Topic::UsageEvents), None);
        assert_eq!(topic_id(&Value::Null, Topic::SensorReadings), None);
    }
}
