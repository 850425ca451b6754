//! Lambda's Invoke API, `POST /2015-03-31/functions/{name}/invocations`, and beside it `POST /functions/{name}/enabled`, whose
//! body `true` or `false` enables or disables the function's event source mappings.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use crate::function::InvokeError;
use crate::host::Host;
use crate::runtime_api::REQUEST_LIMIT;

/// The routes of the Invoke API for the functions of `host`, to be served wherever the caller likes. An event invocation runs
/// once: Lambda's two further tries of one that failed are not made.
pub fn invoke_routes(host: Arc<Host>) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .route("/functions/{name}/enabled", post(set_enabled))
        .layer(DefaultBodyLimit::max(REQUEST_LIMIT + 1))
        .with_state(host)
}

async fn invoke(
    State(host): State<Arc<Host>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A function may be named by its ARN too, whose last part is the name.
    let name = name.rsplit(':').next().unwrap_or_default().to_owned();
    let Ok(payload) = body else {
        return refusal(&InvokeError::TooLarge(REQUEST_LIMIT + 1));
    };
    if !host.has_function(&name) {
        return refusal(&InvokeError::UnknownFunction(name));
    }
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if serde_json::from_slice::<serde::de::IgnoredAny>(&payload).is_err() {
        let message = "Could not parse request body into json";
        return error(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message);
    }
    match header("x-amz-invocation-type") {
        "DryRun" => StatusCode::NO_CONTENT.into_response(),
        "Event" => {
            tokio::spawn(async move {
                if let Err(error) = host.invoke(&name, payload).await {
                    tracing::error!(function = name, %error, "an event was not taken");
                }
            });
            StatusCode::ACCEPTED.into_response()
        }
        "" | "RequestResponse" => {
            let tail = header("x-amz-log-type") == "Tail";
            answer(&host, &name, payload, tail).await
        }
        other => {
            let message = format!("InvocationType must be RequestResponse, Event or DryRun, but is {other}");
            error(StatusCode::BAD_REQUEST, "InvalidParameterValueException", &message)
        }
    }
}

async fn set_enabled(State(host): State<Arc<Host>>, Path(name): Path<String>, body: Bytes) -> Response {
    let Ok(enabled) = serde_json::from_slice::<bool>(&body) else {
        return error(StatusCode::BAD_REQUEST, "InvalidParameterValueException", "the body must be true or false");
    };
    match host.set_enabled(&name, enabled).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => error(StatusCode::NOT_FOUND, "ResourceNotFoundException", &problem.to_string()),
    }
}

async fn answer(host: &Host, name: &str, payload: Bytes, tail: bool) -> Response {
    let answer = match host.invoke(name, payload).await {
        Ok(answer) => answer,
        Err(error) => return refusal(&error),
    };
    let mut response = (StatusCode::OK, [("content-type", "application/json")], answer.payload).into_response();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    set("x-amz-executed-version", "$LATEST");
    set("x-amzn-requestid", &answer.request_id);
    if let Some(kind) = &answer.function_error {
        set("x-amz-function-error", kind);
    }
    if tail {
        set("x-amz-log-result", &base64_simd::STANDARD.encode_to_string(answer.log_tail.as_bytes()));
    }
    response
}

fn refusal(error_: &InvokeError) -> Response {
    let (status, kind) = match error_ {
        InvokeError::UnknownFunction(_) => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
        InvokeError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException"),
        InvokeError::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
        InvokeError::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "ServiceException"),
    };
    error(status, kind, &error_.to_string())
}

fn error(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = serde_json::json!({"Type": "User", "Message": message}).to_string();
    (status, [("content-type", "application/json"), ("x-amzn-errortype", kind)], body).into_response()
}
