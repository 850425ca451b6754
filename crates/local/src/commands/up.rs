//! `millrace up`: this process becomes the supervisor, or starts one in the background and waits for it.

use std::{
    env, fs::OpenOptions, io::IsTerminal, os::unix::fs::OpenOptionsExt, process::Stdio, sync::Arc, time::Duration,
};

use anyhow::{Context, anyhow};
use chrono::DateTime;
use clap::Args;
use tokio::{process::Command, time::sleep};

use crate::{
    CommandError,
    control::Control,
    home::Home,
    ports::{DEFAULT_BASE, Ports},
    project,
    stack::{Engine, Stack},
    supervisor::{
        alarms,
        lock::HomeLock,
        logging,
        process::{self, PidFile, ProcessId},
        process_log::last_lines,
        report::{Phase, Report},
        run::{self, Plan},
        state::Shared,
        webhook::Webhook,
    },
};

/// How often a supervisor is asked how far it is.
const POLL: Duration = Duration::from_millis(100);
/// The variable that says where alarms are posted, as the address may hold a secret.
const WEBHOOK: &str = "MILLRACE_ALARM_WEBHOOK";

/// The options of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Return when the stack is ready and leave it running
    #[arg(long)]
    pub detach: bool,
    /// Leave out the sample operator, the simulator and billing by schedule, for one's own data
    #[arg(long)]
    pub empty: bool,
    /// What the services run in (default: what the stack was made with, native for a new one)
    #[arg(long, value_enum)]
    pub engine: Option<Engine>,
    /// Start the services, schema, topics and bucket, but no function's trigger and no simulator
    #[arg(long)]
    pub services_only: bool,
    /// Post each alarm that pages to this address as JSON, when it is raised and when it clears
    #[arg(long, value_name = "URL", env = WEBHOOK, hide_env_values = true)]
    pub alarm_webhook: Option<String>,
    /// Take the alarms' periods N times as short, to try them out
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub alarm_speed: u32,
    /// What `--detach` calls itself with: be the supervisor, in a session of its own
    #[arg(long, hide = true)]
    pub background: bool,
}

impl Up {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stack can't be started.
    pub async fn run(self) -> Result<(), CommandError> {
        // Whatever this process, the services and the functions write: data, settings and logs are their owner's alone.
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
        let webhook = Webhook::parse(self.alarm_webhook.as_deref().unwrap_or_default())?;
        let home = Home::find()?;
        home.create()?;
        let lock = loop {
            match HomeLock::take(&home)? {
                Some(lock) => break lock,
                None if find_running(&home).await? => return Ok(()),
                // It has ended meanwhile, so this one takes its place.
                None => {}
            }
        };
        if self.detach {
            drop(lock);
            return self.start_in_background(&home, webhook.as_ref()).await;
        }
        if self.background {
            nix::unistd::setsid().context("can't leave the terminal's session")?;
        }
        let stack = self.settings(&home)?;
        logging::start(&home, self.background)?;
        let own = i32::try_from(std::process::id())
            .ok()
            .and_then(ProcessId::of)
            .context("can't read this process's own start time")?;
        for ended in process::end_stale(&home.join("run"), &stack.id, Duration::from_secs(20)).await {
            tracing::warn!("ended {ended}, left behind by a supervisor that was killed");
        }
        let _pid_file = PidFile::write(&home.join("run"), "supervisor", &own)?;
        stack.ports()?.check_free(stack.engine == Engine::Native)?;
        let shared = Arc::new(Shared::new(home.clone(), stack, script_started()));
        let plan = Plan { empty: self.empty, services_only: self.services_only };
        let reporter = shared.clone();
        let announce = move || {
            if !self.background {
                announce(&reporter.report(), &reporter.stack);
                println!("\nCtrl-C stops it.");
            }
        };
        run::run(shared, plan, alarms::Settings { speed: self.alarm_speed, webhook }, announce).await?;
        Ok(())
    }

    /// The stack's settings, new ones for a new home; a moved port base is noted in them.
    fn settings(&self, home: &Home) -> Result<Stack, CommandError> {
        let asked = env::var("MILLRACE_PORT_BASE").ok().filter(|text| !text.trim().is_empty());
        let asked = asked
            .map(|text| Ports::parse(&text))
            .transpose()
            .map_err(|error| CommandError::input(error.to_string()))?;
        let mut stack = match home.stack_if_any()? {
            Some(stack) => stack,
            None => Stack::generate(
                asked.map_or_else(|| Ports::from_base(DEFAULT_BASE), Ok)?,
                self.engine.unwrap_or(Engine::Native),
            )?,
        };
        if let Some(engine) = self.engine.filter(|engine| *engine != stack.engine) {
            return Err(CommandError::input(format!(
                "--engine {}: the data in {} belong to the other engine; use another MILLRACE_HOME, or delete them with scripts/down --wipe",
                engine.name(),
                home.path().display()
            )));
        }
        if let Some(ports) = asked {
            stack.port_base = ports.base();
        }
        home.write_stack(&stack)?;
        Ok(stack)
    }

