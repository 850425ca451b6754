//! Connections.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::{ConnectOptions, Executor};

use crate::fault::StoreError;

/// Connections of one process. A function works on one batch at a time; the rest of the stack asks for little.
const MAX_CONNECTIONS: u32 = 4;

/// What every session is set to: statements mean the same on both engines, and no lock is waited for longer than 5 s.
const SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION innodb_lock_wait_timeout = 5, time_zone = '+00:00', \
    sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

/// Reads `mysql://user@host:port/database`, with the password beside it. An error names what is wrong and quotes nothing.
pub fn options(url: &str, password: Option<&SecretString>) -> Result<MySqlConnectOptions, StoreError> {
    let options: MySqlConnectOptions = url.parse().map_err(|_| {
        StoreError::Settings("expected mysql://user@host:port/database as the database's address".into())
    })?;
    let options = match password {
        Some(password) => options.password(password.expose_secret()),
        None => options,
    };
    Ok(options.pipes_as_concat(false).no_engine_substitution(false).timezone(None).disable_statement_logging())
}

/// A pool that connects when it is first used, so that a process can start while the database is away.
pub fn connect(url: &str, password: Option<&SecretString>) -> Result<MySqlPool, StoreError> {
    Ok(with(options(url, password)?))
}

/// A pool over options that are at hand.
pub fn with(options: MySqlConnectOptions) -> MySqlPool {
    MySqlPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SESSION).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options)
}
