//! The host: every function, what invokes it, and what is told of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use millrace_alarms::Sink;
use millrace_store_objects::ObjectStore;
use tokio::task::JoinHandle;

use crate::function::{Function, InvokeAnswer, InvokeError};
use crate::function_log::FunctionLog;
use crate::http_gateway::{HttpGateway, Route};
use crate::instance::InstanceSettings;
use crate::kafka_mapping::{KafkaMapping, MappingSettings, OnFailure, mapping_uuid};
use crate::manifest::{KafkaTrigger, Manifest, Trigger};
use crate::process_registry::ProcessRegistry;
use crate::schedule::ScheduleRunner;
use crate::status::HostStatus;

/// The account that ARNs on a laptop name.
const ACCOUNT: &str = "000000000000";
/// How often unused instances are looked for.
const REAP_EVERY: Duration = Duration::from_secs(15);

/// What a host is started with.
pub struct HostConfig {
    /// The functions, as their manifests describe them.
    pub functions: Vec<Manifest>,
    /// The folder that holds each function's binary, named as the function.
    pub binaries: PathBuf,
    /// Environment variables by group; a function gets the groups that its manifest needs.
    pub environment: BTreeMap<String, BTreeMap<String, String>>,
    /// Environment variables of every function.
    pub common_environment: BTreeMap<String, String>,
    /// The AWS region that functions see.
    pub region: String,
    /// Where each function's log is written, as `<function>.log`.
    pub logs: PathBuf,
    /// Where the ids of running functions are noted, in a folder of its own.
    pub run: PathBuf,
    /// Kafka's bootstrap servers, as `host:port[,host:port…]`; needed by Kafka triggers.
    pub brokers: Option<String>,
    /// The bucket of on-failure destinations; needed by Kafka triggers with `on_failure`.
    pub objects: Option<ObjectStore>,
    /// Where the HTTP API listens; needed by HTTP triggers.
    pub http_address: Option<SocketAddr>,
    /// How long an instance's start may take (Lambda: 10 s).
    pub init_limit: Duration,
    /// How long an instance may be unused before it is ended.
    pub unused_limit: Duration,
    /// How long a stop waits for what is in flight.
    pub patience: Duration,
    /// Takes what functions measure of themselves, and what Lambda measures of them (`AWS/Lambda`).
    pub metrics: Option<Sink>,
}

impl HostConfig {
    /// A configuration with Lambda's limits, without any function.
    #[must_use]
    pub fn new(binaries: PathBuf, logs: PathBuf, run: PathBuf) -> HostConfig {
        HostConfig {
            functions: Vec::new(),
            binaries,
            environment: BTreeMap::new(),
            common_environment: BTreeMap::new(),
            region: "eu-west-1".to_owned(),
            logs,
            run,
            brokers: None,
            objects: None,
            http_address: None,
            init_limit: Duration::from_secs(10),
            unused_limit: Duration::from_secs(300),
            patience: Duration::from_secs(10),
            metrics: None,
        }
    }
}

