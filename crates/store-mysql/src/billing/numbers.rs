//! Numbers without gaps: taken in the transaction that writes what bears them.

use sqlx::MySqlConnection;

/// Locks the year's row until the transaction ends and answers the last number that was taken.
pub(super) async fn lock(connection: &mut MySqlConnection, year: i32) -> Result<u32, sqlx::Error> {
    // A row that is not there cannot be locked; an update of nothing locks the one that is.
    sqlx::query("INSERT INTO invoice_numbers (year, last) VALUES (?, 0) ON DUPLICATE KEY UPDATE last = last")
        .bind(year)
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar("SELECT last FROM invoice_numbers WHERE year = ? FOR UPDATE")
        .bind(year)
        .fetch_one(connection)
        .await
}

/// Notes the last number that is taken now.
pub(super) async fn take(connection: &mut MySqlConnection, year: i32, last: u32) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE invoice_numbers SET last = ? WHERE year = ?").bind(last).bind(year).execute(connection).await?;
    Ok(())
}
