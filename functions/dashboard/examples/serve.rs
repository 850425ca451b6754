//! Serves the dashboard over plain HTTP while one works on its page, without a local host: `cargo run --release -p dashboard
//! --example serve -- 127.0.0.1:8090`, with the function's environment (function.json's groups) set.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use dashboard::broker::Broker;
use dashboard::session::Sessions;
use dashboard::{Dashboard, TOPICS};
use millrace_lambda_support::logs;
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::settings::{DocumentsSettings, KafkaSettings, SessionSettings, environment};
use millrace_store_documents::{DocumentSettings, DocumentStore};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let mysql = Mysql::connect(&environment).await.map_err(anyhow::Error::from_boxed)?;
    let DocumentsSettings { url, database, user, password } = DocumentsSettings::read(&environment).await?;
    let documents = DocumentSettings { url, database, user, password, timeout: Duration::from_secs(3) };
    let session = SessionSettings::read(&environment).await?;
    let dashboard = Arc::new(Dashboard::new(
        mysql,
        DocumentStore::connect(&documents).await?,
        Broker::of(&KafkaSettings::read(&environment)?, TOPICS)?,
        Sessions::new(session.password_hash, session.secret)?,
    ));
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let dashboard = dashboard.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap_or_default().to_vec();
            let answer = dashboard.handle(lambda_http::Request::from_parts(parts, body.into())).await;
            let (parts, body) = answer.into_parts();
            Response::from_parts(parts, Body::from(body.to_vec()))
        }
    });
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".into());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
