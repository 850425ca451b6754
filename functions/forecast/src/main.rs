//! The process that Lambda runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::Utc;
use forecast::{Forecaster, Settings};
use lambda_runtime::Error;
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::settings::{self, DocumentsSettings, ObjectsSettings};
use millrace_lambda_support::{invocation, logs, metrics};
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_objects::{ObjectSettings, ObjectStore};

/// What a run takes of the function's timeout (function.json); the last series and the writing get the rest.
const BUDGET: Duration = Duration::from_secs(480);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    let DocumentsSettings { url, database, user, password } = DocumentsSettings::read(&settings::environment).await?;
    let documents = DocumentSettings { url, database, user, password, timeout: Duration::from_secs(30) };
    let ObjectsSettings { endpoint, bucket } = ObjectsSettings::read(&settings::environment)?;
    let forecaster = Forecaster {
        mysql: mysql.pool().clone(),
        documents: DocumentStore::connect(&documents).await?,
        objects: ObjectStore::new(&ObjectSettings { endpoint, ..ObjectSettings::on_aws(&bucket) }),
        settings: Settings::read(&settings::environment)?,
        holder: uuid::Uuid::new_v4().to_string(),
    };
    invocation::serve(&mysql, async |_| {
        let begun = Instant::now();
        let summary = forecaster.run(Utc::now(), (begun + BUDGET).into()).await?;
        metrics::emit(None, &summary.metrics(begun.elapsed()));
        Ok(summary.to_json())
    })
    .await
}
