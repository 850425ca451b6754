//! The settings of one stack, as `stack.json` keeps them: made at the first `up`, then only read, but for its ports.

use std::fmt;

use anyhow::anyhow;
use argon2::{Argon2, password_hash::PasswordHasher};
use clap::ValueEnum;
use millrace_store_mysql::accounts::Role;
use millrace_store_objects::{ObjectCredentials, ObjectSettings};
use rand::{RngExt, distr::Alphanumeric, rngs::ThreadRng};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::ports::Ports;

/// The MySQL database of the stack.
pub const MYSQL_DATABASE: &str = "millrace";
/// The document database of the stack.
pub const DOCUMENTS_DATABASE: &str = "millrace";
/// The bucket of the stack.
pub const BUCKET: &str = "millrace";
/// The region that clients of the object server sign with.
pub const REGION: &str = "eu-central-1";

/// What the services run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Ordinary processes of this machine.
    Native,
    /// The containers of `infra/compose.yaml`.
    Compose,
}

impl Engine {
    /// The engine's name as `--engine` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Compose => "compose",
        }
    }
}

/// A secret: written to `stack.json`, never shown by `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret's text, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The secret as the stores take theirs.
    #[must_use]
    pub fn wrapped(&self) -> SecretString {
        SecretString::from(self.0.as_str())
    }

    /// 40 random letters and digits: 238 bits.
    fn random(rng: &mut ThreadRng) -> Self {
        Self(rng.sample_iter(Alphanumeric).take(40).map(char::from).collect())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// All settings of one stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stack {
    /// Eight random letters that tell this stack from every other (containers' project, marks on processes).
    pub id: String,
    /// What the services run in.
    pub engine: Engine,
    /// The first of the stack's ports.
    pub port_base: u16,
    /// What opens the control API.
    pub control_token: Secret,
    /// The secrets of the services.
    pub services: ServiceSecrets,
    /// The dashboard's sign-in.
    pub dashboard: DashboardSecrets,
}

/// What the services were set up with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceSecrets {
    /// The KRaft cluster's id, 22 characters of base64.
    pub kafka_cluster_id: String,
    /// Password of MySQL's `root`.
    pub mysql_admin_password: Secret,
    /// Password of the functions' MySQL user.
    pub mysql_password: Secret,
    /// Password of the BI user.
    pub mysql_bi_password: Secret,
    /// The object server's access key.
    pub objects_access_key: String,
    /// The object server's secret key.
    pub objects_secret_key: Secret,
}

/// What the dashboard's sign-in needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DashboardSecrets {
    /// The password that `up` prints.
    pub password: Secret,
    /// Its argon2 hash, which is all that the function gets.
    pub password_hash: Secret,
    /// What session cookies are sealed with: 32 bytes as hex.
    pub session_secret: Secret,
}

impl Stack {
    /// A new stack's settings with secrets of its own.
    ///
    /// # Errors
    /// When the password can't be hashed.
    pub fn generate(ports: Ports, engine: Engine) -> anyhow::Result<Self> {
        let mut rng = rand::rng();
        let password = Secret::random(&mut rng);
        let password_hash = Argon2::default()
            .hash_password(password.0.as_bytes())
            .map_err(|error| anyhow!("can't hash the sign-in password: {error}"))?;
        let session_secret: [u8; 32] = rng.random();
        Ok(Self {
            id: (0..8).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect(),
            engine,
            port_base: ports.base(),
            control_token: Secret::random(&mut rng),
            services: ServiceSecrets {
                kafka_cluster_id: kafka_cluster_id(rng.random()),
                mysql_admin_password: Secret::random(&mut rng),
                mysql_password: Secret::random(&mut rng),
                mysql_bi_password: Secret::random(&mut rng),
                objects_access_key: Secret::random(&mut rng).0[..20].to_uppercase(),
                objects_secret_key: Secret::random(&mut rng),
            },
            dashboard: DashboardSecrets {
                password,
                password_hash: Secret(password_hash.to_string()),
                session_secret: Secret(session_secret.iter().map(|byte| format!("{byte:02x}")).collect()),
            },
        })
    }

    /// The stack's ports.
    ///
    /// # Errors
    /// When `stack.json` was edited to a base out of range.
    pub fn ports(&self) -> anyhow::Result<Ports> {
        Ports::from_base(self.port_base)
    }

    /// The broker as clients name it: `127.0.0.1:PORT`.
    #[must_use]
    pub fn kafka_brokers(&self) -> String {
        self.local(1)
    }

    /// The functions' MySQL URL, without the password.
    #[must_use]
    pub fn mysql_url(&self) -> String {
        format!("mysql://{}@{}/{MYSQL_DATABASE}", Role::Functions.user(), self.local(3))
    }

