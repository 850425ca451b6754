//! The function's log.

use tracing_subscriber::EnvFilter;

/// Writes the log as JSON lines to stdout, from the level that `RUST_LOG` names (default `info`). Payloads and personal data are
/// never logged.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter);
    if log.try_init().is_err() {
        tracing::debug!("the log was set up before");
    }
}
