//! One supervised process: started, asked until it answers, restarted when it dies, ended when told to.

use std::{
    future::Future,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::{
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    process::{MARK, PidFile, ProcessId, kill_group},
    process_log,
};
use crate::home::Home;

/// The first and the longest pause before a process is started again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// A process that ran for so long before it died starts again without a longer pause.
const STABLE: Duration = Duration::from_secs(60);

/// What the supervisor needs to know of a process.
pub trait Service: Send + Sync + 'static {
    /// Its name in messages, in its log's and its pid file's name.
    fn name(&self) -> &'static str;

    /// What is done once before its first start of this supervisor (formatting a folder, writing its configuration).
    fn prepare(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// The command that runs it in the foreground.
    ///
    /// # Errors
    /// When something that it needs is not there.
    fn command(&self) -> anyhow::Result<Command>;

    /// Talks to it once; an error says that it is not ready yet.
    fn ready(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Whether the stack needs it: if so, `up` fails when it can't be started. If not, it is tried again as one that died.
    fn must_start(&self) -> bool {
        true
    }

    /// How long it may take to be ready.
    fn start_patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// How long it may take to end in order.
    fn stop_patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// Where a service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Started for the first time and not ready yet.
    Starting,
    /// It answers.
    Ready,
    /// It died and is being started again.
    Restarting,
    /// It is told to end.
    Stopping,
    /// It has ended.
    Stopped,
    /// It could not be started at all.
    Failed,
}

/// What is known of a service now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// The service's name.
    pub name: String,
    /// Where it is in its life.
    pub state: State,
    /// Its process, if it has one.
    pub pid: Option<i32>,
    /// Whether the stack is only ready when this is.
    pub required: bool,
    /// How often it died and was started again.
    pub restarts: u32,
    /// How long its last start took, in seconds.
    pub start_seconds: Option<f64>,
    /// Since when it is ready.
    pub ready_since: Option<DateTime<Utc>>,
    /// How it died the last time, or why it could not be started.
    pub last_failure: Option<String>,
}

impl ServiceStatus {
    /// A service that is about to be started.
    #[must_use]
    pub fn starting(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Starting,
            pid: None,
            required: true,
            restarts: 0,
            start_seconds: None,
            ready_since: None,
            last_failure: None,
        }
    }
}

/// A service under supervision.
#[derive(Debug)]
pub struct Supervised {
    status: watch::Receiver<ServiceStatus>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Supervised {
    /// Starts supervising; the process itself starts in the background.
    pub fn start<S: Service>(service: S, home: &Home, stack_id: &str) -> Self {
        let first = ServiceStatus { required: service.must_start(), ..ServiceStatus::starting(service.name()) };
        let (status_sender, status) = watch::channel(first);
        let (stop, stop_receiver) = watch::channel(false);
        let keeper = Keeper {
            service: Arc::new(service),
            log: home.log(status.borrow().name.as_str()),
            run: home.join("run"),
            mark: stack_id.to_owned(),
            status: status_sender,
            stop: stop_receiver,
        };
        Self { status, stop, task: tokio::spawn(keeper.run()) }
    }

    /// What is known of it now.
    #[must_use]
    pub fn status(&self) -> ServiceStatus {
        self.status.borrow().clone()
    }

    /// What is known of it, as it changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<ServiceStatus> {
        self.status.clone()
    }

    /// Waits for its first readiness.
    ///
    /// # Errors
    /// When it could not be started, with the end of its log.
    pub fn ready(&self) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
        let mut status = self.status.clone();
        async move {
            let reached =
                status.wait_for(|status| matches!(status.state, State::Ready | State::Failed | State::Stopped)).await;
            let reached = reached.context("the supervision of a service ended")?;
            match reached.state {
                State::Ready => Ok(()),
                _ => Err(anyhow!(
                    "{}",
                    reached.last_failure.clone().unwrap_or_else(|| format!("{} was stopped", reached.name))
                )),
            }
        }
    }

    /// Ends the process in order and waits for it.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the supervision of a service failed");
        }
    }
}

/// How one life of the process ended.
enum End {
    /// It was told to.
    Stopped,
    /// It died after it was ready, for so long.
    Died(String, Duration),
    /// It never became ready.
    NeverReady(String),
}

struct Keeper<S> {
    service: Arc<S>,
    log: PathBuf,
    run: PathBuf,
    mark: String,
    status: watch::Sender<ServiceStatus>,
    stop: watch::Receiver<bool>,
}

