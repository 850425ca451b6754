//! Requests to the dashboard, over the real stores and a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use chrono::Utc;
use dashboard::Dashboard;
use dashboard::broker::Broker;
use dashboard::session::Sessions;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_mysql::{MySqlPool, pool, schema};
use millrace_test_support::environment;
use millrace_test_support::mysql::TestDatabase;
use rskafka::client::partition::{Compression, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use serde_json::Value;
use uuid::Uuid;

const PASSWORD: &str = "correct horse";

struct Site {
    dashboard: Dashboard,
    topic: String,
    _database: TestDatabase,
}

/// Where nothing answers.
fn nowhere() -> String {
    format!("127.0.0.1:{}", std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
}

async fn site_on(mysql: MySqlPool, documents_url: String, kafka: &str, database: TestDatabase) -> Site {
    let settings = DocumentSettings {
        url: documents_url,
        database: database.name().into(),
        user: None,
        password: None,
        timeout: Duration::from_secs(3),
    };
    let hash = Argon2::default().hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let topic = format!("dashboard-{}", Uuid::new_v4().simple());
    let dashboard = Dashboard::new(
        mysql,
        DocumentStore::connect(&settings).await.unwrap(),
        Broker::new(kafka, [topic.clone()]),
        Sessions::new(hash.into(), &"ab".repeat(32).into()).unwrap(),
    );
    Site { dashboard, topic, _database: database }
}

async fn site() -> Site {
    let database = TestDatabase::create().await;
    let mysql = pool::with(database.options());
    schema::migrate(&mysql, Utc::now()).await.unwrap();
    site_on(
        mysql,
        environment::required("MILLRACE_TEST_DOCUMENTS_URL"),
        &environment::required("MILLRACE_TEST_KAFKA"),
        database,
    )
    .await
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let mut request = lambda_http::http::Request::builder().method(method).uri(path).header("host", "dashboard.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body)).unwrap()
}

impl Site {
    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Body> {
        self.dashboard.handle(with_query(request(method, path, headers, body))).await
    }

    /// The cookie of a session that was signed in.
    async fn cookie(&self) -> String {
        let answer = self.send(Method::POST, "/sign-in", &[], "password=correct+horse").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn get(&self, path: &str, cookie: &str) -> (StatusCode, Value) {
        let answer = self.send(Method::GET, path, &[("cookie", cookie)], "").await;
        (answer.status(), serde_json::from_slice(answer.body()).unwrap())
    }
}

/// The query as API Gateway hands it over.
fn with_query(request: Request) -> Request {
    use lambda_http::RequestExt;
    let query: std::collections::HashMap<String, Vec<String>> = request
        .uri()
        .query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), vec![value.to_owned()]))
        .collect();
    request.with_query_string_parameters(query)
}

async fn kafka() -> Client {
    ClientBuilder::new(vec![environment::required("MILLRACE_TEST_KAFKA")]).build().await.unwrap()
}

async fn create_topic(client: &Client, topic: &str, partitions: i32) {
    client.controller_client().unwrap().create_topic(topic, partitions, 1, 10_000).await.unwrap();
    let begun = Instant::now();
    while !client.list_topics().await.unwrap().iter().any(|found| found.name == topic) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{topic} was created");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn produce(client: &Client, topic: &str, partition: i32, values: &[&str], compression: Compression) {
    let partition = client.partition_client(topic, partition, UnknownTopicHandling::Retry).await.unwrap();
    let record = |value: &&str| Record {
        key: Some(b"key".to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: Default::default(),
        timestamp: Utc::now(),
    };
    partition.produce(values.iter().map(record).collect(), compression).await.unwrap();
}

fn values(answer: &Value) -> Vec<&str> {
    answer["records"].as_array().unwrap().iter().map(|record| record["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everything_but_health_and_sign_in_needs_a_session() {
    let site = site().await;
    let status = async |path: &str| site.send(Method::GET, path, &[], "").await.status();
    assert_eq!(status("/healthz").await, StatusCode::OK);
    assert_eq!(status("/sign-in").await, StatusCode::OK);
    assert_eq!(status("/assets/style.css").await, StatusCode::OK);
    assert_eq!(status("/").await, StatusCode::SEE_OTHER);
    for path in ["/api/overview", "/api/alarms", "/api/sensors", "/api/usage", "/api/live", "/api/nothing"] {
        let answer = site.send(Method::GET, path, &[("cookie", "millrace_session=1999999999.a.b")], "").await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["error"], "sign in first");
    }
}

#[tokio::test]
async fn one_signs_in_with_the_password_and_out_with_the_pages_token() {
    let site = site().await;
    assert_eq!(site.send(Method::POST, "/sign-in", &[], "password=wrong").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(site.send(Method::POST, "/sign-in", &[], "").await.status(), StatusCode::BAD_REQUEST);
    let cookie = site.cookie().await;
    let page = site.send(Method::GET, "/", &[("cookie", &cookie)], "").await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = String::from_utf8(page.body().to_vec()).unwrap();
    let token = page.split(r#"name="csrf" value=""#).nth(1).unwrap().split('"').next().unwrap();
    for body in ["", "csrf=", "csrf=0000"] {
        let answer = site.send(Method::POST, "/sign-out", &[("cookie", &cookie)], body).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    let body = format!("csrf={token}");
    let foreign = [("cookie", cookie.as_str()), ("origin", "https://evil.test")];
    assert_eq!(site.send(Method::POST, "/sign-out", &foreign, &body).await.status(), StatusCode::FORBIDDEN);
    let own = [("cookie", cookie.as_str()), ("origin", "http://dashboard.test")];
    let out = site.send(Method::POST, "/sign-out", &own, &body).await;
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert!(out.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn another_sites_page_cannot_sign_in() {
    let site = site().await;
    let post =
        async |headers: &[(&str, &str)]| site.send(Method::POST, "/sign-in", headers, "password=correct+horse").await;
    for headers in [[("origin", "https://evil.test")], [("origin", "null")], [("sec-fetch-site", "cross-site")]] {
        let answer = post(&headers).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{headers:?}");
        assert!(answer.headers().get(header::SET_COOKIE).is_none());
    }
    let answer = post(&[
        ("origin", "https://dashboard.test"),
        ("sec-fetch-site", "same-origin"),
        ("x-forwarded-proto", "https"),
    ])
    .await;
    assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().contains("; Secure"));
}

#[tokio::test]
async fn who_guesses_has_to_wait_even_with_the_right_password() {
    let site = site().await;
    for _ in 0..6 {
        site.send(Method::POST, "/sign-in", &[], "password=guess").await;
    }
    let answer = site.send(Method::POST, "/sign-in", &[], "password=correct+horse").await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn every_answer_forbids_foreign_scripts_and_frames() {
    let site = site().await;
    for path in ["/healthz", "/", "/sign-in", "/assets/app.js", "/api/live", "/nowhere"] {
        let answer = site.send(Method::GET, path, &[], "").await;
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'")
                && policy.contains("frame-ancestors 'none'")
                && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    let head = site.send(Method::HEAD, "/sign-in", &[], "").await;
    assert_eq!((head.status(), head.body().len()), (StatusCode::OK, 0));
    assert_eq!(site.send(Method::DELETE, "/", &[], "").await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_tail_begins_now_and_gives_each_later_record_once() {
    let site = site().await;
    let client = kafka().await;
    create_topic(&client, &site.topic, 2).await;
    produce(&client, &site.topic, 0, &["before"], Compression::NoCompression).await;
    let cookie = site.cookie().await;
    let (status, first) = site.get("/api/live", &cookie).await;
    assert_eq!((status, first["records"].as_array().unwrap().len()), (StatusCode::OK, 0));
    let live = async |answer: &Value| {
        site.get(&format!("/api/live?cursor={}", answer["cursor"].as_str().unwrap()), &cookie).await.1
    };

    produce(&client, &site.topic, 0, &["one", "two"], Compression::Gzip).await;
    produce(&client, &site.topic, 1, &["three"], Compression::Snappy).await;
    produce(&client, &site.topic, 1, &["four"], Compression::Lz4).await;
    produce(&client, &site.topic, 1, &["five"], Compression::Zstd).await;
    let second = live(&first).await;
    assert_eq!(values(&second), ["one", "two", "three", "four", "five"]);
    assert_eq!(second["behind"], 0);
    let record = &second["records"][1];
    assert_eq!(
        (&record["topic"], &record["partition"], &record["offset"], &record["key"]),
        (&site.topic.clone().into(), &0.into(), &2.into(), &"key".into())
    );
    assert_eq!(values(&live(&second).await), [] as [&str; 0]);
    assert_eq!(values(&live(&first).await).len(), 5, "an answer that was lost can be asked for again");
    client.controller_client().unwrap().delete_topic(&site.topic, 10_000).await.unwrap();
}

#[tokio::test]
async fn a_tail_that_fell_behind_catches_up_without_a_gap() {
    let site = site().await;
    let client = kafka().await;
    create_topic(&client, &site.topic, 1).await;
    let cookie = site.cookie().await;
    let (_, mut answer) = site.get("/api/live", &cookie).await;
    let numbers: Vec<String> = (0..1700).map(|n| n.to_string()).collect();
    produce(
        &client,
        &site.topic,
        0,
        &numbers.iter().map(String::as_str).collect::<Vec<_>>(),
        Compression::NoCompression,
    )
    .await;
    let mut seen = Vec::new();
    for behind in [1200, 700, 200, 0] {
        answer = site.get(&format!("/api/live?cursor={}", answer["cursor"].as_str().unwrap()), &cookie).await.1;
        assert_eq!(answer["behind"], behind);
        seen.extend(values(&answer).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, numbers);
    client.controller_client().unwrap().delete_topic(&site.topic, 10_000).await.unwrap();
}

#[tokio::test]
async fn a_cursor_before_or_beyond_the_log_is_mended() {
    let site = site().await;
    let client = kafka().await;
    create_topic(&client, &site.topic, 1).await;
    let cookie = site.cookie().await;
    let (_, start) = site.get("/api/live", &cookie).await;
    produce(&client, &site.topic, 0, &["a", "b", "c"], Compression::NoCompression).await;
    let live = async |answer: &Value| {
        site.get(&format!("/api/live?cursor={}", answer["cursor"].as_str().unwrap()), &cookie).await
    };
    let (_, end) = live(&start).await;

    let partition = client.partition_client(site.topic.clone(), 0, UnknownTopicHandling::Retry).await.unwrap();
    partition.delete_records(2, 10_000).await.unwrap();
    let (status, trimmed) = live(&start).await;
    assert_eq!((status, values(&trimmed)), (StatusCode::OK, vec!["c"]), "the log begins after the cursor");

    let controller = client.controller_client().unwrap();
    controller.delete_topic(&site.topic, 10_000).await.unwrap();
    let begun = Instant::now();
    while controller.create_topic(&site.topic, 1, 1, 10_000).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the topic was made again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    produce(&client, &site.topic, 0, &["new"], Compression::NoCompression).await;
    // The broker's own view of a topic that was made again needs a moment.
    let begun = Instant::now();
    loop {
        let (status, again) = live(&end).await;
        if status == StatusCode::OK {
            assert_eq!(values(&again), ["new"], "what a topic made again has is after the cursor");
            break;
        }
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    controller.delete_topic(&site.topic, 10_000).await.unwrap();
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let site = site().await;
    let cookie = site.cookie().await;
    let (status, body) = site.get("/api/live?cursor=nonsense", &cookie).await;
    assert_eq!(
        (status, body["error"].as_str().unwrap()),
        (StatusCode::BAD_REQUEST, "cursor: expected one that an earlier answer gave")
    );
    for hours in ["0", "745", "-1", "x", ""] {
        let (status, body) = site.get(&format!("/api/usage?hours={hours}"), &cookie).await;
        assert_eq!(
            (status, body["error"].as_str().unwrap()),
            (StatusCode::BAD_REQUEST, "hours: expected a number from 1 to 744")
        );
    }
    assert_eq!(site.get("/api/nothing", &cookie).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_empty_platform_has_an_overview() {
    let site = site().await;
    let cookie = site.cookie().await;
    let (status, overview) = site.get("/api/overview", &cookie).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(overview["problems"], serde_json::json!([]));
    assert_eq!(overview["alarms"], serde_json::json!({"open": 0, "latest": []}));
    assert_eq!(overview["cache"]["stale"], true);
    assert!(overview["topics"][0]["produced"].is_null(), "the topic is not there");
    assert_eq!(site.get("/api/usage?hours=744", &cookie).await.1["hours"], serde_json::json!([]));
}

#[tokio::test]
async fn stores_that_are_away_are_named_in_time_and_nothing_secret_is_told() {
    let database = TestDatabase::create().await;
    let mysql = pool::connect(&format!("mysql://millrace@{}/millrace", nowhere()), Some(&"s3cret".into())).unwrap();
    let site = site_on(mysql, format!("mongodb://{}/", nowhere()), &nowhere(), database).await;
    let cookie = site.cookie().await;
    let begun = Instant::now();
    let (status, overview) = site.get("/api/overview", &cookie).await;
    assert_eq!(status, StatusCode::OK);
    let mut problems: Vec<_> = overview["problems"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    problems.sort_unstable();
    assert_eq!(problems, ["documents", "kafka", "mysql"]);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    for (path, store) in [("/api/alarms", "mysql"), ("/api/usage", "documents"), ("/api/live", "kafka")] {
        let (status, body) = site.get(path, &cookie).await;
        assert_eq!(
            (status, body["error"].as_str().unwrap()),
            (StatusCode::SERVICE_UNAVAILABLE, format!("{store} does not answer").as_str())
        );
    }
}
