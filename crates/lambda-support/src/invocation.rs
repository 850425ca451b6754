//! Serving invocations: the event reaches the handler as the text that came, so that a batch is read where it lies.

use std::process::ExitCode;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Answers invocations until the platform ends the process. `handle` gets the event's JSON.
///
/// # Errors
/// When the runtime API cannot be reached.
pub async fn serve<A: Serialize>(handle: impl AsyncFn(&str) -> Result<A, Error>) -> Result<(), Error> {
    let handle = &handle;
    let answer = async move |event: LambdaEvent<Box<RawValue>>| {
        // Boxed: a batch's transaction is a large state machine.
        let outcome = Box::pin(handle(event.payload.get())).await;
        outcome.map_err(|error| Diagnostic { error_type: "Function.Failed".into(), error_message: error.to_string() })
    };
    lambda_runtime::run(service_fn(answer)).await
}

/// The process's end: an error is logged in words, so that whoever starts the function sees what it lacks.
pub fn ended(outcome: Result<(), Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the function cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What sent an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// An event source mapping.
    Kafka,
    /// A schedule, or a person by hand, that names a task.
    Task(String),
}

/// Tells a batch from the input of a schedule: a batch has an `eventSource`.
///
/// # Errors
/// When the event has neither that nor a `task`.
pub fn sender(payload: &str) -> Result<Sender, Error> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "eventSource")]
        event_source: Option<String>,
        task: Option<String>,
    }
    let head: Head = serde_json::from_str(payload)?;
    match (head.event_source, head.task) {
        (Some(_), _) => Ok(Sender::Kafka),
        (None, Some(task)) => Ok(Sender::Task(task)),
        (None, None) => Err("the event has neither an eventSource nor a task".into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_batch_and_a_schedule_are_told_apart() {
        assert_eq!(sender(r#"{"records":{},"eventSource":"aws:kafka"}"#).unwrap(), Sender::Kafka);
        assert_eq!(sender(r#"{"task":"silent"}"#).unwrap(), Sender::Task("silent".into()));
        assert!(sender("{}").is_err());
    }
}
