//! The process that Lambda runs.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use dashboard::broker::Broker;
use dashboard::session::Sessions;
use dashboard::{Dashboard, TOPICS};
use lambda_http::{Error, service_fn};
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::settings::{DocumentsSettings, KafkaSettings, SessionSettings, alarms_file, environment};
use millrace_lambda_support::{invocation, logs};
use millrace_store_documents::{DocumentSettings, DocumentStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&environment).await?;
    let DocumentsSettings { url, database, user, password } = DocumentsSettings::read(&environment).await?;
    let documents = DocumentSettings { url, database, user, password, timeout: Duration::from_secs(3) };
    let kafka = KafkaSettings::read(&environment)?;
    let session = SessionSettings::read(&environment).await?;
    let dashboard = Dashboard::new(
        mysql,
        DocumentStore::connect(&documents).await?,
        Broker::of(&kafka, TOPICS)?,
        Sessions::new(session.password_hash, session.secret)?,
    )
    .with_user_pool(session.user_pool)
    .with_platform_alarms(alarms_file(&environment));
    let dashboard = &dashboard;
    lambda_http::run(service_fn(move |request| async move { Ok::<_, Infallible>(dashboard.handle(request).await) }))
        .await
}