impl<S: Service> Keeper<S> {
    async fn run(self) {
        let mut stop = self.stop.clone();
        let name = self.service.name();
        let prepared = self.service.prepare().await;
        if let Err(error) = prepared {
            self.fail(format!("{name} can't be set up: {error:#}"));
            return;
        }
        let mut pause = BACKOFF.0;
        let mut was_ready = !self.service.must_start();
        loop {
            let failure = match self.live().await {
                End::Stopped => break,
                End::NeverReady(failure) if !was_ready => {
                    self.fail(failure);
                    return;
                }
                End::NeverReady(failure) => failure,
                End::Died(failure, lived) => {
                    was_ready = true;
                    if lived >= STABLE {
                        pause = BACKOFF.0;
                    }
                    failure
                }
            };
            tracing::error!("{failure}");
            tracing::info!("starting {name} again in {pause:?}");
            self.status.send_modify(|status| {
                status.state = State::Restarting;
                status.pid = None;
                status.restarts += 1;
                status.ready_since = None;
                status.last_failure = Some(failure);
            });
            tokio::select! {
                () = sleep(pause) => {}
                () = told(&mut stop) => break,
            }
            pause = (pause * 2).min(BACKOFF.1);
        }
        self.status.send_modify(|status| {
            status.state = State::Stopped;
            status.pid = None;
        });
    }

    fn fail(&self, failure: String) {
        self.status.send_modify(|status| {
            status.state = State::Failed;
            status.pid = None;
            status.last_failure = Some(failure);
        });
    }

    /// One life of the process, from its start to its end.
    async fn live(&self) -> End {
        let mut stop = self.stop.clone();
        let name = self.service.name();
        let begun = Instant::now();
        let (mut child, log_begin) = match self.spawn() {
            Ok(spawned) => spawned,
            Err(error) => return End::NeverReady(format!("{name} can't be started: {error:#}")),
        };
        // Never 0 in its place, which would be this process's own group.
        let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) else {
            return End::NeverReady(self.with_log(format!("{name} has no process id"), log_begin));
        };
        let _pid_file = match ProcessId::of(pid).map(|process| PidFile::write(&self.run, name, &process)) {
            Some(Ok(file)) => Some(file),
            Some(Err(error)) => {
                tracing::warn!(service = name, "{error:#}");
                None
            }
            // It has died already, as the wait below will tell.
            None => None,
        };
        self.status.send_modify(|status| status.pid = Some(pid));
        let ready = tokio::select! {
            exit = child.wait() => Err(format!("{name} ended before it was ready ({})", said(exit))),
            ready = until_ready(&*self.service) => ready.map_err(|last| {
                format!("{name} was not ready within {:?}: {last}", self.service.start_patience())
            }),
            () = told(&mut stop) => {
                self.end(child, pid).await;
                return End::Stopped;
            }
        };
        if let Err(failure) = ready {
            self.end(child, pid).await;
            return End::NeverReady(self.with_log(failure, log_begin));
        }
        let seconds = begun.elapsed().as_secs_f64();
        tracing::info!("{name} is ready after {seconds:.1} s (process {pid})");
        self.status.send_modify(|status| {
            status.state = State::Ready;
            status.start_seconds = Some(seconds);
            status.ready_since = Some(Utc::now());
        });
        let since = Instant::now();
        tokio::select! {
            exit = child.wait() => {
                kill_group(pid);
                End::Died(self.with_log(format!("{name} died ({})", said(exit)), log_begin), since.elapsed())
            }
            () = told(&mut stop) => {
                self.end(child, pid).await;
                End::Stopped
            }
        }
    }

    /// Starts the process in a group of its own, so that a Ctrl-C on the terminal reaches the supervisor alone.
    fn spawn(&self) -> anyhow::Result<(Child, u64)> {
        let (log, begin) = process_log::open(&self.log)?;
        let mut command = self.service.command()?;
        command
            .env(MARK, &self.mark)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("can't share the log file")?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("can't run {program}"))?;
        Ok((child, begin))
    }

    /// Asks the process to end, kills it when it takes too long, and waits for it.
    async fn end(&self, mut child: Child, pid: i32) {
        let name = self.service.name();
        self.status.send_modify(|status| status.state = State::Stopping);
        if child.id().is_some() {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
            if timeout(self.service.stop_patience(), child.wait()).await.is_err() {
                tracing::warn!(service = name, "did not end within {:?} and is killed", self.service.stop_patience());
                let _ = child.kill().await;
            }
        }
        kill_group(pid);
    }

    /// A failure with the last lines that the process wrote in this life.
    fn with_log(&self, failure: String, from: u64) -> String {
        let lines = process_log::last_lines(&self.log, from, 15);
        if lines.is_empty() { failure } else { format!("{failure}; the end of {}:\n{lines}", self.log.display()) }
    }
}

/// Waits until the supervision is told to stop, or is dropped.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Asks until the service answers; the last answer that was none when its patience is over.
async fn until_ready<S: Service>(service: &S) -> Result<(), String> {
    let deadline = Instant::now() + service.start_patience();
    loop {
        let attempt = timeout(Duration::from_secs(5), service.ready()).await;
        let last = match attempt {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "no answer within 5 s".to_owned(),
        };
        if Instant::now() >= deadline {
            return Err(last);
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// An exit in words.
fn said(exit: std::io::Result<ExitStatus>) -> String {
    match exit {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "unknown exit".to_owned(),
        },
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
