//! Serving invocations: the event reaches the handler as the text that came, so that a batch is read where it lies.

use std::error::Error as StdError;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::Layer;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, Service, service_fn};
use serde::{Deserialize, Serialize};

use crate::mysql::Mysql;

/// Answers invocations until the platform ends the process. `handle` gets the event's JSON; it may be called twice for one event,
/// when it failed because the database refused a password that was changed since it was read.
///
/// # Errors
/// When the runtime API cannot be reached.
pub async fn serve<A: Serialize>(mysql: &Mysql, handle: impl AsyncFn(&str) -> Result<A, Error>) -> Result<(), Error> {
    let handle = &handle;
    let event = Event::default();
    let current = &event;
    let answer = async move |_: LambdaEvent<()>| {
        let payload = current.take();
        let outcome = match std::str::from_utf8(&payload) {
            // Boxed: a batch's transaction is a large state machine.
            Ok(payload) => {
                let outcome = Box::pin(handle(payload)).await;
                match &outcome {
                    Err(error) if mysql.renew(error.as_ref()).await => Box::pin(handle(payload)).await,
                    _ => outcome,
                }
            }
            Err(error) => Err(error.into()),
        };
        outcome.map_err(|error| Diagnostic {
            error_type: "Function.Failed".into(),
            error_message: in_words(error.as_ref()),
        })
    };
    Runtime::new(service_fn(answer)).layer(event.clone()).layer(TracingLayer::new()).run().await
}

/// The event of the invocation in hand, which goes past the runtime: that would read a batch of 6 MB once more and copy it.
#[derive(Clone, Default)]
struct Event(Arc<Mutex<Bytes>>);

impl Event {
    fn put(&self, payload: Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = payload;
    }

    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S> Layer<S> for Event {
    type Service = KeepEvent<S>;

    fn layer(&self, inner: S) -> KeepEvent<S> {
        KeepEvent { event: self.clone(), inner }
    }
}

/// Keeps each event back and hands the runtime an empty one.
struct KeepEvent<S> {
    event: Event,
    inner: S,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for KeepEvent<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        self.event.put(std::mem::replace(&mut invocation.body, Bytes::from_static(b"null")));
        self.inner.call(invocation)
    }
}

/// The process's end: an error is logged in words, so that whoever starts the function sees what it lacks.
pub fn ended(outcome: Result<(), Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the function cannot run: {}", in_words(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes: what was done, then why it failed. A cause that the error names by itself is not told twice.
fn in_words(error: &(dyn StdError + 'static)) -> String {
    let mut words = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
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

    #[test]
    fn an_error_is_told_with_its_causes_and_none_of_them_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("lease")]
        struct Lease(#[source] Database);
        #[derive(Debug, thiserror::Error)]
        #[error("database: {0}")]
        struct Database(#[source] std::io::Error);
        let error = Lease(Database(std::io::Error::other("connection refused")));
        assert_eq!(in_words(&error), "lease: database: connection refused");
        assert_eq!(in_words(&error.0), "database: connection refused");
    }
}
