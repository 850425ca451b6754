//! Settings, read once at the start from the environment. A function reads the groups that its manifest says it needs.

use std::path::PathBuf;

use chrono::TimeDelta;
use millrace_secrets::{Credentials, Part, Place, Secret, SecretError};
use secrecy::ExposeSecret;

/// A variable that is missing or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is not set, or empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It is set to something else. The value is not repeated, as it may be a secret.
    #[error("{0}: expected {1}")]
    Malformed(&'static str, &'static str),
    /// It names a secret that cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Looks up a variable: `std::env::var` in a function, a table in a test.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's own environment.
pub fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

fn optional(lookup: Lookup<'_>, variable: &str) -> Option<String> {
    lookup(variable).filter(|value| !value.is_empty())
}

fn required(lookup: Lookup<'_>, variable: &'static str) -> Result<String, SettingsError> {
    optional(lookup, variable).ok_or(SettingsError::Missing(variable))
}

/// A secret: the variable itself, as on a laptop, or what its `…_SECRET_ARN` names in Secrets Manager.
async fn secret(lookup: Lookup<'_>, variable: &str, part: Part) -> Result<Option<Secret>, SettingsError> {
    if let Some(value) = optional(lookup, variable) {
        return Ok(Some(value.into()));
    }
    let setting = format!("{variable}_SECRET_ARN");
    match optional(lookup, &setting) {
        Some(arn) => Ok(Some(Secret::stored(Place { setting, arn }, part).await?)),
        None => Ok(None),
    }
}

fn number(
    lookup: Lookup<'_>,
    variable: &'static str,
    default: i64,
    expected: &'static str,
) -> Result<i64, SettingsError> {
    match optional(lookup, variable) {
        None => Ok(default),
        Some(text) => {
            text.parse().ok().filter(|number| *number > 0).ok_or(SettingsError::Malformed(variable, expected))
        }
    }
}

/// The group `mysql`.
#[derive(Debug, Clone)]
pub struct MysqlSettings {
    /// `mysql://user@host:port/database` (`MILLRACE_MYSQL_URL`).
    pub url: String,
    /// The user's password (`MILLRACE_MYSQL_PASSWORD`, or `MILLRACE_MYSQL_PASSWORD_SECRET_ARN`).
    pub password: Option<Secret>,
}

impl MysqlSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing, or whose secret cannot be had.
    pub async fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        let url = required(lookup, "MILLRACE_MYSQL_URL")?;
        Ok(Self { url, password: secret(lookup, "MILLRACE_MYSQL_PASSWORD", Part::Password).await? })
    }
}

/// The database's users as their secrets are now, for the function that makes them (`MILLRACE_MYSQL_USER_SECRET_ARNS`, separated by
/// commas). None where somebody else does.
///
/// # Errors
/// When a secret cannot be had.
pub async fn mysql_users(lookup: Lookup<'_>) -> Result<Vec<Credentials>, SettingsError> {
    const VARIABLE: &str = "MILLRACE_MYSQL_USER_SECRET_ARNS";
    let arns = optional(lookup, VARIABLE).unwrap_or_default();
    let mut users = Vec::new();
    for arn in arns.split(',').map(str::trim).filter(|arn| !arn.is_empty()) {
        users.push(Credentials::read(&Place { setting: VARIABLE.into(), arn: arn.into() }).await?);
    }
    Ok(users)
}

/// The group `documents`.
#[derive(Debug, Clone)]
pub struct DocumentsSettings {
    /// `mongodb://host:port/?…` (`MILLRACE_DOCUMENTS_URL`).
    pub url: String,
    /// The database (`MILLRACE_DOCUMENTS_DATABASE`, default `millrace`).
    pub database: String,
    /// Who signs in (`MILLRACE_DOCUMENTS_USER`).
    pub user: Option<String>,
    /// With what (`MILLRACE_DOCUMENTS_PASSWORD`, or `MILLRACE_DOCUMENTS_PASSWORD_SECRET_ARN`).
    pub password: Option<Secret>,
}

impl DocumentsSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing, or whose secret cannot be had.
    pub async fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        Ok(Self {
            url: required(lookup, "MILLRACE_DOCUMENTS_URL")?,
            database: optional(lookup, "MILLRACE_DOCUMENTS_DATABASE").unwrap_or_else(|| "millrace".into()),
            user: optional(lookup, "MILLRACE_DOCUMENTS_USER"),
            password: secret(lookup, "MILLRACE_DOCUMENTS_PASSWORD", Part::Password).await?,
        })
    }
}

