//! The process that Lambda runs.

use std::time::{Duration, Instant};

use cache::Cache;
use chrono::Utc;
use lambda_runtime::Error;
use millrace_lambda_support::metrics::{self, Metric};
use millrace_lambda_support::settings::{self, DocumentsSettings, MysqlSettings};
use millrace_lambda_support::{invocation, logs};
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_mysql::pool;

/// What a run takes of the function's timeout (function.json); the last step and the answer get the rest.
const BUDGET: Duration = Duration::from_secs(240);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let mysql = MysqlSettings::read(&settings::environment)?;
    let DocumentsSettings { url, database, user, password } = DocumentsSettings::read(&settings::environment)?;
    let documents = DocumentSettings { url, database, user, password, timeout: Duration::from_secs(30) };
    let cache = Cache {
        mysql: pool::connect(&mysql.url, mysql.password.as_ref())?,
        documents: DocumentStore::connect(&documents).await?,
        holder: uuid::Uuid::new_v4().to_string(),
    };
    invocation::serve(async |_| {
        let begun = Instant::now();
        let summary = cache.run((begun + BUDGET).into()).await?;
        let now = Utc::now();
        let mut values = vec![
            (Metric::DocumentsWritten, summary.written() as f64),
            (Metric::RunDuration, begun.elapsed().as_secs_f64() * 1e3),
        ];
        values.extend(summary.age(now).map(|age| (Metric::CacheAge, age)));
        values.extend(summary.checks.metrics());
        metrics::emit(None, &values);
        Ok(summary.to_json(now))
    })
    .await
}
