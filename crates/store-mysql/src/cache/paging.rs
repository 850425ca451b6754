//! Pages of the sums that changed.

use sqlx::{AssertSqlSafe, MySqlPool};

use crate::fault::StoreError;

/// The version at which a page of about `rows` changed rows of `table` ends, `newest` where so many are not left: all rows of a
/// version are in one page. The table has a column `version` with the index `by_version`.
pub(super) async fn page_end(
    pool: &MySqlPool,
    table: &'static str,
    after_version: u64,
    rows: u64,
    newest: u64,
) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT version FROM {table} FORCE INDEX (by_version) WHERE version > ? ORDER BY version LIMIT 1 OFFSET ?"
    );
    let end: Option<u64> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(after_version)
        .bind(rows.saturating_sub(1))
        .fetch_optional(pool)
        .await?;
    Ok(end.unwrap_or(newest))
}
