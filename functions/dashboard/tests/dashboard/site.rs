//! A dashboard over stores of its own.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use chrono::Utc;
use dashboard::Dashboard;
use dashboard::broker::Broker;
use dashboard::session::Sessions;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use millrace_lambda_support::settings::{KafkaSettings, UserPool};
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_mysql::{MySqlPool, pool, schema};
use millrace_test_support::environment;
use millrace_test_support::mysql::TestDatabase;
use serde_json::Value;
use uuid::Uuid;

const PASSWORD: &str = "correct horse";

pub(crate) struct Site {
    dashboard: Dashboard,
    pub(crate) topic: String,
    pub(crate) mysql: MySqlPool,
    pub(crate) documents: DocumentStore,
    _database: TestDatabase,
}

pub(crate) async fn site_on(mysql: MySqlPool, documents_url: String, kafka: &str, database: TestDatabase) -> Site {
    let settings = DocumentSettings {
        url: documents_url,
        database: database.name().into(),
        user: None,
        password: None,
        timeout: Duration::from_secs(3),
    };
    let hash = Argon2::default().hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let topic = format!("dashboard-{}", Uuid::new_v4().simple());
    let documents = DocumentStore::connect(&settings).await.unwrap();
    let dashboard = Dashboard::new(
        mysql.clone(),
        documents.clone(),
        Broker::of(&KafkaSettings::Brokers(kafka.to_owned()), [topic.clone()]).unwrap(),
        Sessions::new(hash.into(), "ab".repeat(32).into()).unwrap(),
    );
    Site { dashboard, topic, mysql, documents, _database: database }
}

/// A dashboard that reads the platform's alarms from a file.
pub(crate) async fn site_with_alarms(file: std::path::PathBuf) -> Site {
    let Site { dashboard, topic, mysql, documents, _database } = site().await;
    Site { dashboard: dashboard.with_platform_alarms(Some(file)), topic, mysql, documents, _database }
}

pub(crate) async fn site() -> Site {
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
    /// The same site, where people sign in by a user pool too.
    pub(crate) fn with_user_pool(self, pool: UserPool) -> Self {
        Self { dashboard: self.dashboard.with_user_pool(Some(pool)), ..self }
    }

    pub(crate) async fn answer(&self, request: Request) -> Response<Body> {
        self.dashboard.handle(request).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Body> {
        self.dashboard.handle(with_query(request(method, path, headers, body))).await
    }

    /// The cookie of a session that was signed in.
    pub(crate) async fn cookie(&self) -> String {
        let answer = self.send(Method::POST, "/sign-in", &[], "password=correct+horse").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> (StatusCode, Value) {
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
