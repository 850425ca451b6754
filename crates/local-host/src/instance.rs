//! One running process of a function: started, invoked, watched and ended as Lambda does with a sandbox.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::Utc;
use millrace_alarms::Sink;
use tokio::process::Command;
use tokio::sync::watch;

use crate::function_log::{FunctionLog, InstanceLog};
use crate::memory::Memory;
use crate::process_registry::{ProcessRegistry, Registration};
use crate::runtime_api::{Invocation, Outcome, RESPONSE_LIMIT, RuntimeApi, Startup};

/// How long a process that was asked to end may take before it is killed.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long the rest of an ended process's output is waited for (a grandchild may hold the pipe open).
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What every instance of one function is started with.
pub(crate) struct InstanceSettings {
    pub(crate) function: String,
    pub(crate) arn: Arc<str>,
    pub(crate) binary: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) memory_mb: u32,
    pub(crate) timeout: Duration,
    pub(crate) log: Arc<FunctionLog>,
    pub(crate) registry: Arc<ProcessRegistry>,
    pub(crate) metrics: Option<Sink>,
}

/// What an invocation came to.
pub(crate) struct Completed {
    pub(crate) payload: Bytes,
    pub(crate) failed: bool,
    pub(crate) log_tail: String,
    /// Whether the instance can take another invocation.
    pub(crate) alive: bool,
}

/// Why an instance did not come to its first invocation.
pub(crate) struct FailedStart {
    pub(crate) payload: Bytes,
    pub(crate) log_tail: String,
    pub(crate) timed_out: bool,
}

/// A process that waits for its next invocation.
pub(crate) struct Instance {
    settings: Arc<InstanceSettings>,
    api: RuntimeApi,
    pid: u32,
    exit: watch::Receiver<Option<ExitStatus>>,
    log: InstanceLog,
    memory: Memory,
    /// The start's duration, until the first REPORT has told it.
    init: Option<Duration>,
    /// When it last came to rest.
    pub(crate) idle_since: Instant,
}

impl Instance {
    /// Starts a process and waits until it asks for its first invocation.
    pub(crate) async fn start(
        settings: Arc<InstanceSettings>,
        request_id: &str,
        limit: Duration,
    ) -> Result<Instance, FailedStart> {
        let begun = Instant::now();
        let mut instance = match Instance::spawn(settings.clone()).await {
            Ok(instance) => instance,
            Err(error) => {
                let message = format!("cannot start {}: {error}", settings.binary.display());
                return Err(FailedStart {
                    payload: error_payload("Runtime.InvalidEntrypoint", &message),
                    log_tail: String::new(),
                    timed_out: false,
                });
            }
        };
        let mut startup = instance.api.startup();
        let mut exit = instance.exit.clone();
        let (kind, message, timed_out) = tokio::select! {
            biased;
            reported = started(&mut startup) => {
                let Some(report) = reported else {
                    instance.init = Some(begun.elapsed());
                    return Ok(instance);
                };
                // Having reported, it ends by itself.
                let _ = tokio::time::timeout(FAREWELL, exited(&mut exit)).await;
                let log_tail = instance.failed_init("error", "Runtime.InitError", begun).await;
                return Err(FailedStart { payload: report, log_tail, timed_out: false });
            }
            status = exited(&mut exit) => {
                let kind = if instance.memory.was_exceeded(status.as_ref()) { "Runtime.OutOfMemory" } else { "Runtime.ExitError" };
                (kind, exit_message(request_id, status), false)
            }
            () = instance.memory.exceeded() => {
                instance.kill();
                ("Runtime.OutOfMemory", exit_message(request_id, exited(&mut exit).await), false)
            }
            () = tokio::time::sleep(limit) => {
                instance.kill();
                exited(&mut exit).await;
                ("Sandbox.Timedout", timeout_message(request_id, limit), true)
            }
        };
        let log_tail = instance.failed_init(if timed_out { "timeout" } else { "error" }, kind, begun).await;
        Err(FailedStart { payload: error_payload(kind, &message), log_tail, timed_out })
    }

