//! What the page reads, with stores that answer and without.

use std::time::{Duration, Instant};

use lambda_http::http::StatusCode;
use millrace_store_mysql::pool;
use millrace_test_support::environment::nowhere;
use millrace_test_support::mysql::TestDatabase;

use crate::site::{site, site_on, site_with_alarms};

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
async fn the_platform_s_alarms_are_those_of_the_supervisor_s_file() {
    let aws = site().await;
    let (status, body) = aws.get("/api/platform-alarms", &aws.cookie().await).await;
    assert_eq!((status, body), (StatusCode::OK, serde_json::json!({"platform": null})), "on AWS there is no file");

    let file = std::env::temp_dir().join(format!("millrace-alarms-{}", std::process::id()));
    let site = site_with_alarms(file.clone()).await;
    let cookie = site.cookie().await;
    let told = async || site.get("/api/platform-alarms", &cookie).await;
    assert_eq!(told().await.1["platform"], serde_json::json!({"at": null, "watched": 0, "alarms": []}));
    let report = r#"{"at": "2026-11-21T12:00:00Z", "pages": [], "alarms": [{"name": "site-hot", "state": "ALARM"}, {"name": "cache-old", "state": "OK"}]}"#;
    std::fs::write(&file, report).unwrap();
    assert_eq!(
        told().await.1["platform"],
        serde_json::json!({"at": "2026-11-21T12:00:00Z", "watched": 2, "alarms": [{"name": "site-hot", "state": "ALARM"}]})
    );
    std::fs::write(&file, "{").unwrap();
    assert_eq!(told().await.0, StatusCode::SERVICE_UNAVAILABLE);
    std::fs::remove_file(&file).unwrap();
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
