//! The alarms of a running stack: the definitions of `terraform/alarms.json` over what the local host and the supervisor measure.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use chrono::Utc;
use millrace_alarms::{Board, Definition, Definitions, Measurement, Notice, Report, Sink, Thing};
use millrace_local_host::{Manifest, Trigger, mapping_uuid};
use tokio::{sync::mpsc, time};

use super::{
    process,
    service::{ServiceStatus, State},
    webhook::Webhook,
};
use crate::{
    home::{self, Home},
    stack::Engine,
};

const DEFINITIONS: &str = include_str!("../../../../terraform/alarms.json");
/// What an alarm's minute lasts, when it lasts a minute.
const MINUTE: Duration = Duration::from_secs(60);
/// How often services are looked at in a minute.
const LOOKS: u32 = 4;

/// What `up` was told of alarms.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many times as short as they are every alarm's periods are taken.
    pub speed: u32,
    /// Who is told of pages.
    pub webhook: Option<Webhook>,
}

/// The alarms of a stack.
#[derive(Debug)]
pub struct Alarms {
    board: Mutex<Board>,
    file: PathBuf,
}

/// The file in a home that says how the alarms stand, for the page: JSON, written each minute. Not named `.json`, as every such
/// file in the folder is a process's.
#[must_use]
pub fn file(home: &Home) -> PathBuf {
    home.join("run/alarms")
}

impl Alarms {
    /// The alarms of these functions, as far as something invokes them, and of the services, as far as they are supervised.
    ///
    /// # Errors
    /// When the definitions do not fit what there is.
    pub fn new(home: &Home, engine: Engine, functions: &[Manifest]) -> anyhow::Result<Self> {
        let mut definitions = Definitions::parse(DEFINITIONS).context("terraform/alarms.json")?;
        definitions.alarms.retain(is_measured);
        let mut things: Vec<Thing> =
            functions.iter().filter(|function| !function.triggers.is_empty()).flat_map(of_function).collect();
        // Containers are Docker's to watch.
        if engine == Engine::Native {
            things.extend(of_services());
        }
        let board = Board::new(&definitions, &things).context("terraform/alarms.json")?;
        let file = file(home);
        // That of a supervisor that was killed says nothing of this one.
        let _ = fs::remove_file(&file);
        Ok(Self { board: Mutex::new(board), file })
    }

