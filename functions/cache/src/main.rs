//! The process that Lambda runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cache::Cache;
use chrono::Utc;
use lambda_runtime::Error;
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::settings::{self, DocumentsSettings};
use millrace_lambda_support::{invocation, logs, metrics};
use millrace_store_documents::{DocumentSettings, DocumentStore};

/// What a run takes of the function's timeout (function.json); the last step and the answer get the rest.
const BUDGET: Duration = Duration::from_secs(240);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    let DocumentsSettings { url, database, user, password } = DocumentsSettings::read(&settings::environment).await?;
    let documents = DocumentSettings { url, database, user, password, timeout: Duration::from_secs(30) };
    let cache = Cache {
        mysql: mysql.pool().clone(),
        documents: DocumentStore::connect(&documents).await?,
        holder: uuid::Uuid::new_v4().to_string(),
    };
    invocation::serve(&mysql, async |_| {
        let begun = Instant::now();
        let summary = cache.run((begun + BUDGET).into()).await?;
        let now = Utc::now();
        metrics::emit(None, &summary.metrics(now, begun.elapsed()));
        Ok(summary.to_json(now))
    })
    .await
}
