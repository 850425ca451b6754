//! The process that Lambda runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use bill::{Bill, Request};
use chrono::Utc;
use lambda_runtime::Error;
use millrace_lambda_support::metrics::{self, Metric};
use millrace_lambda_support::mysql::Mysql;
use millrace_lambda_support::{invocation, logs, settings};

/// What a run takes of the function's timeout (function.json); the last transaction and the answer get the rest.
const BUDGET: Duration = Duration::from_secs(840);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::init();
    invocation::ended(run().await)
}

async fn run() -> Result<(), Error> {
    let mysql = Mysql::connect(&settings::environment).await?;
    invocation::serve(&mysql, async |event| {
        let begun = Instant::now();
        let request = Request::parse(event)?;
        let bill =
            Bill { pool: mysql.pool().clone(), holder: format!("bill {}", uuid::Uuid::new_v4()), clock: Utc::now };
        let answer = bill.run(&request, begun + BUDGET).await?;
        let invoices: u64 = answer.cycles.iter().map(|cycle| cycle.invoices).sum();
        let duration = begun.elapsed().as_secs_f64() * 1e3;
        metrics::emit(None, &[(Metric::InvoicesIssued, invoices as f64), (Metric::RunDuration, duration)]);
        Ok(answer)
    })
    .await
}
