//! Work that only one process may do at a time.

use std::time::Duration;

use sqlx::{MySqlConnection, MySqlPool};

use crate::fault::StoreError;

/// The lease of bill and of re-rating, which exclude each other.
pub const BILLING: &str = "billing";

/// Takes or renews the lease `name` for `holder`; it ends by itself after `ttl`. Returns whether the holder has it: not while
/// another one's runs. The database's clock decides.
pub async fn take(pool: &MySqlPool, name: &str, holder: &str, ttl: Duration) -> Result<bool, StoreError> {
    sqlx::query("INSERT INTO leases (name, holder, expires_at) VALUES (?, '', '1970-01-02') ON DUPLICATE KEY UPDATE name = name")
        .bind(name)
        .execute(pool)
        .await?;
    // An update that waits for another's lock looks again at what that one committed.
    let taken = sqlx::query(
        "UPDATE leases SET holder = ?, expires_at = UTC_TIMESTAMP(3) + INTERVAL ? SECOND \
         WHERE name = ? AND (holder = ? OR expires_at <= UTC_TIMESTAMP(3))",
    )
    .bind(holder)
    .bind(ttl.as_secs())
    .bind(name)
    .bind(holder)
    .execute(pool)
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// Gives the lease back, if the holder still has it.
pub async fn release(pool: &MySqlPool, name: &str, holder: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE leases SET expires_at = UTC_TIMESTAMP(3) WHERE name = ? AND holder = ?")
        .bind(name)
        .bind(holder)
        .execute(pool)
        .await?;
    Ok(())
}

/// Whether `holder` has the lease, which then stays so until the connection's transaction ends: nobody else can take it before.
pub async fn holds(connection: &mut MySqlConnection, name: &str, holder: &str) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT name FROM leases WHERE name = ? AND holder = ? AND expires_at > UTC_TIMESTAMP(3) LOCK IN SHARE MODE",
    )
    .bind(name)
    .bind(holder)
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}
