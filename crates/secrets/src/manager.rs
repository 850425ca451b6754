//! Reading from Secrets Manager, through the standard configuration of AWS: region, role, `AWS_ENDPOINT_URL` of an emulator.

use std::error::Error;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::OnceCell;

/// How long one reading may take with its retries: a function's start has ten seconds for everything.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long one try of it may take.
const ATTEMPT: Duration = Duration::from_secs(2);

/// Which secret, and which setting says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The variable that holds the ARN.
    pub setting: String,
    /// The secret's ARN.
    pub arn: String,
}

/// What of a secret's text is the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The text.
    Whole,
    /// The field `password` of a JSON object with `username` and `password`, as RDS and DocumentDB write their users.
    Password,
}

/// A user's name and password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// A secret that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager does not answer or refuses.
    #[error("{}: cannot read the secret {}: {reason}", .place.setting, .place.arn)]
    Unread {
        /// Which one.
        place: Place,
        /// Why.
        reason: String,
    },
    /// It is something else. What it is, is not repeated.
    #[error("{}: the secret {}: expected {expected}", .place.setting, .place.arn)]
    Malformed {
        /// Which one.
        place: Place,
        /// What it should be.
        expected: &'static str,
    },
}

impl Credentials {
    /// Reads a user's name and password as they are now.
    ///
    /// # Errors
    /// When the secret cannot be read or is not JSON with `username` and `password`.
    pub async fn read(place: &Place) -> Result<Self, SecretError> {
        credentials(place, &read_text(place).await?)
    }
}

fn credentials(place: &Place, text: &SecretString) -> Result<Credentials, SecretError> {
    #[derive(Deserialize)]
    struct Parsed {
        username: String,
        password: String,
    }
    match serde_json::from_str::<Parsed>(text.expose_secret()) {
        Ok(parsed) => Ok(Credentials { username: parsed.username, password: parsed.password.into() }),
        // The parser's own message may quote the text.
        Err(_) => {
            Err(SecretError::Malformed { place: place.clone(), expected: "JSON with the texts username and password" })
        }
    }
}

/// Reads a secret's value as it is now.
pub(crate) async fn read(place: &Place, part: Part) -> Result<SecretString, SecretError> {
    let text = read_text(place).await?;
    match part {
        Part::Whole => Ok(text),
        Part::Password => Ok(credentials(place, &text)?.password),
    }
}

async fn read_text(place: &Place) -> Result<SecretString, SecretError> {
    let answer = client().await.get_secret_value().secret_id(&place.arn).send().await;
    let answer = answer.map_err(|error| SecretError::Unread { place: place.clone(), reason: reason(&error) })?;
    match answer.secret_string {
        Some(text) => Ok(text.into()),
        None => Err(SecretError::Malformed { place: place.clone(), expected: "a text, not bytes" }),
    }
}

/// One client for the process, so that its connection serves every secret.
async fn client() -> &'static Client {
    static CLIENT: OnceCell<Client> = OnceCell::const_new();
    CLIENT
        .get_or_init(|| async {
            let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).operation_attempt_timeout(ATTEMPT);
            let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build()).load().await;
            Client::new(&config)
        })
        .await
}

/// Why a request failed, in the service's words or in those of what lies below, never with the body of an answer.
fn reason<E>(error: &SdkError<E>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
{
    if let SdkError::ServiceError(refusal) = error {
        let refusal = refusal.err();
        return format!(
            "{}: {}",
            refusal.code().unwrap_or("unknown"),
            refusal.message().unwrap_or("no reason is given")
        );
    }
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    reason
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn place() -> Place {
        Place { setting: "MILLRACE_MYSQL_PASSWORD_SECRET_ARN".into(), arn: "arn:aws:x".into() }
    }

    #[test]
    fn name_and_password_are_taken_out_of_what_rds_writes() {
        let text = r#"{"username":"admin","password":"a\"b","engine":"mysql","port":3306}"#;
        let found = credentials(&place(), &text.into()).unwrap();
        assert_eq!((found.username.as_str(), found.password.expose_secret()), ("admin", "a\"b"));
        for other in ["", "hunter2", r#""hunter2""#, r#"{"username":"admin"}"#, r#"{"username":"a","password":7}"#] {
            let error = credentials(&place(), &other.into()).unwrap_err().to_string();
            assert_eq!(
                error,
                "MILLRACE_MYSQL_PASSWORD_SECRET_ARN: the secret arn:aws:x: expected JSON with the texts username and password"
            );
        }
    }

    #[test]
    fn an_error_names_setting_and_secret() {
        let unread = SecretError::Unread { place: place(), reason: "AccessDeniedException: no".into() };
        assert_eq!(
            unread.to_string(),
            "MILLRACE_MYSQL_PASSWORD_SECRET_ARN: cannot read the secret arn:aws:x: AccessDeniedException: no"
        );
    }
}
