//! A host over copies of the probe (`examples/probe`), in a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_local_host::{Host, HostConfig, InvokeAnswer, Manifest};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running host; its folder goes with it.
pub(crate) struct TestHost {
    pub(crate) host: Arc<Host>,
    pub(crate) folder: TempDir,
}

/// The probe's binary, which `cargo test` builds with the tests.
pub(crate) fn probe() -> PathBuf {
    example("probe")
}

pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is not built: cargo build --release -p millrace-local-host --examples", path.display());
    path
}

/// Describes and starts a host.
pub(crate) struct Setup {
    folder: TempDir,
    pub(crate) config: HostConfig,
}

impl Setup {
    pub(crate) fn new() -> Setup {
        if std::env::var_os("RUST_LOG").is_some() {
            let _ = tracing_subscriber::fmt()
                .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
                .with_test_writer()
                .try_init();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("bin")).unwrap();
        let config = HostConfig::new(path("bin"), path("logs"), path("run"));
        Setup { folder, config }
    }

    /// Adds a probe with what its manifest says beyond the least.
    pub(crate) fn function(mut self, name: &str, more: Value) -> Setup {
        let mut text = json!({"description": "a probe", "timeout_seconds": 10, "memory_mb": 256});
        text.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        std::os::unix::fs::symlink(probe(), self.folder.path().join("bin").join(name)).unwrap();
        let manifest = Manifest::parse(name, Path::new("function.json"), &text.to_string()).unwrap();
        self.config.functions.push(manifest);
        self
    }

    pub(crate) fn configure(mut self, change: impl FnOnce(&mut HostConfig)) -> Setup {
        change(&mut self.config);
        self
    }

    /// The file in which probes note what they were sent.
    pub(crate) fn journal(mut self) -> Setup {
        let path = self.folder.path().join("journal");
        let journal = BTreeMap::from([("PROBE_JOURNAL".to_owned(), path.display().to_string())]);
        self.config.common_environment.extend(journal);
        self
    }

    pub(crate) fn start(self) -> TestHost {
        TestHost { host: Host::start(self.config).unwrap(), folder: self.folder }
    }
}

impl TestHost {
    pub(crate) async fn invoke(&self, function: &str, event: Value) -> InvokeAnswer {
        self.host.invoke(function, event.to_string()).await.unwrap()
    }

    pub(crate) async fn answer(&self, function: &str, event: Value) -> Value {
        let answer = self.invoke(function, event).await;
        assert_eq!(answer.function_error, None, "{:?}", answer.payload);
        serde_json::from_slice(&answer.payload).unwrap()
    }

    pub(crate) fn log(&self, function: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("logs").join(format!("{function}.log"))).unwrap()
    }

    pub(crate) fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("journal")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The type and the message of a failed invocation.
pub(crate) fn error(answer: &InvokeAnswer) -> (String, String) {
    assert_eq!(answer.function_error.as_deref(), Some("Unhandled"), "{:?}", answer.payload);
    let report: Value = serde_json::from_slice(&answer.payload).unwrap();
    (report["errorType"].as_str().unwrap().to_owned(), report["errorMessage"].as_str().unwrap().to_owned())
}

/// Waits until something holds, and fails with `what` when it does not within 30 s.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not within 30 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn is_running(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    // A zombie has ended; only its parent has not looked yet.
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}
