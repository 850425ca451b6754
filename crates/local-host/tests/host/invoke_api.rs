//! Lambda's Invoke API over HTTP.

use std::net::SocketAddr;

use millrace_local_host::invoke_routes;
use serde_json::json;

use crate::support::{Setup, TestHost, eventually};

struct Answer {
    status: u16,
    headers: ureq::http::HeaderMap,
    body: String,
}

async fn serve(host: &TestHost) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, invoke_routes(host.host.clone())).into_future());
    address
}

async fn post(address: SocketAddr, function: &str, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
    let url = format!("http://{address}/2015-03-31/functions/{function}/invocations");
    let (headers, body) = (headers.to_vec(), body.to_owned());
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = headers.into_iter().fold(agent.post(url), |request, (name, value)| request.header(name, value));
        let mut answer = request.send(body).unwrap();
        let body = answer.body_mut().with_config().limit(20_000_000).read_to_string().unwrap();
        Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
    });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_lambdas_headers_and_the_logs_end_when_asked_for() {
    let host = Setup::new().function("one", json!({})).start();
    let address = serve(&host).await;
    let answer = post(address, "one", &[("x-amz-log-type", "Tail")], r#"{"do": "print", "message": "hello"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["x-amz-executed-version"], "$LATEST");
    assert_eq!(answer.headers.get("x-amz-function-error"), None);
    let log = base64_simd::STANDARD.decode_to_vec(answer.headers["x-amz-log-result"].as_bytes()).unwrap();
    assert!(String::from_utf8(log).unwrap().contains("hello\n"));
    let answer = post(address, "arn:aws:lambda:eu-west-1:000000000000:function:one", &[], "").await;
    assert!(answer.status == 200 && answer.body.contains(r#""event":{}"#), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_failed_is_a_200_with_the_error_header() {
    let host = Setup::new().function("one", json!({})).start();
    let answer = post(serve(&host).await, "one", &[], r#"{"do": "error", "message": "no"}"#).await;
    assert_eq!((answer.status, &answer.headers["x-amz-function-error"]), (200, &"Unhandled".parse().unwrap()));
    assert!(answer.body.contains(r#""errorMessage":"no""#), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_invoked_is_refused_with_lambdas_errors() {
    let host = Setup::new().function("one", json!({})).start();
    let address = serve(&host).await;
    for (function, body, status, kind) in [
        ("two", "{}".to_owned(), 404, "ResourceNotFoundException"),
        ("one", "{".to_owned(), 400, "InvalidRequestContentException"),
        ("one", format!("\"{}\"", "x".repeat(6 * 1024 * 1024)), 413, "RequestTooLargeException"),
    ] {
        let answer = post(address, function, &[], &body).await;
        assert_eq!((answer.status, answer.headers["x-amzn-errortype"].to_str().unwrap()), (status, kind));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_invocation_is_accepted_and_run_and_a_dry_run_is_not_run() {
    let host = Setup::new().function("one", json!({})).journal().start();
    let address = serve(&host).await;
    let dry = post(address, "one", &[("x-amz-invocation-type", "DryRun")], r#"{"note": "dry"}"#).await;
    assert_eq!(dry.status, 204);
    let event = post(address, "one", &[("x-amz-invocation-type", "Event")], r#"{"note": "event"}"#).await;
    assert_eq!((event.status, event.body.as_str()), (202, ""));
    eventually("the event is handled", async || host.journal().iter().any(|line| line["note"] == "event")).await;
    assert!(host.journal().iter().all(|line| line["note"] != "dry"));
}