/// The group `objects`. Keys and region are the AWS SDK's own variables.
#[derive(Debug, Clone)]
pub struct ObjectsSettings {
    /// Where the bucket is, when not on AWS (`MILLRACE_OBJECTS_ENDPOINT`).
    pub endpoint: Option<String>,
    /// The bucket (`MILLRACE_OBJECTS_BUCKET`).
    pub bucket: String,
}

impl ObjectsSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        Ok(Self {
            endpoint: optional(lookup, "MILLRACE_OBJECTS_ENDPOINT"),
            bucket: required(lookup, "MILLRACE_OBJECTS_BUCKET")?,
        })
    }
}

/// The group `kafka`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaSettings {
    /// The ARN of a cluster of MSK, which tells its brokers (`MILLRACE_KAFKA_CLUSTER_ARN`).
    Msk(String),
    /// Brokers of one's own at `host:port`, several separated by commas, without TLS (`MILLRACE_KAFKA_BROKERS`).
    Brokers(String),
}

impl KafkaSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        match optional(lookup, "MILLRACE_KAFKA_CLUSTER_ARN") {
            Some(arn) => Ok(Self::Msk(arn)),
            None => Ok(Self::Brokers(required(lookup, "MILLRACE_KAFKA_BROKERS")?)),
        }
    }
}

/// The group `session`: signing in to the dashboard.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// The password's hash, an argon2 PHC string (`MILLRACE_DASHBOARD_PASSWORD_HASH`, or `…_SECRET_ARN`).
    pub password_hash: Secret,
    /// What session cookies are signed with, 32 bytes in hex (`MILLRACE_SESSION_SECRET`, or `…_SECRET_ARN`).
    pub secret: Secret,
    /// Where people sign in besides, where there is such a place.
    pub user_pool: Option<UserPool>,
}

/// A user pool of Cognito.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPool {
    /// Its sign-in's address, `https://…` (`MILLRACE_SIGN_IN_ADDRESS`).
    pub address: String,
    /// The page's client (`MILLRACE_SIGN_IN_CLIENT_ID`).
    pub client_id: String,
}

impl UserPool {
    fn read(lookup: Lookup<'_>) -> Result<Option<Self>, SettingsError> {
        const ADDRESS: &str = "MILLRACE_SIGN_IN_ADDRESS";
        const CLIENT_ID: &str = "MILLRACE_SIGN_IN_CLIENT_ID";
        let Some(address) = optional(lookup, ADDRESS) else { return Ok(None) };
        // Both stand in the page and the address in a header.
        let of = |text: &str, others: &[u8]| text.bytes().all(|it| it.is_ascii_alphanumeric() || others.contains(&it));
        if !address.strip_prefix("https://").is_some_and(|host| !host.is_empty() && of(host, b".-")) {
            return Err(SettingsError::Malformed(ADDRESS, "https:// and a host"));
        }
        let client_id = required(lookup, CLIENT_ID)?;
        if !of(&client_id, b"") {
            return Err(SettingsError::Malformed(CLIENT_ID, "letters and digits"));
        }
        Ok(Some(Self { address, client_id }))
    }
}

impl SessionSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing or malformed, or whose secret cannot be had.
    pub async fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        const HASH: &str = "MILLRACE_DASHBOARD_PASSWORD_HASH";
        const SECRET: &str = "MILLRACE_SESSION_SECRET";
        let key = secret(lookup, SECRET, Part::Whole).await?.ok_or(SettingsError::Missing(SECRET))?;
        let text = key.value();
        let text = text.expose_secret();
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(SettingsError::Malformed(SECRET, "32 bytes in hex"));
        }
        let password_hash = secret(lookup, HASH, Part::Whole).await?.ok_or(SettingsError::Missing(HASH))?;
        Ok(Self { password_hash, secret: key, user_pool: UserPool::read(lookup)? })
    }
}

/// Where a stack on a laptop says how its alarms stand (`MILLRACE_ALARMS_FILE`). On AWS CloudWatch shows them.
pub fn alarms_file(lookup: Lookup<'_>) -> Option<PathBuf> {
    optional(lookup, "MILLRACE_ALARMS_FILE").map(PathBuf::from)
}

