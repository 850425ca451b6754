//! The process that Lambda runs.

use std::process::ExitCode;
use std::time::Duration;

use lambda_runtime::Error;
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::settings::{self, DocumentsSettings, ObjectsSettings};
use millrace_lambda_support::{invocation, logs};
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_objects::{ObjectSettings, ObjectStore};
use score::Score;

/// How long a command to the documents may take.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    let ObjectsSettings { endpoint, bucket } = ObjectsSettings::read(&settings::environment)?;
    let objects = ObjectSettings { endpoint, ..ObjectSettings::on_aws(&bucket) };
    let DocumentsSettings { url, database, user, password } = DocumentsSettings::read(&settings::environment).await?;
    let documents = DocumentSettings { url, database, user, password, timeout: PATIENCE };
    let score = Score::new(mysql.clone(), ObjectStore::new(&objects), DocumentStore::connect(&documents).await?);
    invocation::serve(&mysql, async |payload| score.handle(payload).await).await
}
