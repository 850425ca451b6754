//! The process that Lambda runs.

use std::process::ExitCode;
use std::time::Instant;

use chrono::Utc;
use lambda_runtime::Error;
use migrate::Migrate;
use millrace_lambda_support::metrics::{self, Metric};
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::{invocation, logs, settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    let migrate = Migrate::new(mysql.pool().clone());
    invocation::serve(&mysql, async |_| {
        let begun = Instant::now();
        // Read in each run: a process that is older than the users' new passwords must not bring the old ones back.
        let users = migrate::accounts(settings::mysql_users(&settings::environment).await?)?;
        let summary = migrate.run(Utc::now(), &users).await?;
        metrics::emit(None, &[(Metric::RunDuration, begun.elapsed().as_secs_f64() * 1e3)]);
        Ok(summary)
    })
    .await
}
