//! The process that Lambda runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use archive::{Answer, Archive, Limits, Request};
use chrono::Utc;
use lambda_runtime::Error;
use millrace_lambda_support::metrics::{self, Metric};
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::settings::{self, ObjectsSettings};
use millrace_lambda_support::{invocation, logs};
use millrace_store_objects::{ObjectSettings, ObjectStore};

/// What a run takes of the function's timeout (function.json); the file that is being written then and the answer get the rest.
const BUDGET: Duration = Duration::from_secs(720);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    let ObjectsSettings { endpoint, bucket } = ObjectsSettings::read(&settings::environment)?;
    let objects = ObjectStore::new(&ObjectSettings { endpoint, ..ObjectSettings::on_aws(&bucket) });
    let retention = settings::retention(&settings::environment)?;
    invocation::serve(&mysql, async |event| {
        let begun = Instant::now();
        let request = Request::parse(event)?;
        let holder = format!("archive {}", uuid::Uuid::new_v4());
        let limits = Limits::default();
        let archive = Archive { pool: mysql.pool().clone(), objects: objects.clone(), holder, retention, limits };
        let answer = archive.run(&request, Utc::now(), begun + BUDGET).await?;
        let mut values = vec![(Metric::RunDuration, begun.elapsed().as_secs_f64() * 1e3)];
        if let Answer::Archived(archived) = &answer {
            let rows: u64 = archived.days.iter().map(|day| day.rows).sum();
            values.push((Metric::RowsArchived, rows as f64));
        }
        metrics::emit(None, &values);
        Ok(answer)
    })
    .await
}
