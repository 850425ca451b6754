//! The supervisor's own log: `logs/supervisor.log`, and the terminal when it has one.

use std::{env, fs::OpenOptions, io::IsTerminal, os::unix::fs::OpenOptionsExt, sync::Mutex};

use anyhow::Context;
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::home::Home;

/// Our own crates tell what they do, libraries only what is wrong; `RUST_LOG` says otherwise.
const DEFAULT: &str = "warn,millrace_local=info,millrace_local_host=info";

/// Logs to the home's file and, unless detached, to stderr.
///
/// # Errors
/// When the file can't be opened, or `RUST_LOG` names no levels.
pub fn start(home: &Home, detached: bool) -> anyhow::Result<()> {
    let path = home.log("supervisor");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("can't open {}", path.display()))?;
    let to_file = fmt::layer().with_ansi(false).with_target(false).with_writer(Mutex::new(file));
    let to_terminal = (!detached).then(|| {
        fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_target(false).with_writer(std::io::stderr)
    });
    let wanted = env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.is_empty());
    let filter = EnvFilter::try_new(wanted.as_deref().unwrap_or(DEFAULT))
        .context("RUST_LOG: expected levels such as info or warn,millrace_local_host=debug")?;
    tracing_subscriber::registry().with(to_file.and_then(to_terminal).with_filter(filter)).init();
    Ok(())
}
