//! The database's users and what each of them may do: the same on a laptop's server and on RDS. Tables and views belong to the
//! administrator, as whom `migrate` runs.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, MySqlPool};

use crate::fault::StoreError;

/// What a user is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Functions and commands: they read and write records.
    Functions,
    /// BI tools: they read the views whose names begin with `bi_`, and nothing else.
    Readers,
}

/// A user of the database.
#[derive(Debug)]
pub struct Account {
    /// What it is for.
    pub role: Role,
    /// Its name: letters and digits.
    pub user: String,
    /// From where it signs in: an address, or `%` for everywhere.
    pub host: String,
    /// Its password: letters and digits.
    pub password: SecretString,
}

/// What functions do in every table. `archive` locks one while it counts.
const RECORDS: &str = "SELECT, INSERT, UPDATE, DELETE, LOCK TABLES";
/// What `archive` does besides, in this table alone: it drops the partitions of months that are archived.
const MONTHS: &str = "ALTER, DROP";
const MONTHS_OF: &str = "usage_events";

impl Role {
    /// The user that has this role.
    #[must_use]
    pub const fn user(self) -> &'static str {
        match self {
            Self::Functions => "millrace",
            Self::Readers => "bi",
        }
    }

    /// The role of a user.
    #[must_use]
    pub fn of(user: &str) -> Option<Self> {
        [Self::Functions, Self::Readers].into_iter().find(|role| role.user() == user)
    }
}

/// Creates a database that is not there.
///
/// # Errors
/// When the server refuses.
pub async fn create_database(admin: &MySqlPool, database: &str) -> Result<(), StoreError> {
    run(admin, format!("CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")).await
}

/// Creates the users that are not there, and gives all of them these passwords. Connections that stand go on.
///
/// # Errors
/// When the server refuses, or a name or password is not of letters and digits.
pub async fn create(admin: &MySqlPool, accounts: &[Account]) -> Result<(), StoreError> {
    for account in accounts {
        let name = account.name()?;
        let password = plain("password", account.password.expose_secret())?;
        run(admin, format!("CREATE USER IF NOT EXISTS {name} IDENTIFIED BY '{password}'")).await?;
        run(admin, format!("ALTER USER {name} IDENTIFIED BY '{password}'")).await?;
    }
    Ok(())
}

/// Lets the users do in the pool's database what their roles do, and nothing else. Tables and views must be there.
///
/// # Errors
/// When the server refuses.
pub async fn grant(admin: &MySqlPool, accounts: &[Account]) -> Result<(), StoreError> {
    let database: String = sqlx::query_scalar("SELECT CAST(DATABASE() AS CHAR)").fetch_one(admin).await?;
    // Where rights are of a whole database, an underscore would stand for any letter.
    let whole = database.replace('_', "\\_");
    let views: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(table_name AS CHAR) FROM information_schema.views WHERE table_schema = DATABASE() AND table_name LIKE 'bi\\_%'",
    )
    .fetch_all(admin)
    .await?;
    for account in accounts {
        let name = account.name()?;
        match account.role {
            Role::Functions => {
                run(admin, format!("GRANT {RECORDS} ON `{whole}`.* TO {name}")).await?;
                run(admin, format!("GRANT {MONTHS} ON `{database}`.{MONTHS_OF} TO {name}")).await?;
            }
            Role::Readers => {
                for view in &views {
                    run(admin, format!("GRANT SELECT ON `{database}`.{view} TO {name}")).await?;
                }
            }
        }
    }
    Ok(())
}

impl Account {
    fn name(&self) -> Result<String, StoreError> {
        let host = if self.host == "%" { "%" } else { plain("host", &self.host)? };
        Ok(format!("'{}'@'{host}'", plain("user", &self.user)?))
    }
}

/// Names and passwords stand in these statements as text, as the servers take no parameters there.
fn plain<'a>(what: &str, text: &'a str) -> Result<&'a str, StoreError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') {
        return Err(StoreError::Settings(format!("expected letters and digits as an account's {what}")));
    }
    Ok(text)
}

async fn run(admin: &MySqlPool, sql: String) -> Result<(), StoreError> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_name_or_password_that_could_end_its_quotes_is_refused() {
        let account = |user: &str, host: &str| Account {
            role: Role::Readers,
            user: user.to_owned(),
            host: host.to_owned(),
            password: SecretString::from("x"),
        };
        for text in ["", "a'b", "a\\", "a b", "é"] {
            assert!(account(text, "127.0.0.1").name().is_err(), "{text}");
            assert!(plain("password", text).is_err(), "{text}");
        }
        assert_eq!(account("bi", "%").name().unwrap(), "'bi'@'%'");
    }

    #[test]
    fn a_user_s_name_tells_its_role() {
        assert_eq!(Role::of("millrace"), Some(Role::Functions));
        assert_eq!(Role::of("bi"), Some(Role::Readers));
        assert_eq!(Role::of("root"), None);
    }
}
