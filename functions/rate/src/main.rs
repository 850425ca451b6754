//! The process that Lambda runs.

use std::process::ExitCode;

use lambda_runtime::Error;
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::{invocation, logs, settings};
use rate::Rate;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    let retention = settings::retention(&settings::environment)?;
    let rate = Rate::new(mysql.clone(), retention);
    invocation::serve(&mysql, async |payload| Ok(rate.handle(payload).await?)).await
}
