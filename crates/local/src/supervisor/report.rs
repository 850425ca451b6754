//! What the supervisor tells of itself: the answer of `/status`, which `millrace status` completes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::service::{ServiceStatus, State};
use crate::stack::{Engine, Stack};

/// Where the whole stack is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Services are started, schema and topics made.
    Starting,
    /// All was started. A service may have died since; see [`Report::ready`].
    Running,
    /// It was told to end.
    Stopping,
}

/// The supervisor's report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Everything is started and every service answers.
    pub ready: bool,
    /// Where the stack is in its life.
    pub phase: Phase,
    /// What is being done while it starts.
    pub step: String,
    /// The version of the running `millrace`.
    pub version: String,
    /// What the services run in.
    pub engine: Engine,
    /// The supervisor's process.
    pub pid: u32,
    /// When the supervisor was started.
    pub started_at: DateTime<Utc>,
    /// How long it took from the supervisor's start to readiness, in seconds.
    pub startup_seconds: Option<f64>,
    /// The same from the first line of `scripts/up`, installing and building included, when it was that which started it.
    pub script_seconds: Option<f64>,
    /// For how long the supervisor runs, in seconds.
    pub uptime_seconds: f64,
    /// The services and the simulator.
    pub services: Vec<ServiceStatus>,
    /// Resident memory by service and function, in MiB, and their `total`.
    pub memory_mb: BTreeMap<String, f64>,
    /// The local host's functions, mappings and schedules.
    pub host: Value,
    /// How the alarms stand.
    #[serde(default)]
    pub alarms: millrace_alarms::Report,
    /// Where everything is.
    pub addresses: Addresses,
}

/// Where clients find the stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    /// The dashboard's URL.
    pub dashboard: String,
    /// The broker, `host:port`.
    pub kafka: String,
    /// The database for reading, with the BI user and its password.
    pub mysql: String,
    /// The document server.
    pub documents: String,
    /// The object server.
    pub objects: String,
    /// The control API and Lambda's Invoke API.
    pub control: String,
}

impl Addresses {
    /// The addresses of a stack.
    #[must_use]
    pub fn of(stack: &Stack) -> Self {
        Self {
            dashboard: stack.dashboard_url(),
            kafka: stack.kafka_brokers(),
            mysql: stack.mysql_bi_url(),
            documents: stack.documents_url(),
            objects: stack.objects_endpoint(),
            control: stack.control_url(),
        }
    }
}

/// Whether the stack as a whole is ready.
#[must_use]
pub fn is_ready(phase: Phase, services: &[ServiceStatus]) -> bool {
    phase == Phase::Running && services.iter().all(|service| service.state == State::Ready || !service.required)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_stack_is_ready_only_while_every_service_that_it_needs_is() {
        let mut services = vec![ServiceStatus::starting("kafka"), ServiceStatus::starting("mysql")];
        assert!(!is_ready(Phase::Running, &services));
        for service in &mut services {
            service.state = State::Ready;
        }
        assert!(is_ready(Phase::Running, &services) && !is_ready(Phase::Starting, &services));
        services[1].state = State::Restarting;
        assert!(!is_ready(Phase::Running, &services));
        services[1].required = false;
        assert!(is_ready(Phase::Running, &services));
    }
}
