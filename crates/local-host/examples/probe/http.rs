//! An HTTP function that answers with what it was asked.

use lambda_http::http::{Response, StatusCode};
use lambda_http::{Body, Error, Request, RequestExt};
use serde_json::json;

/// `/echo` gives the body back as it came, `/slow` takes 40 s, `/error` fails, everything else tells of the request.
pub(crate) async fn echo(request: Request) -> Result<Response<Body>, Error> {
    let content_type = request.headers().get("content-type").cloned();
    match request.uri().path() {
        "/echo" => {
            let mut response = Response::builder().status(StatusCode::CREATED);
            if let Some(content_type) = content_type {
                response = response.header("content-type", content_type);
            }
            Ok(response.body(request.into_body())?)
        }
        "/slow" => {
            tokio::time::sleep(std::time::Duration::from_secs(40)).await;
            Ok(Response::new(Body::Empty))
        }
        "/error" => Err("asked to fail".into()),
        path => {
            let headers: serde_json::Map<String, serde_json::Value> = request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()))
                .collect();
            let mut query: Vec<(String, String)> = request
                .query_string_parameters()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            // Their order is that of a hash map.
            query.sort();
            let body = json!({
                "method": request.method().as_str(), "path": path, "raw_path": request.raw_http_path(),
                "headers": headers, "query": query,
            });
            Ok(Response::builder()
                .header("content-type", "application/json")
                .header("set-cookie", "a=1; HttpOnly")
                .header("set-cookie", "b=2")
                .body(Body::Text(body.to_string()))?)
        }
    }
}
