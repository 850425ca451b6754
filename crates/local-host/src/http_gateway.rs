//! An API Gateway HTTP API (payload format 2.0) in front of functions.

mod event;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::function::{Function, InvokeError};

/// The largest request body that API Gateway takes, in bytes.
const BODY_LIMIT: usize = 10 * 1024 * 1024;
/// How long API Gateway waits for a function.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

/// A path and the function behind it.
pub(crate) struct Route {
    path: String,
    function: Arc<Function>,
}

/// A listening HTTP API; it ends when it is dropped.
pub(crate) struct HttpGateway {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Route {
    pub(crate) fn new(path: &str, function: Arc<Function>) -> Route {
        Route { path: path.to_owned(), function }
    }

    /// How well the route fits a path: not at all, or the longer the better, an exact path best.
    fn fit(&self, path: &str) -> Option<usize> {
        if self.path == "$default" {
            return Some(0);
        }
        match self.path.strip_suffix("{proxy+}") {
            // The folder itself is served too, so that `/{proxy+}` is the whole site.
            Some(folder) if path.starts_with(folder) => Some(folder.len()),
            Some(_) => None,
            None => (self.path == path).then_some(usize::MAX),
        }
    }
}

impl HttpGateway {
    pub(crate) async fn start(address: SocketAddr, routes: Vec<Route>) -> std::io::Result<HttpGateway> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let service = Router::new()
            .fallback(handle)
            .with_state(Arc::new(routes))
            .into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move {
            // It ends with the gateway, by abort.
            let _ = axum::serve(listener, service).await;
        });
        Ok(HttpGateway { address, server })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HttpGateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn handle(
    State(routes): State<Arc<Vec<Route>>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let fitting = routes.iter().filter_map(|route| Some((route.fit(parts.uri.path())?, route)));
    let Some((_, route)) = fitting.max_by_key(|(fit, _)| *fit) else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    answer(route, &parts, peer, &body).await
}

async fn answer(route: &Route, parts: &Parts, peer: SocketAddr, body: &Bytes) -> Response {
    let event = event::event(&route.path, parts, peer, body, chrono::Utc::now());
    let invoked = tokio::time::timeout(INTEGRATION_LIMIT, route.function.invoke(event));
    match invoked.await {
        Ok(Ok(answer)) if answer.function_error.is_none() => {
            event::response(&answer.payload).unwrap_or_else(|problem| {
                tracing::error!(function = %route.function.manifest.name, problem, "the answer is no HTTP response");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            })
        }
        // The base64 of a body may be over what Lambda takes, although API Gateway takes the body.
        Ok(Err(InvokeError::TooLarge(_))) => message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Ok(Ok(_)) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        Ok(Err(_)) | Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

fn message(status: StatusCode, text: &str) -> Response {
    (status, [("content-type", "application/json")], serde_json::json!({"message": text}).to_string()).into_response()
}
