//! Settings, read once at the start from the environment. A function reads the groups that its manifest says it needs.

use std::path::PathBuf;

use chrono::TimeDelta;
use secrecy::SecretString;

/// A variable that is missing or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is not set, or empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It is set to something else. The value is not repeated, as it may be a secret.
    #[error("{0}: expected {1}")]
    Malformed(&'static str, &'static str),
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

fn secret(lookup: Lookup<'_>, variable: &str) -> Option<SecretString> {
    optional(lookup, variable).map(SecretString::from)
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
    /// The user's password (`MILLRACE_MYSQL_PASSWORD`).
    pub password: Option<SecretString>,
}

impl MysqlSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        Ok(Self { url: required(lookup, "MILLRACE_MYSQL_URL")?, password: secret(lookup, "MILLRACE_MYSQL_PASSWORD") })
    }
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
    /// With what (`MILLRACE_DOCUMENTS_PASSWORD`).
    pub password: Option<SecretString>,
}

impl DocumentsSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        Ok(Self {
            url: required(lookup, "MILLRACE_DOCUMENTS_URL")?,
            database: optional(lookup, "MILLRACE_DOCUMENTS_DATABASE").unwrap_or_else(|| "millrace".into()),
            user: optional(lookup, "MILLRACE_DOCUMENTS_USER"),
            password: secret(lookup, "MILLRACE_DOCUMENTS_PASSWORD"),
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
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas (`MILLRACE_KAFKA_BROKERS`).
    pub brokers: String,
}

impl KafkaSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        Ok(Self { brokers: required(lookup, "MILLRACE_KAFKA_BROKERS")? })
    }
}

/// The group `session`: signing in to the dashboard.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// The password's hash, an argon2 PHC string (`MILLRACE_DASHBOARD_PASSWORD_HASH`).
    pub password_hash: SecretString,
    /// What session cookies are signed with, 32 bytes in hex (`MILLRACE_SESSION_SECRET`).
    pub secret: SecretString,
}

impl SessionSettings {
    /// Reads the group.
    ///
    /// # Errors
    /// Names the variable that is missing or malformed.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        const SECRET: &str = "MILLRACE_SESSION_SECRET";
        let text = required(lookup, SECRET)?;
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(SettingsError::Malformed(SECRET, "32 bytes in hex"));
        }
        Ok(Self { password_hash: required(lookup, "MILLRACE_DASHBOARD_PASSWORD_HASH")?.into(), secret: text.into() })
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

    #[test]
    fn a_missing_variable_is_named() {
        assert_eq!(MysqlSettings::read(&|_| None).unwrap_err().to_string(), "MILLRACE_MYSQL_URL is not set");
        let empty = ObjectsSettings::read(&|_| Some(String::new())).unwrap_err();
        assert_eq!(empty, SettingsError::Missing("MILLRACE_OBJECTS_BUCKET"), "empty is not set");
    }

    #[test]
    fn a_malformed_variable_is_named_without_its_value() {
        let error = SessionSettings::read(&|_| Some("hunter2".into())).unwrap_err().to_string();
        assert_eq!(error, "MILLRACE_SESSION_SECRET: expected 32 bytes in hex");
        assert!(retention(&|_| Some("0".into())).is_err());
        assert!(silent_after(&|_| Some("a minute".into())).is_err());
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(retention(&|_| None).unwrap(), TimeDelta::days(400));
        assert_eq!(silent_after(&|_| None).unwrap(), TimeDelta::seconds(60));
    }

    #[test]
    fn a_password_is_not_shown() {
        let lookup = |name: &str| Some(if name.ends_with("PASSWORD") { "hunter2" } else { "mysql://u@h/d" }.to_owned());
        let shown = format!("{:?}", MysqlSettings::read(&lookup).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
