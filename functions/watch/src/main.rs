//! The process that Lambda runs.

use std::process::ExitCode;

use lambda_runtime::Error;
use millrace_lambda_support::settings::{self, MysqlSettings};
use millrace_lambda_support::{invocation, logs};
use millrace_store_mysql::pool;
use watch::Watch;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = MysqlSettings::read(&settings::environment)?;
    let silent_after = settings::silent_after(&settings::environment)?;
    let watch = Watch::new(pool::connect(&mysql.url, mysql.password.as_ref())?, silent_after);
    invocation::serve(async |payload| watch.handle(payload, chrono::Utc::now()).await).await
}
