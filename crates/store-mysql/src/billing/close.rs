//! Closing cycles.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use millrace_domain::cycles::Cycle;
use sqlx::{MySqlPool, Row as _};

use super::BillingError;
use super::turn::{hold, retried};
use crate::fault::StoreError;

/// What closing a cycle did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Closed {
    /// Accounts for which the cycle was open until now.
    pub accounts: u64,
    /// Accounts whose cycle has not ended.
    pub not_ended: u64,
}

/// The days on which the cycles of accounts begin.
///
/// # Errors
/// When the database cannot be asked.
pub async fn cycle_days(pool: &MySqlPool) -> Result<Vec<u8>, StoreError> {
    Ok(sqlx::query_scalar("SELECT DISTINCT cycle_day FROM accounts ORDER BY cycle_day").fetch_all(pool).await?)
}

/// Closes a cycle for the accounts whose cycles begin on `cycle_day`, if it has ended by `as_of`. Those for which it is closed
/// already stay as they are.
///
/// # Errors
/// When the database cannot do it, or `holder` has not the lease.
pub async fn close(
    pool: &MySqlPool,
    holder: &str,
    (cycle, cycle_day): (Cycle, u8),
    timezone: Tz,
    as_of: DateTime<Utc>,
) -> Result<Closed, BillingError> {
    let (starts_at, ends_at) = cycle
        .bounds(cycle_day, timezone)
        .ok_or_else(|| StoreError::Stored(format!("the cycle {cycle} is beyond the calendar")))?;
    let open: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM accounts a LEFT JOIN closed_cycles c ON c.account_no = a.account_no AND c.cycle = ? \
         WHERE a.cycle_day = ? AND c.account_no IS NULL",
    )
    .bind(cycle.code())
    .bind(cycle_day)
    .fetch_one(pool)
    .await?;
    let open = u64::try_from(open).unwrap_or(0);
    if ends_at > as_of {
        return Ok(Closed { accounts: 0, not_ended: open });
    }
    if open == 0 {
        return Ok(Closed::default());
    }
    let accounts = retried("closing a cycle", async || {
        let mut transaction = pool.begin().await?;
        hold(&mut transaction, holder).await?;
        // Waits for the batches that give charges their cycle; those that follow see that it is closed.
        sqlx::query("SELECT latest_closed FROM cycle_gates WHERE cycle_day = ? FOR UPDATE")
            .bind(cycle_day)
            .fetch_one(&mut *transaction)
            .await?;
        let closed = sqlx::query(
            "INSERT INTO closed_cycles (account_no, cycle, starts_at, ends_at, closed_at) \
             SELECT a.account_no, ?, ?, ?, UTC_TIMESTAMP(3) FROM accounts a \
             LEFT JOIN closed_cycles c ON c.account_no = a.account_no AND c.cycle = ? \
             WHERE a.cycle_day = ? AND c.account_no IS NULL",
        )
        .bind(cycle.code())
        .bind(starts_at.naive_utc())
        .bind(ends_at.naive_utc())
        .bind(cycle.code())
        .bind(cycle_day)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE cycle_gates SET latest_closed = GREATEST(latest_closed, ?) WHERE cycle_day = ?")
            .bind(cycle.code())
            .bind(cycle_day)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(closed.rows_affected())
    })
    .await?;
    Ok(Closed { accounts, not_ended: 0 })
}

/// The cycles that were closed and are not yet invoiced for every account, the earliest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn unfinished(pool: &MySqlPool) -> Result<Vec<Cycle>, StoreError> {
    let rows = sqlx::query("SELECT cycle FROM closed_cycles GROUP BY cycle HAVING MIN(invoiced) = 0 ORDER BY cycle")
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| super::rows::cycle(row.try_get(0)?)).collect()
}