    async fn spawn(settings: Arc<InstanceSettings>) -> std::io::Result<Instance> {
        let api = RuntimeApi::listen().await?;
        let folder = settings.binary.parent().map(PathBuf::from).unwrap_or_default();
        let mut child = Command::new(&settings.binary)
            .env_clear()
            .envs(settings.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_LOG_STREAM_NAME", log_stream_name())
            .env("LAMBDA_TASK_ROOT", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C at the terminal reaches the host alone, and what the function starts ends with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or_else(|| std::io::Error::other("the process ended at once"))?;
        let memory = Memory::limit(pid, settings.memory_mb);
        let registration = settings.registry.add(&settings.function, pid);
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(std::io::Error::other("the process has no output"));
        };
        let log = InstanceLog::follow(settings.log.clone(), out, err);
        let (exit_sender, exit) = watch::channel(None);
        tokio::spawn(async move {
            let status = child.wait().await.unwrap_or_default();
            Registration::end(registration);
            exit_sender.send_replace(Some(status));
        });
        Ok(Instance { settings, api, pid, exit, log, memory, init: None, idle_since: Instant::now() })
    }

    async fn failed_init(&self, status: &str, kind: &str, begun: Instant) -> String {
        self.kill();
        self.last_words().await;
        self.log
            .end(format!(
                "INIT_REPORT Init Duration: {:.2} ms\tPhase: init\tStatus: {status}\tError Type: {kind}\n",
                begun.elapsed().as_secs_f64() * 1000.0
            ))
            .await
    }

    /// Whether the process still runs.
    pub(crate) fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Runs one invocation to its end. `None`: the process ended before it took the invocation, which another may take.
    pub(crate) async fn invoke(
        &mut self,
        payload: Bytes,
        request_id: &str,
        trace_id: &str,
        limit: Duration,
    ) -> Option<Completed> {
        let begun = Instant::now();
        let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        self.log.start(format!("START RequestId: {request_id} Version: $LATEST\n"));
        let mut outcome = self
            .api
            .invoke(Invocation {
                request_id: request_id.to_owned(),
                payload,
                deadline_ms: Utc::now().timestamp_millis().saturating_add(limit_ms),
                trace_id: trace_id.to_owned(),
                function_arn: self.settings.arn.clone(),
            })
            .await;
        let mut exit = self.exit.clone();
        let mut status_field = String::new();
        let (payload, failed) = tokio::select! {
            biased;
            // The sender stays in the API until it is used, so an error cannot come.
            Ok(outcome) = &mut outcome => match outcome {
                Outcome::Answered(payload) => (payload, false),
                Outcome::Failed(report) => (report, true),
                Outcome::TooLarge(size) => {
                    tracing::debug!(function = %self.settings.function, size, "the answer is too large");
                    let message = format!("Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).");
                    (error_payload("Function.ResponseSizeTooLarge", &message), true)
                }
            },
            status = exited(&mut exit) => {
                if !self.api.taken() {
                    return None;
                }
                let kind = if self.memory.was_exceeded(status.as_ref()) { "Runtime.OutOfMemory" } else { "Runtime.ExitError" };
                status_field = format!("\tStatus: error\tError Type: {kind}");
                (error_payload(kind, &exit_message(request_id, status)), true)
            }
            () = self.memory.exceeded() => {
                self.kill();
                let status = exited(&mut exit).await;
                status_field = "\tStatus: error\tError Type: Runtime.OutOfMemory".to_owned();
                (error_payload("Runtime.OutOfMemory", &exit_message(request_id, status)), true)
            }
            () = tokio::time::sleep(limit) => {
                self.kill();
                exited(&mut exit).await;
                status_field = "\tStatus: timeout".to_owned();
                (error_payload("Sandbox.Timedout", &timeout_message(request_id, limit)), true)
            }
        };
        let duration = begun.elapsed();
        let alive = self.is_alive();
        if !alive {
            self.last_words().await;
        }
        let report = self.report(request_id, duration, &status_field);
        let log_tail = self.log.end(report).await;
        self.idle_since = Instant::now();
        Some(Completed { payload, failed, log_tail, alive })
    }

    fn report(&mut self, request_id: &str, duration: Duration, status: &str) -> String {
        let ms = duration.as_secs_f64() * 1000.0;
        let init = self.init.take().map(|init| format!("\tInit Duration: {:.2} ms", init.as_secs_f64() * 1000.0));
        format!(
            "END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {ms:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {} MB\tMax Memory Used: {} MB{}{status}\n",
            ms.ceil(),
            self.settings.memory_mb,
            self.memory.peak_mb(),
            init.unwrap_or_default(),
        )
    }

    async fn last_words(&self) {
        // The limit is for a grandchild that keeps the pipe open.
        let _ = tokio::time::timeout(LAST_WORDS, self.log.drained()).await;
    }

    fn kill(&self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        if self.is_alive()
            && let Ok(pid) = i32::try_from(self.pid)
        {
            // The process may be gone in this moment: then there is nothing to end.
            let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), signal);
        }
    }

    /// Asks the process to end, and kills it if it does not.
    pub(crate) async fn end(self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let mut exit = self.exit.clone();
        if tokio::time::timeout(FAREWELL, exited(&mut exit)).await.is_err() {
            self.kill();
            exited(&mut exit).await;
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until the start has come to its end; `Some` is the error that the instance reported.
async fn started(startup: &mut watch::Receiver<Startup>) -> Option<Bytes> {
    match startup.wait_for(|startup| !matches!(startup, Startup::Running)).await.as_deref() {
        Ok(Startup::Failed(report)) => Some(report.clone()),
        _ => None,
    }
}

/// Waits for the end; `None` when its status could not be had.
async fn exited(exit: &mut watch::Receiver<Option<ExitStatus>>) -> Option<ExitStatus> {
    exit.wait_for(Option::is_some).await.ok().and_then(|status| *status)
}

fn exit_message(request_id: &str, status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;

    let how = match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("exit status {code}"),
        Some((None, Some(signal))) => match nix::sys::signal::Signal::try_from(signal) {
            Ok(nix::sys::signal::Signal::SIGKILL) => "signal: killed".to_owned(),
            Ok(signal) => format!("signal: {}", signal.as_str()),
            Err(_) => format!("signal: {signal}"),
        },
        _ => "unknown status".to_owned(),
    };
    format!("RequestId: {request_id} Error: Runtime exited with error: {how}")
}

fn timeout_message(request_id: &str, limit: Duration) -> String {
    format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", limit.as_secs_f64())
}

pub(crate) fn error_payload(kind: &str, message: &str) -> Bytes {
    Bytes::from(serde_json::json!({"errorType": kind, "errorMessage": message}).to_string())
}

fn log_stream_name() -> String {
    format!("{}[$LATEST]{}", Utc::now().format("%Y/%m/%d/"), uuid::Uuid::new_v4().simple())
}
