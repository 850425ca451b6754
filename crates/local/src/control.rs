//! The control API as a client: what the other commands ask a running supervisor for.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::{stack::Stack, supervisor::report::Report};

/// A client of one stack's control API.
#[derive(Debug, Clone)]
pub struct Control {
    url: String,
    token: String,
}

/// How Lambda's Invoke answered.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The payload: the function's answer, or `errorType` and `errorMessage`.
    pub payload: Vec<u8>,
    /// `X-Amz-Function-Error`, when the function failed.
    pub function_error: Option<String>,
}

impl Control {
    /// The client of a stack.
    #[must_use]
    pub fn new(stack: &Stack) -> Self {
        Self { url: stack.control_url(), token: stack.control_token.expose().to_owned() }
    }

    /// The supervisor's report; none when no supervisor listens.
    ///
    /// # Errors
    /// When something listens that is no supervisor of this stack.
    pub async fn report(&self) -> anyhow::Result<Option<Report>> {
        let Some((status, _, body)) = self.send("GET", "/status", Vec::new(), Duration::from_secs(10)).await? else {
            return Ok(None);
        };
        match status {
            200 => Ok(Some(
                serde_json::from_slice(&body)
                    .context("the supervisor's report is not understood: was it started by another version?")?,
            )),
            401 => bail!("{} is another stack's: MILLRACE_PORT_BASE of both is the same", self.url),
            other => bail!("{}/status answered {other}: {}", self.url, String::from_utf8_lossy(&body)),
        }
    }

    /// Tells the supervisor to end; whether one was there.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn stop(&self) -> anyhow::Result<bool> {
        match self.send("POST", "/stop", Vec::new(), Duration::from_secs(10)).await? {
            None => Ok(false),
            Some((202, _, _)) => Ok(true),
            Some((status, _, body)) => bail!("{}/stop answered {status}: {}", self.url, String::from_utf8_lossy(&body)),
        }
    }

    /// Invokes a function and waits for its answer, as Lambda's Invoke with `RequestResponse` does.
    ///
    /// # Errors
    /// When no stack runs, or the invocation did not come about (no such function, an event that is too large).
    pub async fn invoke(&self, function: &str, event: Vec<u8>) -> anyhow::Result<Invoked> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        // A function may take 15 minutes, and may wait as long for a free instance.
        let answer = self.send("POST", &path, event, Duration::from_secs(1_860)).await?;
        let (status, function_error, payload) = answer.context("no stack runs; scripts/up starts it")?;
        if status != 200 {
            return Err(refusal(status, &payload));
        }
        Ok(Invoked { payload, function_error })
    }

    /// Enables or disables a function's event source mappings; returns when nothing is in flight any more.
    ///
    /// # Errors
    /// When no stack runs, or the function has no such mapping.
    pub async fn set_enabled(&self, function: &str, enabled: bool) -> anyhow::Result<()> {
        let path = format!("/functions/{function}/enabled");
        let answer = self.send("POST", &path, enabled.to_string().into_bytes(), Duration::from_secs(60)).await?;
        let (status, _, body) = answer.context("no stack runs; scripts/up starts it")?;
        if status != 204 {
            return Err(refusal(status, &body));
        }
        Ok(())
    }

    /// One request: status, `X-Amz-Function-Error` and body; none when nobody listens.
    async fn send(
        &self,
        method: &'static str,
        path: &str,
        body: Vec<u8>,
        patience: Duration,
    ) -> anyhow::Result<Option<(u16, Option<String>, Vec<u8>)>> {
        let url = format!("{}{path}", self.url);
        let authorization = format!("Bearer {}", self.token);
        let asked = url.clone();
        let sent = spawn_blocking(move || -> Result<_, ureq::Error> {
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .proxy(None)
                .timeout_global(Some(patience))
                .build()
                .into();
            let mut answer = match method {
                "GET" => agent.get(&url).header("authorization", authorization).call()?,
                _ => agent.post(&url).header("authorization", authorization).send(&body[..])?,
            };
            let function_error =
                answer.headers().get("x-amz-function-error").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let body = answer.body_mut().with_config().limit(16 * 1024 * 1024).read_to_vec()?;
            Ok((answer.status().as_u16(), function_error, body))
        });
        match sent.await? {
            Ok(answer) => Ok(Some(answer)),
            Err(ureq::Error::ConnectionFailed) => Ok(None),
            Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{asked} did not answer")),
        }
    }
}

/// Why the local host did not do what it was asked for, in its words where it has any.
fn refusal(status: u16, body: &[u8]) -> anyhow::Error {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match body["Message"].as_str() {
        Some(message) => anyhow!("{message}"),
        None => anyhow!("the local host answered {status}"),
    }
}
