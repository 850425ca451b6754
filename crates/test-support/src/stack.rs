//! A whole stack of a test's own: its own home, its own ports, the real `millrace` command.
#![allow(clippy::panic, clippy::expect_used, reason = "a test's set-up has no one to report to but the test")]

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Ports that a stack takes from its base upward.
const PORTS: u16 = 10;

/// A running stack. Dropping it stops it and deletes its data.
pub struct Stack {
    home: tempfile::TempDir,
    root: PathBuf,
    base: u16,
}

impl Stack {
    /// Starts an empty stack (no sample operator, no simulator) of the project.
    pub fn start() -> Self {
        Self::start_at(project_root())
    }

    /// Starts an empty stack with the manifests of another root (a folder with `functions/<name>/function.json`).
    pub fn start_at(root: PathBuf) -> Self {
        let stack = Self::prepare(root);
        stack.up(["--empty"]);
        stack
    }

    /// Chooses a home and ports for a stack that [`up`](Self::up) starts.
    pub fn prepare(root: PathBuf) -> Self {
        Self { home: tempfile::tempdir().expect("a temporary folder"), root, base: free_port_base() }
    }

    /// Runs `millrace up --detach` with further options and returns when the stack is ready; what it printed.
    pub fn up<'a>(&self, options: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.millrace(["up", "--detach"].into_iter().chain(options));
        assert!(output.status.success(), "millrace up: {}\n{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The stack's home.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The dashboard's address.
    pub fn dashboard(&self) -> String {
        format!("http://127.0.0.1:{}", self.base)
    }

    /// The first of the stack's ports.
    pub fn port_base(&self) -> u16 {
        self.base
    }

    /// A `millrace` command on this stack, to be run as one likes.
    pub fn command<I, S>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new(project_root().join("target/release/millrace"));
        command
            .args(arguments)
            .env("MILLRACE_HOME", self.home.path())
            .env("MILLRACE_ROOT", &self.root)
            .env("MILLRACE_PORT_BASE", self.base.to_string());
        command
    }

    /// Runs a `millrace` command to its end.
    pub fn millrace<I, S>(&self, arguments: I) -> Output
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.command(arguments).output().expect("target/release/millrace runs: scripts/test builds it")
    }

    /// Runs a `millrace` command that must succeed; its standard output.
    pub fn succeed<I, S>(&self, arguments: I) -> String
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let output = self.millrace(arguments);
        assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// `millrace status --json`.
    pub fn status(&self) -> Value {
        let output = self.millrace(["status", "--json"]);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("status --json: {error}: {}", text(&output.stdout)))
    }

    /// One topic's part of the status.
    pub fn topic(&self, topic: &str) -> Value {
        let status = self.status();
        let topics = status["topics"].as_array().cloned().unwrap_or_default();
        topics.into_iter().find(|t| t["topic"] == topic).unwrap_or_else(|| panic!("{topic} is not in {status}"))
    }

    /// One count of a topic, for example `stored`.
    pub fn count(&self, topic: &str, what: &str) -> u64 {
        let topic = self.topic(topic);
        topic[what].as_u64().unwrap_or_else(|| panic!("{what} is not in {topic}"))
    }

    /// Waits until `check` holds, asking every 200 ms.
    pub fn wait_until(&self, what: &str, limit: Duration, mut check: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !check(self) {
            assert!(begun.elapsed() < limit, "{what} did not come within {limit:?}: {}", self.status());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The read-only address of the database, as people get it.
    pub fn mysql_url(&self) -> String {
        self.status()["addresses"]["mysql"].as_str().expect("addresses.mysql").to_owned()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = std::env::temp_dir().join(format!("millrace-failed-{}", self.base));
            let _ = Command::new("cp").arg("-r").arg(self.home.path().join("logs")).arg(&kept).status();
            eprintln!("the stack's logs are kept in {}", kept.display());
        }
        let _ = self.millrace(["down", "--wipe"]);
    }
}

/// The clone that this test was built from.
pub fn project_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/test-support lies two below the root")
        .to_owned()
}

/// A base from which all ports of a stack are free now.
fn free_port_base() -> u16 {
    // Below the range that the system gives to outgoing connections, and different for tests that run side by side.
    let start = 12_000 + (std::process::id() % 900) as u16 * 20;
    (0..900u16)
        .map(|step| 12_000 + (start - 12_000 + step * 20) % 18_000)
        .find(|&base| (base..base + PORTS).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()))
        .expect("ten free ports in a row")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
