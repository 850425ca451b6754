//! The process that Lambda runs.

use std::convert::Infallible;
use std::time::Duration;

use dashboard::broker::Broker;
use dashboard::session::Sessions;
use dashboard::{Dashboard, TOPICS};
use lambda_http::{Error, service_fn};
use millrace_lambda_support::logs;
use millrace_lambda_support::settings::{
    DocumentsSettings, KafkaSettings, MysqlSettings, SessionSettings, alarms_file, environment,
};
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_mysql::pool;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let mysql = MysqlSettings::read(&environment)?;
    let DocumentsSettings { url, database, user, password } = DocumentsSettings::read(&environment)?;
    let documents = DocumentSettings { url, database, user, password, timeout: Duration::from_secs(3) };
    let kafka = KafkaSettings::read(&environment)?;
    let session = SessionSettings::read(&environment)?;
    let dashboard = Dashboard::new(
        pool::connect(&mysql.url, mysql.password.as_ref())?,
        DocumentStore::connect(&documents).await?,
        Broker::new(&kafka.brokers, TOPICS),
        Sessions::new(session.password_hash, &session.secret)?,
    )
    .with_platform_alarms(alarms_file(&environment));
    let dashboard = &dashboard;
    lambda_http::run(service_fn(move |request| async move { Ok::<_, Infallible>(dashboard.handle(request).await) }))
        .await
}
