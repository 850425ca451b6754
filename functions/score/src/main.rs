//! The process that Lambda runs.

use std::process::ExitCode;

use lambda_runtime::Error;
use millrace_lambda_support::settings::{self, MysqlSettings};
use millrace_lambda_support::{invocation, logs};
use millrace_store_mysql::pool;
use score::Score;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = MysqlSettings::read(&settings::environment)?;
    let score = Score::new(pool::connect(&mysql.url, mysql.password.as_ref())?);
    invocation::serve(async |payload| Ok(score.handle(payload).await?)).await
}