    /// Starts a supervisor in a session of its own and returns when it is ready.
    async fn start_in_background(&self, home: &Home, webhook: Option<&Webhook>) -> Result<(), CommandError> {
        let path = home.log("supervisor");
        let open = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let log = open.with_context(|| format!("can't open {}", path.display()))?;
        let begin = log.metadata().map(|metadata| metadata.len()).unwrap_or_default();
        let mut command = Command::new(env::current_exe().context("can't find this program's own path")?);
        command.args(["up", "--background"]).env("MILLRACE_HOME", home.path());
        for (given, option) in [(self.empty, "--empty"), (self.services_only, "--services-only")] {
            command.args(given.then_some(option));
        }
        if let Some(engine) = self.engine {
            command.args(["--engine", engine.name()]);
        }
        command.arg(format!("--alarm-speed={}", self.alarm_speed));
        if let Some(webhook) = webhook {
            // Not as an option, which everyone on the machine can read.
            command.env(WEBHOOK, webhook.expose());
        }
        let stderr = log.try_clone().context("can't share the log file")?;
        let mut child =
            command.stdin(Stdio::null()).stdout(log).stderr(stderr).spawn().context("can't start the supervisor")?;
        let mut progress = Progress::default();
        loop {
            tokio::select! {
                exit = child.wait() => {
                    let exit = exit.context("can't wait for the supervisor")?;
                    let end = last_lines(&path, begin, 30);
                    let message = anyhow!("the stack could not be started; {} says:\n{end}", path.display());
                    return Err(if exit.code() == Some(2) { CommandError::input(message.to_string()) } else { message.into() });
                }
                _ = tokio::signal::ctrl_c() => {
                    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
                        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
                    }
                    eprintln!("stopping");
                    let _ = child.wait().await;
                    return Err(CommandError::Quiet);
                }
                () = sleep(POLL) => {}
            }
            // Until it holds the port, another stack's answer or none is to be expected.
            let Ok(Some(stack)) = home.stack_if_any() else { continue };
            let Ok(Some(report)) = Control::new(&stack).report().await else { continue };
            progress.show(&report);
            if report.ready {
                announce(&report, &stack);
                return Ok(());
            }
        }
    }
}

/// Tells of the supervisor that this home has already, once it has started all; false when it ended before.
async fn find_running(home: &Home) -> Result<bool, CommandError> {
    let mut progress = Progress::default();
    loop {
        if HomeLock::take(home)?.is_some() {
            return Ok(false);
        }
        // A supervisor that has only begun does not answer yet.
        if let Some(stack) = home.stack_if_any()?
            && let Ok(Some(report)) = Control::new(&stack).report().await
        {
            if report.phase == Phase::Running {
                eprintln!("the stack in {} runs already", home.path().display());
                announce(&report, &stack);
                return Ok(true);
            }
            progress.show(&report);
        }
        sleep(POLL).await;
    }
}

/// Tells a terminal, or a log, of each step and of each service that becomes ready.
#[derive(Default)]
struct Progress {
    said: Vec<String>,
}

impl Progress {
    fn show(&mut self, report: &Report) {
        let services = report
            .services
            .iter()
            .filter_map(|service| Some(format!("{} is ready after {:.1} s", service.name, service.start_seconds?)));
        let lines = std::iter::once(report.step.clone()).chain(services);
        for line in lines.filter(|line| line != "running").collect::<Vec<_>>() {
            if !self.said.contains(&line) {
                eprintln!("{line}");
                self.said.push(line);
            }
        }
    }
}

/// Prints where everything is, the sign-in, and how to go on.
fn announce(report: &Report, stack: &Stack) {
    let addresses = &report.addresses;
    println!("Millrace is {}.", if report.ready { "ready" } else { "running, but not every service is ready" });
    println!();
    println!("  dashboard   {}   password {}", addresses.dashboard, stack.dashboard.password.expose());
    println!("  kafka       {}", addresses.kafka);
    println!("  mysql       {}   (read-only)", addresses.mysql);
    println!("  documents   {}", addresses.documents);
    println!("  objects     {}", addresses.objects);
    println!();
    if let Some(seconds) = report.script_seconds.or(report.startup_seconds) {
        let memory = report.memory_mb.get("total").copied().unwrap_or_default();
        println!("  started in {seconds:.1} s; {memory:.0} MiB of memory");
    }
    println!("  commands:   {} status", program());
    if std::io::stdout().is_terminal() {
        println!("  to stop:    {} down", program());
    }
}

/// This program as one would call it from the project's folder.
fn program() -> String {
    let path = env::current_exe().unwrap_or_default();
    let root = project::root().unwrap_or_default();
    path.strip_prefix(&root).unwrap_or(&path).display().to_string()
}

/// When `scripts/up` was started, as it tells in milliseconds since 1970.
fn script_started() -> Option<DateTime<chrono::Utc>> {
    DateTime::from_timestamp_millis(env::var("MILLRACE_UP_STARTED").ok()?.parse().ok()?)
}
