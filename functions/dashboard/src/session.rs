//! Signing in: the password, the session cookie, and the token that goes with each change.
//!
//! Nothing is stored: the cookie is its own proof, an expiry signed with the session secret. The key is made of the password's hash
//! too, so that a new password ends every session: at once where it is used to sign in, within minutes everywhere else.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use millrace_secrets::Secret;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

/// The cookie's name.
pub const COOKIE: &str = "millrace_session";
/// How long a session lasts.
const LIFETIME: TimeDelta = TimeDelta::hours(12);
/// After so long the secrets are read again, so that what was taken back opens nothing any longer.
const REFRESHED: Duration = Duration::from_secs(300);

/// What tells a session that was signed in from any other.
pub struct Sessions {
    password_hash: Secret,
    secret: Secret,
}

/// A session that was signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The token that a change must bring along.
    pub csrf: String,
}

impl Sessions {
    /// Sessions of one password, signed with one secret.
    ///
    /// # Errors
    /// When the hash is no argon2 PHC string.
    pub fn new(password_hash: Secret, secret: Secret) -> anyhow::Result<Self> {
        if PasswordHash::new(password_hash.value().expose_secret()).is_err() {
            anyhow::bail!("MILLRACE_DASHBOARD_PASSWORD_HASH: expected an argon2 PHC string");
        }
        Ok(Self { password_hash, secret })
    }

    /// Reads the secrets again when they are some minutes old. While they can't be read, they stay as they are.
    pub async fn refresh(&self) {
        for secret in [&self.password_hash, &self.secret] {
            if let Err(error) = secret.refresh(REFRESHED).await {
                tracing::warn!(%error, "going on with the secret as it was");
            }
        }
    }

    /// Whether this is the password; when it does not fit the hash, of the hash as it is now. Takes some ten milliseconds and
    /// 19 MiB, by the hash's parameters.
    pub async fn is_password(&self, password: &str) -> bool {
        let hash = self.password_hash.value();
        if fits(password, &hash) {
            return true;
        }
        match self.password_hash.renew(&hash).await {
            Ok(renewed) => renewed && fits(password, &self.password_hash.value()),
            Err(error) => {
                tracing::warn!(%error, "the password's hash cannot be read again");
                false
            }
        }
    }

    /// The value of a new session's cookie.
    ///
    /// # Errors
    /// Never in practice: HMAC takes a key of any length.
    pub fn begin(&self, now: DateTime<Utc>) -> anyhow::Result<String> {
        let claim = format!("{}.{}", (now + LIFETIME).timestamp(), Uuid::new_v4().simple());
        let signature = hex(&self.sign(&["session", &claim])?.finalize().into_bytes());
        Ok(format!("{claim}.{signature}"))
    }

    /// The session of a cookie's value, if it was signed here and has not ended.
    pub fn check(&self, cookie: &str, now: DateTime<Utc>) -> Option<Session> {
        let (claim, signature) = cookie.rsplit_once('.')?;
        // The comparison takes the same time wherever the difference is.
        self.sign(&["session", claim]).ok()?.verify_slice(&unhex(signature)?).ok()?;
        let expires: i64 = claim.split_once('.')?.0.parse().ok()?;
        if expires <= now.timestamp() {
            return None;
        }
        Some(Session { csrf: hex(&self.sign(&["csrf", claim]).ok()?.finalize().into_bytes()) })
    }

    fn sign(&self, parts: &[&str]) -> anyhow::Result<Hmac<Sha256>> {
        let (secret, password_hash) = (self.secret.value(), self.password_hash.value());
        let key = sign(secret.expose_secret().as_bytes(), &["key", password_hash.expose_secret()])?;
        sign(&key.finalize().into_bytes(), parts)
    }
}

fn fits(password: &str, hash: &SecretString) -> bool {
    PasswordHash::new(hash.expose_secret())
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

impl Session {
    /// Whether the token is this session's. It is compared without stopping at the first difference.
    pub fn has_token(&self, token: &str) -> bool {
        self.csrf.len() == token.len()
            && self.csrf.bytes().zip(token.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

fn sign(key: &[u8], parts: &[&str]) -> anyhow::Result<Hmac<Sha256>> {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).map_err(|_| anyhow::anyhow!("the key cannot be used"))?;
    for part in parts {
        mac.update(part.as_bytes());
        mac.update(b"\n");
    }
    Ok(mac)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|n| u8::from_str_radix(&text[n..n + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use argon2::password_hash::PasswordHasher;

    use super::*;

    fn sessions(password: &str) -> Sessions {
        let hash = Argon2::default().hash_password(password.as_bytes()).unwrap().to_string();
        let secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        Sessions::new(hash.into(), secret.into()).unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn only_the_password_is_the_password() {
        let sessions = sessions("correct horse");
        assert!(sessions.is_password("correct horse").await);
        for wrong in ["", "correct", "Correct horse", "correct horse "] {
            assert!(!sessions.is_password(wrong).await);
        }
    }

    #[test]
    fn a_session_holds_until_it_ends() {
        let sessions = sessions("p");
        let cookie = sessions.begin(now()).unwrap();
        assert!(sessions.check(&cookie, now()).is_some());
        assert!(sessions.check(&cookie, now() + TimeDelta::hours(11)).is_some());
        assert!(sessions.check(&cookie, now() + LIFETIME).is_none());
    }

    #[test]
    fn a_changed_cookie_is_no_session() {
        let sessions = sessions("p");
        let cookie = sessions.begin(now()).unwrap();
        let later = format!("9{cookie}");
        for forged in [
            "",
            ".",
            "..",
            "a.b.c",
            later.as_str(),
            cookie.trim_end_matches(|_: char| false).split_at(20).0,
            &cookie.replace('.', ""),
        ] {
            assert!(sessions.check(forged, now()).is_none(), "{forged}");
        }
        for place in 0..cookie.len() {
            let mut bytes = cookie.clone().into_bytes();
            bytes[place] = if bytes[place] == b'1' { b'2' } else { b'1' };
            assert!(sessions.check(std::str::from_utf8(&bytes).unwrap(), now()).is_none(), "place {place}");
        }
        assert!(sessions.check("1700000000.é.é", now()).is_none());
    }

    #[test]
    fn a_new_password_ends_every_session() {
        let cookie = sessions("old").begin(now()).unwrap();
        assert!(sessions("new").check(&cookie, now()).is_none());
    }

    #[test]
    fn a_token_belongs_to_one_session() {
        let sessions = sessions("p");
        let session = |cookie: &str| sessions.check(cookie, now()).unwrap();
        let (one, other) = (sessions.begin(now()).unwrap(), sessions.begin(now()).unwrap());
        assert!(session(&one).has_token(&session(&one).csrf));
        assert!(!session(&one).has_token(&session(&other).csrf));
        assert!(!session(&one).has_token(""));
    }

    #[test]
    fn a_hash_that_is_none_is_refused_without_being_quoted() {
        let error = Sessions::new("hunter2".into(), "00".into()).err().unwrap().to_string();
        assert_eq!(error, "MILLRACE_DASHBOARD_PASSWORD_HASH: expected an argon2 PHC string");
    }
}
