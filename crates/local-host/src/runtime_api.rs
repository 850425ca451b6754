//! The Lambda Runtime API (`/2018-06-01/runtime/...`), one listener on the loopback interface for each instance.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// The largest event that a function can be sent, in bytes.
pub(crate) const REQUEST_LIMIT: usize = 6 * 1024 * 1024;
/// The largest answer that a function can give, in bytes: Lambda leaves 100 bytes on top of 6 MB.
pub(crate) const RESPONSE_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// One invocation, as it is handed to the instance that asks for the next one.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    /// When the invocation times out, in milliseconds since 1970.
    pub(crate) deadline_ms: i64,
    pub(crate) trace_id: String,
    pub(crate) function_arn: Arc<str>,
}

/// How the instance ended an invocation.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(Bytes),
    Failed(Bytes),
    TooLarge(usize),
}

/// How far the instance's start has come.
#[derive(Debug, Clone)]
pub(crate) enum Startup {
    Running,
    /// It asked for its first invocation.
    Ready,
    /// It reported that it cannot start: the report as it was sent.
    Failed(Bytes),
}

/// The API of one instance.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    invocations: mpsc::Sender<Invocation>,
    server: JoinHandle<()>,
}

struct Shared {
    next: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    current: Mutex<Option<Current>>,
    startup: watch::Sender<Startup>,
}

struct Current {
    request_id: String,
    taken: bool,
    reply: oneshot::Sender<Outcome>,
}

impl RuntimeApi {
    pub(crate) async fn listen() -> std::io::Result<RuntimeApi> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (invocations, next) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            next: tokio::sync::Mutex::new(next),
            current: Mutex::new(None),
            startup: watch::Sender::new(Startup::Running),
        });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_invocation))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(shared.clone());
        let server = tokio::spawn(async move {
            // The listener ends with the instance, by abort: it has nothing to say on its own.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(RuntimeApi { address, shared, invocations, server })
    }

    pub(crate) fn startup(&self) -> watch::Receiver<Startup> {
        self.shared.startup.subscribe()
    }

    /// Hands an invocation over; the receiver gets what the instance answers.
    pub(crate) async fn invoke(&self, invocation: Invocation) -> oneshot::Receiver<Outcome> {
        let (reply, outcome) = oneshot::channel();
        *self.shared.current() = Some(Current { request_id: invocation.request_id.clone(), taken: false, reply });
        // The receiving half lives in `shared`, so this cannot fail.
        let _ = self.invocations.send(invocation).await;
        outcome
    }

    /// Whether the instance has taken the invocation that was handed over last.
    pub(crate) fn taken(&self) -> bool {
        self.shared.current().as_ref().is_none_or(|current| current.taken)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn current(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the current invocation with `outcome` if `id` names it.
    fn end(&self, id: &str, outcome: Outcome) -> bool {
        let ended = self.current().take_if(|current| current.taken && current.request_id == id);
        let known = ended.is_some();
        if let Some(current) = ended {
            // Nobody waits any more when the invocation has timed out in this moment.
            let _ = current.reply.send(outcome);
        }
        known
    }
}

async fn next_invocation(State(shared): State<Arc<Shared>>) -> Response {
    shared.startup.send_if_modified(|startup| {
        let first = matches!(startup, Startup::Running);
        if first {
            *startup = Startup::Ready;
        }
        first
    });
    let Some(invocation) = shared.next.lock().await.recv().await else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InstanceEnded", "the instance is being ended");
    };
    if let Some(current) = shared.current().as_mut() {
        current.taken = true;
    }
    let mut response = Response::new(Body::from(invocation.payload));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let values = [
        ("lambda-runtime-aws-request-id", invocation.request_id.as_str()),
        ("lambda-runtime-deadline-ms", &invocation.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", &invocation.function_arn),
        ("lambda-runtime-trace-id", &invocation.trace_id),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Takes a plain response, and a streamed one by gathering it: nothing behind the local host reads a stream.
async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, request: Request) -> Response {
    // The body is read before anything is refused, so that the runtime gets the refusal and not a broken pipe.
    match gather(request.into_body(), RESPONSE_LIMIT).await {
        Ok(body) => ended(shared.end(&id, Outcome::Answered(body))),
        Err(Gathering::TooLarge(size)) => {
            if !shared.end(&id, Outcome::TooLarge(size)) {
                return ended(false);
            }
            refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                &format!("Exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."),
            )
        }
        Err(Gathering::Broken) => refusal(StatusCode::BAD_REQUEST, "TruncatedResponse", "the response ended early"),
    }
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    ended(shared.end(&id, Outcome::Failed(report(&headers, body))))
}

async fn init_error(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let report = report(&headers, body);
    let refused = !shared.startup.send_if_modified(|startup| {
        let early = matches!(startup, Startup::Running);
        if early {
            *startup = Startup::Failed(report);
        }
        early
    });
    if refused {
        return refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "the function has already started");
    }
    ended(true)
}

/// An error report is passed on as it came; one that is no JSON object becomes one, typed by the header.
fn report(headers: &HeaderMap, body: Bytes) -> Bytes {
    if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&body).is_ok() {
        return body;
    }
    let kind = headers
        .get("lambda-runtime-function-error-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("Runtime.Unknown");
    let message = String::from_utf8_lossy(&body);
    Bytes::from(serde_json::json!({"errorType": kind, "errorMessage": message}).to_string())
}

enum Gathering {
    TooLarge(usize),
    Broken,
}

async fn gather(body: Body, limit: usize) -> Result<Bytes, Gathering> {
    use futures::TryStreamExt;

    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    let mut size = 0;
    loop {
        match stream.try_next().await {
            Ok(Some(chunk)) => {
                // What is over the limit is read to its end and not kept.
                size += chunk.len();
                if size <= limit {
                    whole.extend_from_slice(&chunk);
                }
            }
            Ok(None) if size > limit => return Err(Gathering::TooLarge(size)),
            Ok(None) => return Ok(Bytes::from(whole)),
            Err(_) => return Err(Gathering::Broken),
        }
    }
}

/// Lambda's answer to what ends an invocation: accepted, or the id is not that of the current one.
fn ended(known: bool) -> Response {
    if !known {
        return refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
    }
    (StatusCode::ACCEPTED, [("content-type", "application/json")], r#"{"status":"OK"}"#).into_response()
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = serde_json::json!({"errorType": kind, "errorMessage": message}).to_string();
    (status, [("content-type", "application/json")], body).into_response()
}

#[cfg(test)]
mod tests;
