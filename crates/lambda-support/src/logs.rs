//! The function's log.

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Writes the log as JSON lines to stdout, from the level that `RUST_LOG` names (default `info`), for all or by crate. Payloads and
/// personal data are never logged.
pub fn init() {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    // Levels by crate alone: filters by spans' fields would have each start compile their patterns.
    let default = Targets::new().with_default(Level::INFO);
    let read = if wanted.is_empty() { Ok(default.clone()) } else { wanted.parse() };
    // A log that tells too much or too little is no reason not to work.
    let (levels, wrong) = match read {
        Ok(levels) => (levels, None),
        Err(error) => (default, Some(error)),
    };
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    if tracing_subscriber::registry().with(levels).with(lines).try_init().is_err() {
        tracing::debug!("the log was set up before");
    }
    if let Some(error) = wrong {
        tracing::warn!(%error, "RUST_LOG: expected levels such as info or info,rate=debug; going on with info");
    }
}