/// How old a usage event may be when it comes (`MILLRACE_RETENTION_DAYS`, default 400).
///
/// # Errors
/// When it is not a number of days that is at least 1.
pub fn retention(lookup: Lookup<'_>) -> Result<TimeDelta, SettingsError> {
    const VARIABLE: &str = "MILLRACE_RETENTION_DAYS";
    const EXPECTED: &str = "a number of days from 1 to 36500";
    let days = number(lookup, VARIABLE, 400, EXPECTED)?;
    TimeDelta::try_days(days).filter(|_| days <= 36_500).ok_or(SettingsError::Malformed(VARIABLE, EXPECTED))
}

/// How long a sensor may send nothing before it counts as silent (`MILLRACE_SILENT_AFTER_SECONDS`, default 60).
///
/// # Errors
/// When it is not a number of seconds that is at least 1.
pub fn silent_after(lookup: Lookup<'_>) -> Result<TimeDelta, SettingsError> {
    const VARIABLE: &str = "MILLRACE_SILENT_AFTER_SECONDS";
    const EXPECTED: &str = "a number of seconds from 1 to 86400";
    let seconds = number(lookup, VARIABLE, 60, EXPECTED)?;
    TimeDelta::try_seconds(seconds).filter(|_| seconds <= 86_400).ok_or(SettingsError::Malformed(VARIABLE, EXPECTED))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_missing_variable_is_named() {
        let error = MysqlSettings::read(&|_| None).await.unwrap_err().to_string();
        assert_eq!(error, "MILLRACE_MYSQL_URL is not set");
        let empty = ObjectsSettings::read(&|_| Some(String::new())).unwrap_err();
        assert_eq!(empty, SettingsError::Missing("MILLRACE_OBJECTS_BUCKET"), "empty is not set");
    }

    #[tokio::test]
    async fn a_malformed_variable_is_named_without_its_value() {
        let error = SessionSettings::read(&|_| Some("hunter2".into())).await.unwrap_err().to_string();
        assert_eq!(error, "MILLRACE_SESSION_SECRET: expected 32 bytes in hex");
        assert!(retention(&|_| Some("0".into())).is_err());
        assert!(silent_after(&|_| Some("a minute".into())).is_err());
    }

    #[test]
    fn a_cluster_s_arn_comes_before_brokers() {
        let both =
            |name: &str| Some(if name.ends_with("ARN") { "arn:aws:kafka:…" } else { "127.0.0.1:9092" }.to_owned());
        assert_eq!(KafkaSettings::read(&both), Ok(KafkaSettings::Msk("arn:aws:kafka:…".into())));
        let brokers = |name: &str| both(name).filter(|_| name.ends_with("BROKERS"));
        assert_eq!(KafkaSettings::read(&brokers), Ok(KafkaSettings::Brokers("127.0.0.1:9092".into())));
        assert_eq!(KafkaSettings::read(&|_| None), Err(SettingsError::Missing("MILLRACE_KAFKA_BROKERS")));
    }

    #[test]
    fn a_user_pool_is_taken_whole_and_only_as_an_address() {
        let pool = |address: &'static str, client: &'static str| {
            move |name: &str| Some(if name.ends_with("ADDRESS") { address } else { client }.to_owned())
        };
        let address = "https://millrace-dev-000000000000.auth.eu-central-1.amazoncognito.com";
        let read = UserPool::read(&pool(address, "7abc")).unwrap().unwrap();
        assert_eq!((read.address.as_str(), read.client_id.as_str()), (address, "7abc"));
        assert_eq!(UserPool::read(&|_| None), Ok(None));
        assert_eq!(UserPool::read(&pool(address, "")), Err(SettingsError::Missing("MILLRACE_SIGN_IN_CLIENT_ID")));
        for wrong in ["http://x", "https://", "https://x/y", "https://x\" onload=\"", "https://x; script-src *"] {
            assert!(UserPool::read(&pool(wrong, "7abc")).is_err(), "{wrong}");
        }
        assert!(UserPool::read(&pool(address, "a\"b")).is_err());
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(retention(&|_| None).unwrap(), TimeDelta::days(400));
        assert_eq!(silent_after(&|_| None).unwrap(), TimeDelta::seconds(60));
    }

    #[tokio::test]
    async fn a_password_is_not_shown() {
        let lookup = |name: &str| Some(if name.ends_with("PASSWORD") { "hunter2" } else { "mysql://u@h/d" }.to_owned());
        let settings = MysqlSettings::read(&lookup).await.unwrap();
        assert_eq!(settings.password.as_ref().unwrap().value().expose_secret(), "hunter2");
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
