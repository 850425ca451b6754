//! A Lambda function for the tests of the local host: the event says how it behaves.

mod direct;
mod http;
mod init;
mod kafka;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init::behave();
    if std::env::var_os("PROBE_HTTP").is_some() {
        return lambda_http::run(service_fn(http::echo)).await;
    }
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    match event.payload.get("records") {
        Some(_) => kafka::handle(&event).await,
        None => direct::handle(event).await,
    }
}