/// Why a host or its triggers did not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A manifest needs a group of environment variables that there is not.
    #[error("function {function} needs `{group}`, but there are only {known}")]
    UnknownGroup {
        /// The function.
        function: String,
        /// What it needs.
        group: String,
        /// What there is.
        known: String,
    },
    /// A function's binary is not there.
    #[error("function {function} has no binary at {path}")]
    NoBinary {
        /// The function.
        function: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A trigger needs what the configuration lacks.
    #[error("function {function} has a trigger that needs `{setting}`")]
    Unset {
        /// The function.
        function: String,
        /// The field of [`HostConfig`].
        setting: &'static str,
    },
    /// A function that no event source mapping invokes.
    #[error("no Kafka topic is mapped to the function {function} here")]
    NoMapping {
        /// The function.
        function: String,
    },
    /// Files cannot be written or an address not be listened on.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// A running host.
pub struct Host {
    config: HostConfig,
    functions: BTreeMap<String, Arc<Function>>,
    reaper: JoinHandle<()>,
    triggers: Mutex<Triggers>,
}

#[derive(Default)]
struct Triggers {
    mappings: Vec<Arc<KafkaMapping>>,
    schedules: Vec<ScheduleRunner>,
    gateway: Option<HttpGateway>,
}

impl Host {
    /// Prepares every function; no process runs and nothing is invoked yet. Ends what an earlier host left running.
    ///
    /// # Errors
    /// [`HostError`] when a function cannot be what its manifest says.
    pub fn start(mut config: HostConfig) -> Result<Arc<Host>, HostError> {
        let io = |what: String| move |source| HostError::Io { what, source };
        std::fs::create_dir_all(&config.logs).map_err(io(format!("cannot make {}", config.logs.display())))?;
        let folder = config.run.join("functions");
        let registry =
            ProcessRegistry::open(&folder).map_err(io(format!("cannot note processes in {}", folder.display())))?;
        crate::memory::sweep();
        let mut functions = BTreeMap::new();
        for manifest in std::mem::take(&mut config.functions) {
            check_triggers(&manifest, &config)?;
            let binary = config.binaries.join(&manifest.name);
            if !binary.is_file() {
                return Err(HostError::NoBinary { function: manifest.name, path: binary });
            }
            let path = config.logs.join(format!("{}.log", manifest.name));
            let log = FunctionLog::open(&path, config.metrics.clone())
                .map_err(io(format!("cannot write {}", path.display())))?;
            let settings = InstanceSettings {
                function: manifest.name.clone(),
                arn: format!("arn:aws:lambda:{}:{ACCOUNT}:function:{}", config.region, manifest.name).into(),
                binary,
                environment: environment(&manifest, &config)?,
                memory_mb: manifest.memory_mb,
                timeout: Duration::from_secs(manifest.timeout_seconds.into()),
                log: Arc::new(log),
                registry: registry.clone(),
                metrics: config.metrics.clone(),
            };
            let name = manifest.name.clone();
            functions.insert(name, Function::new(manifest, settings, config.init_limit));
        }
        let reaper = tokio::spawn(reap(functions.values().cloned().collect(), config.unused_limit));
        Ok(Arc::new(Host { config, functions, reaper, triggers: Mutex::default() }))
    }

    /// Whether there is a function of this name.
    #[must_use]
    pub fn has_function(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// Invokes a function with an event, as Lambda's synchronous Invoke does.
    ///
    /// # Errors
    /// [`InvokeError`] when there was no invocation. A function that failed is an answer, not an error.
    pub async fn invoke(&self, name: &str, event: impl Into<Bytes>) -> Result<InvokeAnswer, InvokeError> {
        let function = self.functions.get(name).ok_or_else(|| InvokeError::UnknownFunction(name.to_owned()))?;
        function.invoke(event.into()).await
    }

    /// Starts every trigger: event source mappings, schedules and the HTTP API. Does nothing a second time.
    ///
    /// # Errors
    /// [`HostError::Io`] when the HTTP API's address cannot be listened on.
    pub async fn start_triggers(&self) -> Result<(), HostError> {
        let mut routes = Vec::new();
        for function in self.functions.values() {
            for trigger in &function.manifest.triggers {
                if let Trigger::Http(http) = trigger {
                    routes.push(Route::new(&http.path, function.clone()));
                }
            }
        }
        let unstarted = {
            let triggers = self.triggers();
            triggers.gateway.is_none() && triggers.mappings.is_empty() && triggers.schedules.is_empty()
        };
        if !unstarted {
            return Ok(());
        }
        let gateway = match self.config.http_address {
            Some(address) if !routes.is_empty() => {
                let what = format!("cannot listen on {address}");
                let started = HttpGateway::start(address, routes).await;
                Some(started.map_err(|source| HostError::Io { what, source })?)
            }
            _ => None,
        };
        let mut triggers = self.triggers();
        triggers.gateway = gateway;
        for function in self.functions.values() {
            for trigger in &function.manifest.triggers {
                match trigger {
                    Trigger::Kafka(kafka) => triggers.mappings.extend(self.mapping(function, kafka)),
                    Trigger::Schedule(schedule) => {
                        triggers.schedules.push(ScheduleRunner::start(function.clone(), schedule.clone()));
                    }
                    Trigger::Http(_) => {}
                }
            }
        }
        Ok(())
    }

    fn mapping(&self, function: &Arc<Function>, trigger: &KafkaTrigger) -> Option<Arc<KafkaMapping>> {
        let brokers = self.config.brokers.clone()?;
        let uuid = mapping_uuid(&function.manifest.name, trigger);
        let source_arn =
            format!("arn:aws:kafka:{}:{ACCOUNT}:cluster/millrace/{}", self.config.region, uuid::Uuid::nil());
        let destination = trigger.on_failure.clone().zip(self.config.objects.clone());
        let on_failure = destination.map(|(prefix, store)| {
            Arc::new(OnFailure {
                store,
                prefix,
                mapping: uuid,
                function_arn: function.arn().to_owned(),
                source_arn: source_arn.clone(),
                bootstrap_servers: brokers.clone(),
            })
        });
        Some(Arc::new(KafkaMapping::start(MappingSettings {
            function: function.clone(),
            trigger: trigger.clone(),
            brokers,
            source_arn,
            uuid,
            on_failure,
        })))
    }

    /// Enables or disables a function's event source mappings, as `Enabled` of Lambda's UpdateEventSourceMapping does. A
    /// disabled one sends nothing once this returns, and goes on where it ended when it is enabled. A new host enables all.
    ///
    /// # Errors
    /// [`HostError::NoMapping`] when the function has none, or triggers have not been started.
    pub async fn set_enabled(&self, function: &str, enabled: bool) -> Result<(), HostError> {
        let mut mappings = self.triggers().mappings.clone();
        mappings.retain(|mapping| mapping.invokes(function));
        if mappings.is_empty() {
            return Err(HostError::NoMapping { function: function.to_owned() });
        }
        for mapping in mappings {
            if enabled { mapping.enable().await } else { mapping.disable(self.config.patience).await }
        }
        Ok(())
    }

    /// Where the HTTP API listens, once it does.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.triggers().gateway.as_ref().map(HttpGateway::address)
    }

    /// What the functions and their triggers did so far.
    #[must_use]
    pub fn status(&self) -> HostStatus {
        let triggers = self.triggers();
        HostStatus {
            functions: self.functions.values().map(|function| function.status()).collect(),
            mappings: triggers.mappings.iter().map(|mapping| mapping.status()).collect(),
            schedules: triggers.schedules.iter().map(ScheduleRunner::status).collect(),
        }
    }

    /// Stops in order: no trigger invokes any more, what is in flight ends (within the configured patience), positions are
    /// committed, instances end.
    pub async fn stop(&self) {
        let Triggers { mappings, schedules, gateway } = std::mem::take(&mut *self.triggers());
        schedules.iter().for_each(ScheduleRunner::stop);
        drop(gateway);
        futures::future::join_all(mappings.iter().map(|mapping| mapping.disable(self.config.patience))).await;
        futures::future::join_all(self.functions.values().map(|function| function.stop(self.config.patience))).await;
        self.reaper.abort();
    }

    fn triggers(&self) -> std::sync::MutexGuard<'_, Triggers> {
        self.triggers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.reaper.abort();
    }
}

