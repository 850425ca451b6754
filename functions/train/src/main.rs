//! The process that Lambda runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::Utc;
use lambda_runtime::Error;
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::settings::{self, DocumentsSettings, ObjectsSettings};
use millrace_lambda_support::{invocation, logs, metrics};
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_objects::{ObjectSettings, ObjectStore};
use train::{Settings, Train};

/// How long a command to the documents may take. The embedded server has no index to sort by and needs minutes for a million.
const PATIENCE: Duration = Duration::from_secs(240);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    let DocumentsSettings { url, database, user, password } = DocumentsSettings::read(&settings::environment).await?;
    let documents = DocumentSettings { url, database, user, password, timeout: PATIENCE };
    let ObjectsSettings { endpoint, bucket } = ObjectsSettings::read(&settings::environment)?;
    let objects = ObjectSettings { endpoint, ..ObjectSettings::on_aws(&bucket) };
    let train = Train {
        mysql: mysql.pool().clone(),
        documents: DocumentStore::connect(&documents).await?,
        objects: ObjectStore::new(&objects),
        holder: format!("train {}", uuid::Uuid::new_v4()),
        settings: Settings::read(&settings::environment)?,
        clock: Utc::now,
    };
    invocation::serve(&mysql, async |_| {
        let begun = Instant::now();
        let answer = train.run().await?;
        metrics::emit(None, &answer.metrics(begun.elapsed()));
        Ok(answer)
    })
    .await
}
