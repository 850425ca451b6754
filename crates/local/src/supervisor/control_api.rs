//! The control API: `/health` for anyone, and with the stack's token `/status`, `/stop` and Lambda's Invoke API.

use std::sync::Arc;

use anyhow::Context;
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle};

use super::state::Shared;

/// Serves the API until the task is aborted; `invoke` holds the Invoke API's routes.
///
/// # Errors
/// When the port can't be listened on.
pub async fn serve(shared: Arc<Shared>, invoke: Router) -> anyhow::Result<JoinHandle<()>> {
    let port = shared.stack.ports()?.control();
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("can't listen on 127.0.0.1 port {port}"))?;
    let guarded =
        Router::new().route("/status", get(status)).route("/stop", post(stop)).with_state(shared.clone()).merge(invoke);
    let router =
        guarded.layer(middleware::from_fn_with_state(shared, authorize)).route("/health", get(async || "ok\n"));
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the control API ended");
        }
    }))
}

async fn status(State(shared): State<Arc<Shared>>) -> Response {
    match tokio::task::spawn_blocking(move || shared.report()).await {
        Ok(report) => Json(report).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn stop(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.request_stop();
    StatusCode::ACCEPTED
}

async fn authorize(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let sent = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if sent.is_some_and(|sent| same(sent.as_bytes(), shared.stack.control_token.expose().as_bytes())) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, "the control token of stack.json is wanted as a bearer token\n").into_response()
    }
}

/// Compares in a time that tells nothing of where two tokens differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::{
        control::Control,
        home::Home,
        ports,
        stack::{Engine, Stack},
    };

    fn stack() -> Stack {
        Stack::generate(ports::free(), Engine::Native).unwrap()
    }

    #[tokio::test]
    async fn only_the_stack_s_own_token_opens_the_api() {
        let stack = stack();
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path()).unwrap();
        assert!(Control::new(&stack).report().await.unwrap().is_none());
        let shared = Arc::new(Shared::new(home, stack.clone(), None));
        let server = serve(shared.clone(), Router::new()).await.unwrap();
        let report = Control::new(&stack).report().await.unwrap().unwrap();
        assert!(!report.ready && report.version == env!("CARGO_PKG_VERSION"));

        let mut stranger = Stack::generate(stack.ports().unwrap(), Engine::Native).unwrap();
        let error = Control::new(&stranger).report().await.unwrap_err().to_string();
        assert!(error.contains("another stack's"), "{error}");
        assert!(Control::new(&stranger).stop().await.is_err() && !shared.stop_requested());
        stranger.control_token = stack.control_token.clone();
        assert!(Control::new(&stranger).stop().await.unwrap() && shared.stop_requested());
        server.abort();
    }
}
