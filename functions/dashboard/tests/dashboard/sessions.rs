//! Signing in and out, and what every answer carries.

use lambda_http::http::{Method, StatusCode, header};
use millrace_lambda_support::settings::UserPool;
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

/// A request as API Gateway hands it over after its authorizer found these claims.
fn authorized(method: Method, claims: Option<Value>, origin: &str) -> lambda_http::Request {
    let event = serde_json::json!({
        "version": "2.0",
        "routeKey": "POST /signed-in",
        "rawPath": "/signed-in",
        "rawQueryString": "",
        "headers": {"host": "dashboard.test", "origin": origin, "x-forwarded-proto": "https"},
        "requestContext": {
            "stage": "$default",
            "http": {"method": method.as_str(), "path": "/signed-in", "sourceIp": "127.0.0.1"},
            "authorizer": claims.map(|claims| serde_json::json!({"jwt": {"claims": claims, "scopes": null}})),
        },
        "isBase64Encoded": false,
    });
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

#[tokio::test]
async fn a_token_that_api_gateway_has_checked_begins_a_session() {
    let pool = UserPool { address: "https://people.example.com".into(), client_id: "client".into() };
    let site = site().await.with_user_pool(pool);
    let person = serde_json::json!({"sub": "1", "token_use": "id", "email": "operator@example.com"});
    let own = "https://dashboard.test";
    let answer = site.answer(authorized(Method::POST, Some(person.clone()), own)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("; Secure"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(site.send(Method::GET, "/", &[("cookie", cookie)], "").await.status(), StatusCode::OK);

    let access = serde_json::json!({"sub": "1", "token_use": "access"});
    for (claims, origin, status) in [
        (None, own, StatusCode::UNAUTHORIZED),
        (Some(access), own, StatusCode::UNAUTHORIZED),
        (Some(person), "https://evil.test", StatusCode::FORBIDDEN),
    ] {
        let answer = site.answer(authorized(Method::POST, claims, origin)).await;
        assert_eq!(answer.status(), status);
        assert!(answer.headers().get(header::SET_COOKIE).is_none());
    }
    let answer = site.send(Method::POST, "/signed-in", &[("authorization", "Bearer e30.e30.e30")], "").await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "a token that nobody has checked is none");

    for path in ["/sign-in", "/signed-in?code=1&state=2"] {
        let answer = site.send(Method::GET, path, &[], "").await;
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.ends_with("connect-src 'self' https://people.example.com"), "{policy}");
        let page = String::from_utf8(answer.body().to_vec()).unwrap();
        assert!(page.contains(r#"data-address="https://people.example.com" data-client="client""#), "{page}");
        assert!(!page.contains("{{"), "{page}");
    }
}

#[tokio::test]
async fn without_a_user_pool_there_is_no_way_by_one() {
    let site = site().await;
    let person = serde_json::json!({"sub": "1", "token_use": "id"});
    let answer = site.answer(authorized(Method::POST, Some(person), "https://dashboard.test")).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(site.send(Method::GET, "/signed-in", &[], "").await.status(), StatusCode::NOT_FOUND);
    let page = site.send(Method::GET, "/sign-in", &[], "").await;
    let page = String::from_utf8(page.body().to_vec()).unwrap();
    assert!(!page.contains("user-pool") && !page.contains("{{"), "{page}");
}

#[tokio::test]
async fn who_guesses_has_to_wait_even_with_the_right_password() {
    let site = site().await;
    // More than it takes: when one of them takes long, the first wait may be over.
    for _ in 0..12 {
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
