//! The database and its users, as an administrator sets them up on a server of one's own. On AWS Terraform does.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, MySqlPool};

use crate::fault::StoreError;

/// A user of the database.
#[derive(Debug)]
pub struct Account<'a> {
    /// Its name.
    pub user: &'a str,
    /// From where it signs in: an address, or `%` for everywhere.
    pub host: &'a str,
    /// Its password: letters and digits.
    pub password: SecretString,
}

/// Creates the database and both users, or gives them these passwords: `functions` may do all in the database, `readers` nothing
/// yet. Safe to run twice.
pub async fn create(
    admin: &MySqlPool,
    database: &str,
    functions: &Account<'_>,
    readers: &Account<'_>,
) -> Result<(), StoreError> {
    run(admin, format!("CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")).await?;
    for account in [functions, readers] {
        let name = account.name()?;
        let password = plain("password", account.password.expose_secret())?;
        run(admin, format!("CREATE USER IF NOT EXISTS {name} IDENTIFIED BY '{password}'")).await?;
        run(admin, format!("ALTER USER {name} IDENTIFIED BY '{password}'")).await?;
    }
    run(admin, format!("GRANT ALL PRIVILEGES ON {database}.* TO {}", functions.name()?)).await
}

/// Lets a user read the views whose names begin with `bi_`, and nothing else.
pub async fn allow_reading_views(admin: &MySqlPool, database: &str, readers: &Account<'_>) -> Result<(), StoreError> {
    let views: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(table_name AS CHAR) FROM information_schema.views WHERE table_schema = ? AND table_name LIKE 'bi\\_%'",
    )
    .bind(database)
    .fetch_all(admin)
    .await?;
    for view in views {
        run(admin, format!("GRANT SELECT ON {database}.{view} TO {}", readers.name()?)).await?;
    }
    Ok(())
}

impl Account<'_> {
    fn name(&self) -> Result<String, StoreError> {
        let host = if self.host == "%" { "%" } else { plain("host", self.host)? };
        Ok(format!("'{}'@'{host}'", plain("user", self.user)?))
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
        for text in ["", "a'b", "a\\", "a b", "é"] {
            let account = Account { user: text, host: "127.0.0.1", password: SecretString::from("x") };
            assert!(account.name().is_err(), "{text}");
            assert!(plain("password", text).is_err(), "{text}");
        }
        let account = Account { user: "bi", host: "%", password: SecretString::from("x") };
        assert_eq!(account.name().unwrap(), "'bi'@'%'");
    }
}
