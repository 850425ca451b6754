//! What the supervisor and its control API share.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, Utc};
use tokio::{sync::watch, time::Instant};

use super::{
    alarms::Alarms,
    memory,
    report::{Addresses, Phase, Report, is_ready},
    service::{ServiceStatus, State},
};
use crate::{home::Home, stack::Stack};

/// The supervisor's state.
#[derive(Debug)]
pub struct Shared {
    /// The stack's home.
    pub home: Home,
    /// The stack's settings.
    pub stack: Stack,
    begun: Instant,
    started_at: DateTime<Utc>,
    script_started: Option<DateTime<Utc>>,
    progress: Mutex<(Phase, String)>,
    startup: OnceLock<(f64, Option<f64>)>,
    services: Mutex<Vec<watch::Receiver<ServiceStatus>>>,
    host: OnceLock<HostReport>,
    alarms: OnceLock<Arc<Alarms>>,
    stop: watch::Sender<bool>,
}

/// Asks the local host for its status.
struct HostReport(Box<dyn Fn() -> serde_json::Value + Send + Sync>);

impl std::fmt::Debug for HostReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostReport")
    }
}

impl Shared {
    /// The state of a supervisor that starts now; `script_started` is when `scripts/up` was, if that started it.
    #[must_use]
    pub fn new(home: Home, stack: Stack, script_started: Option<DateTime<Utc>>) -> Self {
        Self {
            home,
            stack,
            begun: Instant::now(),
            started_at: Utc::now(),
            script_started,
            progress: Mutex::new((Phase::Starting, "starting".to_owned())),
            startup: OnceLock::new(),
            services: Mutex::default(),
            host: OnceLock::new(),
            alarms: OnceLock::new(),
            stop: watch::channel(false).0,
        }
    }

    /// Notes a service, so that it is reported.
    pub fn add_service(&self, status: watch::Receiver<ServiceStatus>) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).push(status);
    }

    /// Notes how the local host is asked.
    pub fn set_host(&self, status: impl Fn() -> serde_json::Value + Send + Sync + 'static) {
        let _ = self.host.set(HostReport(Box::new(status)));
    }

    /// Notes the stack's alarms, so that they are reported.
    pub fn set_alarms(&self, alarms: Arc<Alarms>) {
        let _ = self.alarms.set(alarms);
    }

    /// The services and the simulator, as of now.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceStatus> {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.iter().map(|status| status.borrow().clone()).collect()
    }

    /// Says what is being done now.
    pub fn set_step(&self, step: &str) {
        tracing::info!("{step}");
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).1 = step.to_owned();
    }

    /// Notes that all was started, and how long it took.
    pub fn set_running(&self) {
        let script = self.script_started.map(|since| tenths((Utc::now() - since).as_seconds_f64()));
        let _ = self.startup.set((tenths(self.begun.elapsed().as_secs_f64()), script));
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = (Phase::Running, "running".to_owned());
    }

    /// Notes that the stack is being ended.
    pub fn set_stopping(&self) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = (Phase::Stopping, "stopping".to_owned());
    }

    /// Asks for the end of the stack.
    pub fn request_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the end is asked for.
    pub async fn stop_request(self: &Arc<Self>) {
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// The supervisor's report, as of now.
    #[must_use]
    pub fn report(&self) -> Report {
        let services = self.services();
        let (phase, step) = self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let processes: Vec<(String, i32)> = services
            .iter()
            .filter(|service| service.state != State::Stopped)
            .filter_map(|service| Some((service.name.clone(), service.pid?)))
            .collect();
        let startup = self.startup.get().copied();
        Report {
            ready: is_ready(phase, &services),
            phase,
            step,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: self.stack.engine,
            pid: std::process::id(),
            started_at: self.started_at,
            startup_seconds: startup.map(|(stack, _)| stack),
            script_seconds: startup.and_then(|(_, script)| script),
            uptime_seconds: tenths(self.begun.elapsed().as_secs_f64()),
            memory_mb: memory::by_name(&self.stack.id, &processes),
            services,
            host: self.host.get().map(|report| (report.0)()).unwrap_or_default(),
            alarms: self.alarms.get().map(|alarms| alarms.report()).unwrap_or_default(),
            addresses: Addresses::of(&self.stack),
        }
    }
}

fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}