    /// Where measurements go.
    #[must_use]
    pub fn sink(self: &Arc<Self>) -> Sink {
        let alarms = self.clone();
        Arc::new(move |measurement: &Measurement<'_>| alarms.board().measure(measurement))
    }

    /// How the alarms stand.
    #[must_use]
    pub fn report(&self) -> Report {
        self.board().report()
    }

    /// Judges the alarms each minute, for ever, and tells of pages. `services` are those of now.
    pub async fn watch(&self, settings: Settings, services: impl Fn() -> Vec<ServiceStatus>) {
        let (notices, receiver) = mpsc::unbounded_channel();
        let telling = settings.webhook.map(|webhook| tokio::spawn(webhook.deliver(receiver)));
        let minute = MINUTE / settings.speed.max(1);
        let mut looks = time::interval(minute / LOOKS);
        // A laptop that slept has measured nothing meanwhile: those minutes are not made up.
        looks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        looks.tick().await;
        let mut processors = Processors::default();
        loop {
            for _ in 0..LOOKS {
                looks.tick().await;
                self.measure(&services(), &mut processors);
            }
            for notice in self.minute() {
                tracing::warn!("{}", notice.text);
                if telling.is_some() {
                    // It ends with this loop.
                    let _ = notices.send(notice);
                }
            }
        }
    }

    fn minute(&self) -> Vec<Notice> {
        let (told, report) = {
            let mut board = self.board();
            (board.step(Utc::now()), board.report())
        };
        let written =
            serde_json::to_vec(&report).context("no JSON").and_then(|text| home::write_private(&self.file, &text));
        if let Err(error) = written {
            tracing::warn!("the page can't be told how the alarms stand: {error:#}");
        }
        told
    }

    /// Measures the services that answer, in the place of RDS, DocumentDB and MSK.
    fn measure(&self, services: &[ServiceStatus], processors: &mut Processors) {
        for service in services.iter().filter(|service| service.state == State::Ready) {
            let Some(pid) = service.pid else { continue };
            let (namespace, metric, dimension) = match service.name.as_str() {
                "mysql" => ("AWS/RDS", "CPUUtilization", "DBInstanceIdentifier"),
                "documents" => ("AWS/DocDB", "CPUUtilization", "DBClusterIdentifier"),
                "kafka" => ("AWS/Kafka", "ActiveControllerCount", "Cluster Name"),
                _ => continue,
            };
            let value = if metric == "CPUUtilization" { processors.percent(pid) } else { 1.0 };
            let dimensions = [(dimension, service.name.as_str())];
            self.board().measure(&Measurement { namespace, metric, dimensions: &dimensions, value });
        }
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Alarms {
    fn drop(&mut self) {
        // What it says is true of a running stack only.
        let _ = fs::remove_file(&self.file);
    }
}

/// Whether a metric is measured here. What only AWS measures is left out.
fn is_measured(definition: &Definition) -> bool {
    match definition.namespace.as_str() {
        "Millrace" => true,
        "AWS/Lambda" => ["Errors", "Throttles", "Duration", "OnFailureDestinationDeliveredEventCount"]
            .contains(&definition.metric.as_str()),
        "AWS/RDS" | "AWS/DocDB" => definition.metric == "CPUUtilization",
        "AWS/Kafka" => definition.metric == "ActiveControllerCount",
        _ => false,
    }
}

/// A function and its event source mappings, by the names that Terraform's module gives them.
fn of_function(function: &Manifest) -> Vec<Thing> {
    let name = &function.name;
    let thing = |kinds: Vec<String>, key: String, names: BTreeMap<String, String>| Thing {
        kinds,
        key,
        names,
        timeout_ms: f64::from(function.timeout_seconds) * 1e3,
    };
    let mut kinds = vec!["each-function".to_owned(), format!("function:{name}")];
    if function.triggers.iter().all(is_seldom) {
        kinds.push("each-scheduled".to_owned());
    }
    let mut things = vec![thing(kinds, name.clone(), named(&[("function", name)]))];
    for trigger in &function.triggers {
        let Trigger::Kafka(kafka) = trigger else { continue };
        let mapping = mapping_uuid(name, kafka).to_string();
        let names = named(&[("function", name), ("topic", &kafka.topic), ("mapping", &mapping)]);
        things.push(thing(vec!["each-mapping".to_owned()], format!("{name}-{}", kafka.topic), names));
    }
    things
}

/// Whether runs are too few for alarms that want several failures within minutes.
fn is_seldom(trigger: &Trigger) -> bool {
    matches!(trigger, Trigger::Schedule(schedule) if !schedule.expression.is_each_minute())
}

fn of_services() -> [Thing; 3] {
    let thing = |kind: &str, names: &[(&str, &str)]| Thing {
        kinds: vec![kind.to_owned()],
        names: named(names),
        ..Thing::default()
    };
    [
        thing("database", &[("database", "mysql"), ("database_dimension", "DBInstanceIdentifier")]),
        thing("documents", &[("documents", "documents")]),
        thing("brokers", &[("cluster", "kafka")]),
    ]
}

fn named(names: &[(&str, &str)]) -> BTreeMap<String, String> {
    names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What processes have computed up to the last look.
#[derive(Debug, Default)]
struct Processors {
    seen: HashMap<i32, (Instant, Duration)>,
}

impl Processors {
    /// The share of all processors that a process took since the last look, in percent; 0 at the first one, and where the system
    /// does not tell.
    fn percent(&mut self, pid: i32) -> f64 {
        let now = Instant::now();
        let Some(time) = process::processor_time(pid) else { return 0.0 };
        let Some((before, earlier)) = self.seen.insert(pid, (now, time)) else { return 0.0 };
        let processors = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
        let took = time.saturating_sub(earlier).as_secs_f64();
        100.0 * took / (now - before).as_secs_f64().max(f64::EPSILON) / processors
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::project;

    fn functions() -> Vec<Manifest> {
        Manifest::load_all(&project::root().unwrap().join("functions")).unwrap()
    }

    fn names(engine: Engine, functions: &[Manifest]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let alarms = Alarms::new(&Home::at(folder.path()).unwrap(), engine, functions).unwrap();
        alarms.report().alarms.into_iter().map(|alarm| alarm.name).collect()
    }

    #[test]
    fn every_alarm_that_can_be_measured_is_watched() {
        let mut functions = functions();
        let all = names(Engine::Native, &functions);
        let definitions = Definitions::parse(DEFINITIONS).unwrap();
        for definition in definitions.alarms.iter().filter(|definition| is_measured(definition)) {
            assert!(all.iter().any(|name| name.starts_with(&definition.name)), "{}", definition.name);
        }
        for name in [
            "producer-stopped-watch-sensor-readings",
            "database-away",
            "documents-away",
            "brokers-away",
            "dashboard-errors",
        ] {
            assert!(all.contains(&name.to_owned()), "{name} is not in {all:?}");
        }
        let seldom: Vec<&str> = all.iter().filter_map(|name| name.strip_prefix("run-failed-")).collect();
        assert_eq!(
            seldom,
            ["archive", "bill", "forecast", "migrate", "train"],
            "what only schedules run, but not each minute"
        );
        assert!(!all.contains(&"records-unread-rate-usage-events".to_owned()), "only MSK measures it");
        // A function that nothing invokes is not missed; `bill` has no schedule on an empty stack.
        functions.iter_mut().filter(|function| function.name == "bill").for_each(|bill| bill.triggers.clear());
        let without = names(Engine::Compose, &functions);
        assert!(all.contains(&"billing-stopped".to_owned()) && !without.contains(&"billing-stopped".to_owned()));
        assert!(!without.contains(&"database-away".to_owned()), "containers are Docker's to watch");
    }

    #[test]
    fn a_service_that_answers_is_measured_and_one_that_does_not_is_missed() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path()).unwrap();
        home.create().unwrap();
        let alarms = Alarms::new(&home, Engine::Native, &[]).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let mut mysql = ServiceStatus { state: State::Ready, pid: Some(own), ..ServiceStatus::starting("mysql") };
        let mut processors = Processors::default();
        let mut minutes = |service: &ServiceStatus, count: usize| {
            for _ in 0..count {
                alarms.measure(std::slice::from_ref(service), &mut processors);
                alarms.minute();
            }
            let report: Report = serde_json::from_slice(&fs::read(file(&home)).unwrap()).unwrap();
            let found = report.alarms.into_iter().find(|alarm| alarm.name == "database-away").unwrap();
            found.state.as_str()
        };
        assert_eq!(minutes(&mysql, 5), "OK");
        mysql.state = State::Restarting;
        assert_eq!(minutes(&mysql, 5), "ALARM");
        mysql.state = State::Ready;
        assert_eq!(minutes(&mysql, 1), "OK");
        drop(alarms);
        assert!(!file(&home).exists());
    }
}
