//! The HTTP API in front of a `lambda_http` function.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{Setup, TestHost};

async fn start(path: &str) -> (TestHost, SocketAddr) {
    let host = Setup::new()
        .function(
            "page",
            json!({"timeout_seconds": 60, "concurrency": 2, "environment": {"PROBE_HTTP": "1"}, "triggers": [{"http": {"path": path}}]}),
        )
        .configure(|config| config.http_address = Some("127.0.0.1:0".parse().unwrap()))
        .start();
    host.host.start_triggers().await.unwrap();
    let address = host.host.http_address().unwrap();
    (host, address)
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_the_function_whole_and_its_answer_comes_back_whole() {
    let (_host, address) = start("/{proxy+}").await;
    let mut answer = blocking(move || {
        agent()
            .get(format!("http://{address}/a%20b/c?x=1&x=2&y=%C3%BC+z"))
            .header("cookie", "one=1; two=2")
            .header("x-many", "a")
            .header("x-many", "b")
            .call()
            .unwrap()
    })
    .await;
    assert_eq!(answer.status(), 200);
    let cookies: Vec<&str> = answer.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    assert_eq!(cookies, ["a=1; HttpOnly", "b=2"]);
    let seen: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!((&seen["method"], &seen["raw_path"]), (&json!("GET"), &json!("/a%20b/c")));
    assert_eq!(seen["query"], json!([["x", "1"], ["x", "2"], ["y", "ü z"]]));
    assert_eq!(seen["headers"]["cookie"], "one=1; two=2");
    assert_eq!(seen["headers"]["x-many"], "a,b");
    assert_eq!(seen["headers"]["x-forwarded-for"], "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_bodies_pass_unchanged_both_ways() {
    let (_host, address) = start("/{proxy+}").await;
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for content_type in ["image/png", "application/octet-stream"] {
        let sent = bytes.clone();
        let (status, got) = blocking(move || {
            let url = format!("http://{address}/echo");
            let mut answer = agent().post(url).header("content-type", content_type).send(&sent[..]).unwrap();
            (answer.status(), answer.body_mut().read_to_vec().unwrap())
        })
        .await;
        assert_eq!(status, 201);
        assert!(got == bytes, "{content_type}: {} bytes came back", got.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_passes_as_text() {
    let (_host, address) = start("/{proxy+}").await;
    let got = blocking(move || {
        let answer =
            agent().post(format!("http://{address}/echo")).header("content-type", "application/json; charset=utf-8");
        answer.send(r#"{"name":"Zoë"}"#).unwrap().body_mut().read_to_string().unwrap()
    })
    .await;
    assert_eq!(got, r#"{"name":"Zoë"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_function_is_a_500_and_a_body_over_ten_megabytes_a_413() {
    let (_host, address) = start("/{proxy+}").await;
    let (failed, text) = blocking(move || {
        let mut answer = agent().get(format!("http://{address}/error")).call().unwrap();
        (answer.status(), answer.body_mut().read_to_string().unwrap())
    })
    .await;
    assert_eq!((failed.as_u16(), text.as_str()), (500, r#"{"message":"Internal Server Error"}"#));
    for size in [10 * 1024 * 1024 + 1, 5 * 1024 * 1024] {
        // The smaller one is within API Gateway's limit, but its base64 is over Lambda's.
        let status = blocking(move || {
            let url = format!("http://{address}/echo");
            agent()
                .post(url)
                .header("content-type", "image/png")
                .send(&vec![7_u8; size][..])
                .map(|answer| answer.status().as_u16())
        })
        .await;
        // The connection may be closed before all of a refused body was sent.
        assert!(matches!(status, Ok(413) | Err(_)), "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_takes_more_than_thirty_seconds_is_a_503() {
    let (_host, address) = start("$default").await;
    let begun = std::time::Instant::now();
    let status =
        blocking(move || agent().get(format!("http://{address}/slow")).call().unwrap().status().as_u16()).await;
    assert_eq!(status, 503);
    assert!((29..50).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_no_function_has_is_a_404() {
    let (_host, address) = start("/pages/{proxy+}").await;
    let status = |path: &str| {
        let url = format!("http://{address}{path}");
        blocking(move || agent().get(url).call().unwrap().status().as_u16())
    };
    assert_eq!(status("/other").await, 404);
    assert_eq!(status("/pages/one").await, 200);
}