    /// The administrator's MySQL URL, without the password and without a database.
    #[must_use]
    pub fn mysql_admin_url(&self) -> String {
        format!("mysql://root@{}", self.local(3))
    }

    /// The administrator's MySQL URL of the stack's database, without the password.
    #[must_use]
    pub fn mysql_owner_url(&self) -> String {
        format!("{}/{MYSQL_DATABASE}", self.mysql_admin_url())
    }

    /// The read-only BI user's MySQL URL with its password: any MySQL client can open the views with it.
    #[must_use]
    pub fn mysql_bi_url(&self) -> String {
        let password = &self.services.mysql_bi_password.0;
        format!("mysql://{}:{password}@{}/{MYSQL_DATABASE}", Role::Readers.user(), self.local(3))
    }

    /// The document server's URL. Retryable writes are off: neither DocumentDB 5 nor the embedded server has them.
    #[must_use]
    pub fn documents_url(&self) -> String {
        format!("mongodb://{}/?retryWrites=false", self.local(4))
    }

    /// The object server's endpoint.
    #[must_use]
    pub fn objects_endpoint(&self) -> String {
        format!("http://{}", self.local(5))
    }

    /// The stack's bucket, with its key.
    #[must_use]
    pub fn object_settings(&self) -> ObjectSettings {
        ObjectSettings {
            endpoint: Some(self.objects_endpoint()),
            region: REGION.to_owned(),
            bucket: BUCKET.to_owned(),
            credentials: Some(ObjectCredentials {
                access_key: self.services.objects_access_key.clone(),
                secret_key: self.services.objects_secret_key.wrapped(),
            }),
        }
    }

    /// The dashboard's URL.
    #[must_use]
    pub fn dashboard_url(&self) -> String {
        format!("http://{}", self.local(0))
    }

    /// The control API's URL, where Lambda's Invoke API is too.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}", self.local(6))
    }

    fn local(&self, index: u16) -> String {
        format!("127.0.0.1:{}", self.port_base.saturating_add(index))
    }
}

/// A cluster id as Kafka makes them: 16 bytes as 22 characters of URL-safe base64, never with a leading dash, which its
/// command line would take for an option.
fn kafka_cluster_id(mut bytes: [u8; 16]) -> String {
    bytes[0] &= 0x7f;
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};

    use super::*;

    fn stack() -> Stack {
        Stack::generate(Ports::from_base(18_000).unwrap(), Engine::Native).unwrap()
    }

    #[test]
    fn two_stacks_share_no_secret() {
        let values = |stack: &Stack| {
            let services = &stack.services;
            [
                &stack.control_token,
                &services.mysql_admin_password,
                &services.mysql_password,
                &services.mysql_bi_password,
                &services.objects_secret_key,
                &stack.dashboard.password,
                &stack.dashboard.session_secret,
            ]
            .map(|secret| secret.expose().to_owned())
        };
        let (one, other) = (values(&stack()), values(&stack()));
        for (index, secret) in one.iter().enumerate() {
            assert!(secret.len() >= 32 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()), "secret {index}");
            assert!(!other.contains(secret) && !one[..index].contains(secret), "secret {index}");
        }
    }

    #[test]
    fn the_hash_is_of_the_printed_password() {
        let dashboard = stack().dashboard;
        let hash = PasswordHash::new(dashboard.password_hash.expose()).unwrap();
        assert!(Argon2::default().verify_password(dashboard.password.expose().as_bytes(), &hash).is_ok());
        assert!(Argon2::default().verify_password(b"another", &hash).is_err());
    }

    #[test]
    fn secrets_are_not_shown_by_debug() {
        let stack = stack();
        let shown = format!("{stack:?}");
        assert!(!shown.contains(stack.dashboard.password.expose()) && shown.contains("(secret)"), "{shown}");
    }

    #[test]
    fn a_cluster_id_has_the_form_that_kafka_accepts() {
        for bytes in [[0xff; 16], [0; 16], [0xfb; 16]] {
            let id = kafka_cluster_id(bytes);
            assert!(id.len() == 22 && !id.starts_with('-'), "{id}");
        }
    }

    #[test]
    fn addresses_follow_the_port_base() {
        let stack = stack();
        assert_eq!(stack.kafka_brokers(), "127.0.0.1:18001");
        assert_eq!(stack.mysql_url(), "mysql://millrace@127.0.0.1:18003/millrace");
        assert_eq!(stack.documents_url(), "mongodb://127.0.0.1:18004/?retryWrites=false");
        assert_eq!(stack.objects_endpoint(), "http://127.0.0.1:18005");
        assert_eq!(stack.control_url(), "http://127.0.0.1:18006");
    }
}
