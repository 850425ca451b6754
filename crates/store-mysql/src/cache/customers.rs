//! Customers' snapshots, in the order in which they came.

use millrace_domain::customers::CustomerSnapshot;
use sqlx::{MySqlPool, Row};

use crate::customers::snapshot;
use crate::fault::StoreError;

/// A snapshot with its sequence number.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedSnapshot {
    /// Its place among all snapshots.
    pub seq: u64,
    /// What was observed.
    pub snapshot: CustomerSnapshot,
}

/// The first `limit` snapshots numbered after `after`, up to `to`.
pub async fn snapshots_after(
    pool: &MySqlPool,
    after: u64,
    to: u64,
    limit: u32,
) -> Result<Vec<NumberedSnapshot>, StoreError> {
    let rows = sqlx::query(
        "SELECT seq, customer_id, observed_at, state, account_length, area_code, international_plan, voice_mail_plan, \
                number_vmail_messages, total_day_minutes, total_day_calls, total_day_charge, total_eve_minutes, total_eve_calls, \
                total_eve_charge, total_night_minutes, total_night_calls, total_night_charge, total_intl_minutes, \
                total_intl_calls, total_intl_charge, customer_service_calls, churn \
         FROM customer_snapshots FORCE INDEX (by_seq) WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
    )
    .bind(after)
    .bind(to)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(NumberedSnapshot { seq: row.try_get("seq")?, snapshot: snapshot(row)? })).collect()
}
