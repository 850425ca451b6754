//! Processes that are killed.

#![allow(clippy::expect_used)]

use std::time::Duration;

use tokio::runtime::Builder;

/// Runs something for at most `limit` on a runtime of its own, which then ends: the connections that it opened are cut wherever
/// they are, as by the kill of a process. `None` when it was killed.
///
/// It opens its own pools and clients: those of the test would only give a connection back, at times with its transaction open.
pub async fn after<F, T>(limit: Duration, run: impl FnOnce() -> F + Send + 'static) -> Option<T>
where
    F: Future<Output = T>,
    T: Send + 'static,
{
    let process = move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let outcome = runtime.block_on(async { tokio::time::timeout(limit, run()).await.ok() });
        runtime.shutdown_background();
        outcome
    };
    tokio::task::spawn_blocking(process).await.expect("the killed run panicked")
}
