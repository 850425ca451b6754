//! Customers' snapshots, in the order in which they came.

use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::CustomerId;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row};

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

fn snapshot(row: &MySqlRow) -> Result<CustomerSnapshot, StoreError> {
    let customer: &str = row.try_get("customer_id")?;
    let period = |minutes, calls, charge| {
        Ok::<_, sqlx::Error>(PeriodUsage {
            minutes: row.try_get(minutes)?,
            calls: row.try_get(calls)?,
            charge: row.try_get(charge)?,
        })
    };
    Ok(CustomerSnapshot {
        customer_id: CustomerId::parse(customer)
            .map_err(|e| StoreError::Stored(format!("customer_snapshots.customer_id: {e}")))?,
        observed_at: row.try_get("observed_at")?,
        state: row.try_get("state")?,
        account_length: row.try_get("account_length")?,
        area_code: row.try_get("area_code")?,
        international_plan: row.try_get("international_plan")?,
        voice_mail_plan: row.try_get("voice_mail_plan")?,
        number_vmail_messages: row.try_get("number_vmail_messages")?,
        day: period("total_day_minutes", "total_day_calls", "total_day_charge")?,
        eve: period("total_eve_minutes", "total_eve_calls", "total_eve_charge")?,
        night: period("total_night_minutes", "total_night_calls", "total_night_charge")?,
        intl: period("total_intl_minutes", "total_intl_calls", "total_intl_charge")?,
        customer_service_calls: row.try_get("customer_service_calls")?,
        churn: row.try_get("churn")?,
    })
}
