//! The live page, and the JSON that it reads: what comes in, what becomes of it, alarms, sensors, usage by hour, and the live tail.
//!
//! Everything but `/healthz`, the sign-in pages and the page's own files needs a session. Nothing is kept between requests but
//! connections: counters and alarms come from MySQL, sums and sensors from the documents, the tail from Kafka.

mod answer;
mod api;
pub mod broker;
pub mod cursor;
mod guesses;
mod live;
mod pages;
mod people;
pub mod session;
mod sign_in;

use std::path::PathBuf;
use std::time::Instant;

use chrono::Utc;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use millrace_lambda_support::metrics::{self, Metric};
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::settings::UserPool;
use millrace_store_documents::DocumentStore;

use answer::Answer;
use broker::Broker;
use guesses::Guesses;
use session::{Session, Sessions};

/// The topics that the page shows.
pub const TOPICS: [&str; 3] = ["usage-events", "sensor-readings", "customers"];

/// The function, with what it keeps from one request to the next.
pub struct Dashboard {
    mysql: Mysql,
    documents: DocumentStore,
    broker: Broker,
    sessions: Sessions,
    user_pool: Option<UserPool>,
    guesses: Guesses,
    platform_alarms: Option<PathBuf>,
}

impl Dashboard {
    /// A dashboard over these stores.
    pub fn new(mysql: impl Into<Mysql>, documents: DocumentStore, broker: Broker, sessions: Sessions) -> Self {
        let guesses = Guesses::default();
        Self { mysql: mysql.into(), documents, broker, sessions, user_pool: None, guesses, platform_alarms: None }
    }

    /// The same, where people may sign in by a user pool too.
    #[must_use]
    pub fn with_user_pool(self, user_pool: Option<UserPool>) -> Self {
        Self { user_pool, ..self }
    }

    /// The same, where the page shows the platform's own alarms as well, which the supervisor of a stack on a laptop writes to a file.
    #[must_use]
    pub fn with_platform_alarms(self, platform_alarms: Option<PathBuf>) -> Self {
        Self { platform_alarms, ..self }
    }

    /// Answers a request. A failure is an answer too.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let https = request.headers().get("x-forwarded-proto").is_some_and(|protocol| protocol == "https");
        let head = request.method() == Method::HEAD;
        let begun = Instant::now();
        let answer = self.route(&request, https).await;
        let errors = f64::from(u8::from(answer.status().is_server_error()));
        let latency = begun.elapsed().as_secs_f64() * 1e3;
        metrics::emit(None, &[(Metric::DashboardErrors, errors), (Metric::DashboardLatency, latency)]);
        answer::finish(answer, https, head)
    }

    async fn route(&self, request: &Request, https: bool) -> Answer {
        self.sessions.refresh().await;
        let path = request.uri().path();
        let read = matches!(*request.method(), Method::GET | Method::HEAD);
        let session = self.session(request);
        match (path, read) {
            ("/healthz", true) => answer::json(StatusCode::OK, &serde_json::json!({"ok": true})),
            ("/sign-in", true) if session.is_some() => answer::see_other("/"),
            ("/sign-in", true) => self.sign_in_page(StatusCode::OK, None),
            ("/sign-in", false) if *request.method() == Method::POST => self.sign_in(request, https).await,
            ("/sign-out", false) if *request.method() == Method::POST => {
                sign_in::sign_out(request, session.as_ref(), https)
            }
            ("/sign-in", false) => answer::not_allowed("GET, POST"),
            ("/signed-in", true) => self.returned(),
            ("/signed-in", false) if *request.method() == Method::POST => self.signed_in(request, https),
            ("/sign-out", _) => answer::not_allowed("POST"),
            (path, true) if path.starts_with("/assets/") => pages::asset(path),
            (path, _) if path.starts_with("/api/") => match session {
                None => answer::error(StatusCode::UNAUTHORIZED, "sign in first"),
                Some(_) if !read => answer::not_allowed("GET"),
                Some(_) => self.api(request).await,
            },
            ("/", true) => match session {
                None => answer::see_other("/sign-in"),
                Some(session) => pages::page(&session),
            },
            ("/" | "/healthz", false) => answer::not_allowed("GET"),
            _ => answer::error(StatusCode::NOT_FOUND, "there is no such page"),
        }
    }

    fn session(&self, request: &Request) -> Option<Session> {
        let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().strip_prefix(session::COOKIE)?.strip_prefix('='))
            .find_map(|value| self.sessions.check(value, Utc::now()))
    }
}
