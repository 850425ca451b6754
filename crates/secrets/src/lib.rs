//! Secrets: values at hand, as on a laptop, or kept in AWS Secrets Manager, from where they are read when a process starts and
//! again when a service refuses them or they have grown old. No message and no `Debug` shows one.

mod manager;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

pub use manager::{Credentials, Part, Place, SecretError};

/// A refused secret is read again at most this often: whoever guesses a password must not make a request of each guess.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(10);

/// A password or a key. Clones share what was read last.
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    value: RwLock<SecretString>,
    /// `None`: the value was given, and there is no newer one to be had.
    stored: Option<Stored>,
}

struct Stored {
    place: Place,
    part: Part,
    /// Held while it is read, so that one request serves all who wait.
    reading: Mutex<Readings>,
}

struct Readings {
    last: Instant,
    last_renewal: Option<Instant>,
}

impl Secret {
    /// Reads a secret from Secrets Manager.
    ///
    /// # Errors
    /// When it cannot be read or does not have the expected form.
    pub async fn stored(place: Place, part: Part) -> Result<Self, SecretError> {
        let value = RwLock::new(manager::read(&place, part).await?);
        let reading = Mutex::new(Readings { last: Instant::now(), last_renewal: None });
        Ok(Self(Arc::new(Inner { value, stored: Some(Stored { place, part, reading }) })))
    }

    /// What was read last.
    #[must_use]
    pub fn value(&self) -> SecretString {
        self.0.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the secret again because a service refused the value `refused`. Whether there is another one now.
    ///
    /// # Errors
    /// When it cannot be read; the value stays.
    pub async fn renew(&self, refused: &SecretString) -> Result<bool, SecretError> {
        let Some(stored) = &self.0.stored else { return Ok(false) };
        let mut reading = stored.reading.lock().await;
        let differs = || self.value().expose_secret() != refused.expose_secret();
        // Someone else may have read it while this call waited.
        let waits = reading.last_renewal.is_some_and(|last| last.elapsed() < BETWEEN_RENEWALS);
        if !differs() && !waits {
            reading.last_renewal = Some(Instant::now());
            self.read_again(stored, &mut reading).await?;
        }
        Ok(differs())
    }

    /// Reads the secret again when that was not done for `age`: for values that nobody refuses when they are out of date.
    ///
    /// # Errors
    /// When it cannot be read; the value stays, and after `age` the next call tries again.
    pub async fn refresh(&self, age: Duration) -> Result<(), SecretError> {
        let Some(stored) = &self.0.stored else { return Ok(()) };
        let mut reading = stored.reading.lock().await;
        if reading.last.elapsed() >= age {
            self.read_again(stored, &mut reading).await?;
        }
        Ok(())
    }

    async fn read_again(&self, stored: &Stored, reading: &mut Readings) -> Result<(), SecretError> {
        // Before the request: while Secrets Manager is away, not every call waits for it.
        reading.last = Instant::now();
        let value = manager::read(&stored.place, stored.part).await?;
        *self.0.value.write().unwrap_or_else(PoisonError::into_inner) = value;
        Ok(())
    }
}

impl From<SecretString> for Secret {
    fn from(value: SecretString) -> Self {
        Self(Arc::new(Inner { value: RwLock::new(value), stored: None }))
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        SecretString::from(value).into()
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        SecretString::from(value).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.stored {
            Some(stored) => write!(f, "Secret({})", stored.place.arn),
            None => f.write_str("Secret"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_value_that_was_given_is_all_there_is() {
        let secret = Secret::from("hunter2");
        assert!(!secret.renew(&"hunter2".into()).await.unwrap());
        assert!(!secret.renew(&"another".into()).await.unwrap());
        secret.refresh(Duration::ZERO).await.unwrap();
        assert_eq!(secret.value().expose_secret(), "hunter2");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "Secret");
    }
}
