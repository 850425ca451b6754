//! Where pages go: an address that takes them as JSON, such as a chat's.

use std::{fmt, time::Duration};

use anyhow::Context;
use millrace_alarms::Notice;
use tokio::{sync::mpsc, task::spawn_blocking, time::sleep};

use crate::CommandError;

/// How often a notice is sent before it is given up, and how long one attempt may take. The waits between double.
const ATTEMPTS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// An address that takes notices. It may hold a secret, so it is shown nowhere but for its host.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    url: String,
}

impl Webhook {
    /// Reads the option's value; an empty one is none.
    ///
    /// # Errors
    /// When it is no `http://` or `https://` address. It is not repeated.
    pub fn parse(text: &str) -> Result<Option<Self>, CommandError> {
        let text = text.trim();
        let host = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        match host {
            None if text.is_empty() => Ok(None),
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !text.contains(char::is_whitespace) => {
                Ok(Some(Self { url: text.to_owned() }))
            }
            _ => Err(CommandError::input("--alarm-webhook: expected an address such as https://chat.example.com/hook")),
        }
    }

    /// The address, for the one place that calls it and for the supervisor in the background.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// The address's host, which is no secret.
    fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default()
    }

    /// Delivers notices in their order until the sender is gone. One that can't be delivered is logged.
    pub async fn deliver(self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        while let Some(notice) = notices.recv().await {
            match self.deliver_one(&notice).await {
                Ok(()) => tracing::info!(to = self.host(), "told of: {}", notice.text),
                Err(error) => {
                    tracing::error!(to = self.host(), error = format!("{error:#}"), "can't tell of: {}", notice.text)
                }
            }
        }
    }

    async fn deliver_one(&self, notice: &Notice) -> anyhow::Result<()> {
        let body = serde_json::to_vec(notice).context("the notice is no JSON")?;
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            match self.post(body.clone()).await {
                Ok(()) => break,
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(error) => tracing::debug!(attempt, to = self.host(), error = format!("{error:#}"), "trying again"),
            }
            sleep(wait).await;
            wait *= 2;
        }
        Ok(())
    }

    async fn post(&self, body: Vec<u8>) -> anyhow::Result<()> {
        let url = self.url.clone();
        let sent = spawn_blocking(move || -> Result<(), ureq::Error> {
            let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
            agent.post(&url).header("content-type", "application/json").send(&body[..])?;
            Ok(())
        });
        Ok(sent.await??)
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.host())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::{Arc, Mutex};

    use axum::{Router, extract::State, http::StatusCode, routing::post};
    use chrono::DateTime;
    use millrace_alarms::{Severity, State as AlarmState};

    use super::*;

    #[test]
    fn an_address_is_checked_and_not_repeated() {
        assert_eq!(Webhook::parse(" ").unwrap(), None);
        for wrong in
            ["chat.example.com/s3cret", "ftp://chat/s3cret", "https://", "https:///s3cret", "http://a b/s3cret"]
        {
            let error = Webhook::parse(wrong).unwrap_err();
            assert_eq!(error.exit_status(), 2, "{wrong}");
            assert!(error.to_string().contains("--alarm-webhook") && !error.to_string().contains("s3cret"), "{error}");
        }
        let webhook = Webhook::parse("https://me:s3cret@chat.example.com:8443/s3cret?key=s3cret").unwrap().unwrap();
        assert_eq!(format!("{webhook:?}"), "Webhook(chat.example.com:8443)");
    }

    /// A chat that is overloaded at first.
    #[derive(Clone, Default)]
    struct Chat(Arc<Mutex<Vec<String>>>);

    async fn take(State(chat): State<Chat>, body: String) -> StatusCode {
        let mut taken = chat.0.lock().unwrap();
        taken.push(body);
        if taken.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }

    #[tokio::test]
    async fn notices_arrive_in_their_order_though_an_attempt_fails() {
        let chat = Chat::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take)).with_state(chat.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let (sender, receiver) = mpsc::unbounded_channel();
        for state in [AlarmState::Alarm, AlarmState::Ok] {
            let notice = Notice {
                alarm: "sites-warning".to_owned(),
                state,
                severity: Severity::Warning,
                at: DateTime::UNIX_EPOCH,
                text: format!("{} sites-warning", state.as_str()),
                alarms: Vec::new(),
            };
            sender.send(notice).unwrap();
        }
        drop(sender);
        Webhook::parse(&url).unwrap().unwrap().deliver(receiver).await;
        server.abort();
        let taken = chat.0.lock().unwrap();
        let states: Vec<String> = taken
            .iter()
            .map(|body| serde_json::from_str::<serde_json::Value>(body).unwrap()["state"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(states, ["ALARM", "ALARM", "OK"], "the first attempt failed");
    }
}
