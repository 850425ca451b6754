//! The process that Lambda runs.

use std::process::ExitCode;

use lambda_runtime::Error;
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::{invocation, logs, settings};
use watch::Watch;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    let silent_after = settings::silent_after(&settings::environment)?;
    let watch = Watch::new(mysql.clone(), silent_after);
    invocation::serve(&mysql, async |payload| watch.handle(payload, chrono::Utc::now()).await).await
}
