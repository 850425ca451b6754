//! Signing in and out, and what every answer carries.

use lambda_http::http::{Method, StatusCode, header};
use serde_json::Value;

use crate::site::site;

#[tokio::test]
async fn everything_but_health_and_sign_in_needs_a_session() {
    let site = site().await;
    let status = async |path: &str| site.send(Method::GET, path, &[], "").await.status();
    assert_eq!(status("/healthz").await, StatusCode::OK);
    assert_eq!(status("/sign-in").await, StatusCode::OK);
    assert_eq!(status("/assets/style.css").await, StatusCode::OK);
    assert_eq!(status("/").await, StatusCode::SEE_OTHER);
    for path in [
        "/api/overview",
        "/api/alarms",
        "/api/sensors",
        "/api/usage",
        "/api/revenue",
        "/api/churn",
        "/api/forecasts",
        "/api/live",
        "/api/nothing",
    ] {
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