async fn reap(functions: Vec<Arc<Function>>, unused: Duration) {
    loop {
        tokio::time::sleep(REAP_EVERY.min(unused)).await;
        for function in &functions {
            function.reap(unused).await;
        }
    }
}

fn check_triggers(manifest: &Manifest, config: &HostConfig) -> Result<(), HostError> {
    for trigger in &manifest.triggers {
        let setting = match trigger {
            Trigger::Kafka(_) if config.brokers.is_none() => "brokers",
            Trigger::Kafka(kafka) if kafka.on_failure.is_some() && config.objects.is_none() => "objects",
            Trigger::Http(_) if config.http_address.is_none() => "http_address",
            _ => continue,
        };
        return Err(HostError::Unset { function: manifest.name.clone(), setting });
    }
    Ok(())
}

/// The environment of a function's instances: Lambda's own variables, the groups it needs, and its own.
fn environment(manifest: &Manifest, config: &HostConfig) -> Result<Vec<(String, String)>, HostError> {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
    set("PATH", std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned()));
    set("LANG", "en_US.UTF-8".to_owned());
    set("TZ", ":UTC".to_owned());
    set("_HANDLER", manifest.name.clone());
    set("AWS_REGION", config.region.clone());
    set("AWS_DEFAULT_REGION", config.region.clone());
    set("AWS_LAMBDA_FUNCTION_NAME", manifest.name.clone());
    set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned());
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", manifest.memory_mb.to_string());
    set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned());
    set("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", manifest.name));
    for (name, value) in &config.common_environment {
        set(name, value.clone());
    }
    for group in &manifest.needs {
        let Some(group_variables) = config.environment.get(group) else {
            let known: Vec<&str> = config.environment.keys().map(String::as_str).collect();
            return Err(HostError::UnknownGroup {
                function: manifest.name.clone(),
                group: group.clone(),
                known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
            });
        };
        for (name, value) in group_variables {
            set(name, value.clone());
        }
    }
    for (name, value) in &manifest.environment {
        set(name, value.clone());
    }
    Ok(variables.into_iter().collect())
}
