//! The Runtime API, asked as a runtime asks it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

/// A body and its headers.
type Post<'a> = (Vec<u8>, &'a [(&'a str, &'a str)]);

async fn ask(api: &RuntimeApi, path: &str, post: Option<Post<'_>>) -> Answer {
    let url = format!("http://{}/2018-06-01/runtime/{path}", api.address);
    let post = post.map(|(body, headers)| {
        let headers: Vec<(String, String)> = headers.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        (body, headers)
    });
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = match post {
            None => agent.get(url).call().unwrap(),
            Some((body, headers)) => {
                let request =
                    headers.iter().fold(agent.post(url), |request, (name, value)| request.header(name, value));
                // A reader's length is not known, so the body is chunked, as a streamed response is.
                request.send(ureq::SendBody::from_owned_reader(std::io::Cursor::new(body))).unwrap()
            }
        };
        let body = answer.body_mut().read_to_string().unwrap();
        Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
    });
    asked.await.unwrap()
}

async fn invoked(api: &RuntimeApi) -> oneshot::Receiver<Outcome> {
    api.invoke(Invocation {
        request_id: "one".to_owned(),
        payload: Bytes::from_static(b"{}"),
        deadline_ms: 1_700_000_000_000,
        trace_id: "Root=1-2-3".to_owned(),
        function_arn: "arn:aws:lambda:eu-west-1:0:function:f".into(),
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_invocation_comes_with_its_headers_and_its_response_ends_it_once() {
    let api = RuntimeApi::listen().await.unwrap();
    let outcome = invoked(&api).await;
    assert!(!api.taken());
    let next = ask(&api, "invocation/next", None).await;
    assert!(api.taken());
    assert_eq!((next.status, next.body.as_str()), (200, "{}"));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "one"),
        ("lambda-runtime-deadline-ms", "1700000000000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:0:function:f"),
        ("lambda-runtime-trace-id", "Root=1-2-3"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(next.headers[name], value, "{name}");
    }
    let answered = ask(&api, "invocation/one/response", Some((b"[1]".to_vec(), &[]))).await;
    assert_eq!((answered.status, answered.body.as_str()), (202, r#"{"status":"OK"}"#));
    assert!(matches!(outcome.await, Ok(Outcome::Answered(body)) if body == "[1]"));
    assert_eq!(ask(&api, "invocation/one/response", Some((b"[2]".to_vec(), &[]))).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_that_is_not_the_current_one_is_refused() {
    let api = RuntimeApi::listen().await.unwrap();
    let mut outcome = invoked(&api).await;
    // Not even the right id counts before the invocation was taken.
    for path in ["invocation/one/response", "invocation/two/response", "invocation/two/error"] {
        let refused = ask(&api, path, Some((b"{}".to_vec(), &[]))).await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(refused.body.contains(r#""errorType":"InvalidRequestID""#), "{}", refused.body);
    }
    assert!(outcome.try_recv().is_err(), "the invocation goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_response_is_gathered_and_one_over_the_limit_refused() {
    let api = RuntimeApi::listen().await.unwrap();
    let streaming = [("lambda-runtime-function-response-mode", "streaming")];
    for (size, status) in [(RESPONSE_LIMIT, 202), (RESPONSE_LIMIT + 1, 413)] {
        let outcome = invoked(&api).await;
        ask(&api, "invocation/next", None).await;
        let answered = ask(&api, "invocation/one/response", Some((vec![b'x'; size], &streaming))).await;
        assert_eq!(answered.status, status);
        match outcome.await.unwrap() {
            Outcome::Answered(body) => assert_eq!((body.len(), status), (size, 202)),
            Outcome::TooLarge(bytes) => assert_eq!((bytes, status), (size, 413)),
            Outcome::Failed(report) => panic!("{report:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_report_that_is_no_object_is_typed_by_its_header() {
    let api = RuntimeApi::listen().await.unwrap();
    for (body, expected) in [
        (
            r#"{"errorType":"A","errorMessage":"b","stackTrace":[]}"#,
            r#"{"errorType":"A","errorMessage":"b","stackTrace":[]}"#,
        ),
        ("plain text", r#"{"errorMessage":"plain text","errorType":"Runtime.Bad"}"#),
    ] {
        let outcome = invoked(&api).await;
        ask(&api, "invocation/next", None).await;
        let headers = [("lambda-runtime-function-error-type", "Runtime.Bad")];
        assert_eq!(ask(&api, "invocation/one/error", Some((body.as_bytes().to_vec(), &headers))).await.status, 202);
        assert!(matches!(outcome.await, Ok(Outcome::Failed(report)) if report == expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_ready_with_its_first_next_and_cannot_fail_after() {
    let api = RuntimeApi::listen().await.unwrap();
    let _outcome = invoked(&api).await;
    ask(&api, "invocation/next", None).await;
    assert!(matches!(*api.startup().borrow(), Startup::Ready));
    assert_eq!(ask(&api, "init/error", Some((b"{}".to_vec(), &[]))).await.status, 403);
    let api = RuntimeApi::listen().await.unwrap();
    assert_eq!(ask(&api, "init/error", Some((b"{}".to_vec(), &[]))).await.status, 202);
    assert!(matches!(&*api.startup().borrow(), Startup::Failed(report) if report == "{}"));
}
