//! Requests as events and answers as responses, in API Gateway's payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: String,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: BTreeMap<&'static str, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: String,
    route_key: String,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: String,
    source_ip: String,
    user_agent: &'a str,
}

/// The event of a request that came by the route `route_path`.
pub(super) fn event(route_path: &str, parts: &Parts, peer: SocketAddr, body: &Bytes, now: DateTime<Utc>) -> Bytes {
    let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = header(header::HOST);
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let route_key = if route_path == "$default" { route_path.to_owned() } else { format!("ANY {route_path}") };
    let (text, is_base64_encoded) = encode(body, header(header::CONTENT_TYPE));
    let event = Event {
        version: "2.0",
        route_key: route_key.clone(),
        raw_path: path,
        raw_query_string: query,
        cookies: cookies(parts),
        headers: headers(parts, peer),
        query_string_parameters: query_parameters(query),
        path_parameters: path_parameters(route_path, path),
        request_context: RequestContext {
            account_id: "000000000000",
            api_id: "local",
            domain_name: host,
            domain_prefix: host.split('.').next().unwrap_or_default(),
            http: Http {
                method: parts.method.as_str(),
                path,
                protocol: format!("{:?}", parts.version),
                source_ip: peer.ip().to_string(),
                user_agent: header(header::USER_AGENT),
            },
            request_id: uuid::Uuid::new_v4().to_string(),
            route_key,
            stage: "$default",
            time: now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            time_epoch: now.timestamp_millis(),
        },
        body: (!body.is_empty()).then_some(text),
        is_base64_encoded,
    };
    // Strings and numbers always serialise.
    Bytes::from(serde_json::to_vec(&event).unwrap_or_default())
}

/// Text goes as it is, everything else as base64, by the content type as API Gateway decides.
fn encode(body: &Bytes, content_type: &str) -> (String, bool) {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = kind.is_empty()
        || kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
        || kind.ends_with("+json")
        || kind.ends_with("+xml");
    match std::str::from_utf8(body) {
        Ok(text) if is_text => (text.to_owned(), false),
        _ if body.is_empty() => (String::new(), false),
        _ => (base64_simd::STANDARD.encode_to_string(body), true),
    }
}

fn cookies(parts: &Parts) -> Vec<String> {
    let values = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(';')).map(|cookie| cookie.trim().to_owned()).filter(|c| !c.is_empty()).collect()
}

/// Lower-case names, several values joined by a comma; cookies stand apart.
fn headers(parts: &Parts, peer: SocketAddr) -> BTreeMap<&str, String> {
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in &parts.headers {
        if name == header::COOKIE {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str())
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    // What API Gateway says of where the request came from is its own: a caller cannot set it.
    let forwarded = match headers.get("x-forwarded-for") {
        Some(before) => format!("{before}, {}", peer.ip()),
        None => peer.ip().to_string(),
    };
    headers.insert("x-forwarded-for", forwarded);
    headers.insert("x-forwarded-proto", "http".to_owned());
    headers
}

/// Decoded names and values; several values of one name joined by a comma.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // In a query, unlike in a path, a plus is a space.
        let value = percent_decoded(&value.replace('+', " "));
        parameters
            .entry(percent_decoded(&name.replace('+', " ")))
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.clone());
    }
    parameters
}

fn path_parameters(route_path: &str, path: &str) -> BTreeMap<&'static str, String> {
    let rest = route_path.strip_suffix("{proxy+}").and_then(|folder| path.strip_prefix(folder));
    rest.map(|rest| ("proxy", percent_decoded(rest))).into_iter().collect()
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(escaped) if byte == b'%' => {
                decoded.push(escaped);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A function's answer, as `lambda_http` writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

/// The response of a function's answer. An answer without a status code is the body of a JSON response, as format 2.0 has it.
pub(super) fn response(payload: &Bytes) -> Result<Response, String> {
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    if value.get("statusCode").is_none() {
        let body = value.as_str().map_or_else(|| payload.clone(), |text| Bytes::from(text.to_owned()));
        return Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response());
    }
    let answer: Answer = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded.unwrap_or_default() {
        base64_simd::STANDARD
            .decode_to_vec(body.as_bytes())
            .map_err(|error| format!("the body is no base64: {error}"))?
    } else {
        body.into_bytes()
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).map_err(|error| error.to_string())?;
    let multiple = answer.multi_value_headers.unwrap_or_default();
    let single = answer.headers.unwrap_or_default().into_iter().filter(|(name, _)| !multiple.contains_key(name));
    let single = single.map(|(name, value)| (name, vec![value]));
    let cookies = answer.cookies.map(|cookies| ("set-cookie".to_owned(), cookies));
    for (name, values) in single.chain(multiple.clone()).chain(cookies) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        // The length follows from the body.
        if name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING {
            continue;
        }
        for value in values {
            response.headers_mut().append(&name, HeaderValue::from_str(&value).map_err(|error| error.to_string())?);
        }
    }
    response.headers_mut().entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    Ok(response)
}
