//! The function's log.

use tracing_subscriber::EnvFilter;

/// Writes the log as JSON lines to stdout, from the level that `RUST_LOG` names (default `info`). Payloads and personal data are
/// never logged.
pub fn init() {
    let wanted = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let read = if wanted.is_empty() { Ok(EnvFilter::new("info")) } else { EnvFilter::try_new(&wanted) };
    // A log that tells too much or too little is no reason not to work.
    let (filter, wrong) = match read {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter);
    if log.try_init().is_err() {
        tracing::debug!("the log was set up before");
    }
    if let Some(error) = wrong {
        tracing::warn!(%error, "RUST_LOG: expected levels such as info or info,rate=debug; going on with info");
    }
}
