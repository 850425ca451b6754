//! Some of the project's functions under a host of the test's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_local_host::{Host, HostConfig, Manifest, Trigger};
use millrace_test_support::stack::project_root;
use serde_json::Value;
use tempfile::TempDir;

/// Functions that are invoked by name, or by a Kafka topic where there are brokers.
pub(crate) struct Functions {
    host: Arc<Host>,
    folder: TempDir,
}

impl Functions {
    /// Functions with these variables and no others.
    pub(crate) fn start(names: &[&str], environment: BTreeMap<String, String>) -> Self {
        Self::prepare(names, environment, None)
    }

    /// The same, fed from these brokers.
    pub(crate) async fn feed(names: &[&str], environment: BTreeMap<String, String>, brokers: String) -> Self {
        let functions = Self::prepare(names, environment, Some(brokers));
        functions.host.start_triggers().await.expect("the mappings start");
        functions
    }

    fn prepare(names: &[&str], environment: BTreeMap<String, String>, brokers: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let mut config = HostConfig::new(project_root().join("target/release"), path("logs"), path("run"));
        let manifests = Manifest::load_all(&project_root().join("functions")).expect("the manifests are read");
        config.functions = manifests.into_iter().filter(|manifest| names.contains(&manifest.name.as_str())).collect();
        assert_eq!(config.functions.len(), names.len(), "{names:?}");
        for function in &mut config.functions {
            function.triggers.retain_mut(|trigger| match trigger {
                Trigger::Kafka(kafka) => {
                    kafka.on_failure = None;
                    brokers.is_some()
                }
                Trigger::Schedule(_) | Trigger::Http(_) => false,
            });
            // What they need stands in the common variables.
            let groups = function.needs.iter().map(|need| (need.clone(), BTreeMap::new()));
            config.environment.extend(groups);
        }
        config.common_environment = environment;
        config.brokers = brokers;
        Self { host: Host::start(config).expect("the host starts"), folder }
    }

    /// Invokes a function that must succeed; its answer.
    pub(crate) async fn invoke(&self, name: &str, event: &str) -> Value {
        let answer = self.host.invoke(name, event.to_owned()).await.expect("the function is there");
        let text = String::from_utf8_lossy(&answer.payload).into_owned();
        assert!(answer.function_error.is_none(), "{name}: {text}\n{}", self.log(name));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"))
    }

    /// Invokes a function that must fail.
    pub(crate) async fn fail(&self, name: &str, event: &str) {
        let answer = self.host.invoke(name, event.to_owned()).await.expect("the function is there");
        assert!(answer.function_error.is_some(), "{name}: {}", String::from_utf8_lossy(&answer.payload));
    }

    /// What a function logged.
    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("logs/{name}.log"))).unwrap_or_default()
    }

    pub(crate) async fn stop(self) {
        self.host.stop().await;
    }
}
