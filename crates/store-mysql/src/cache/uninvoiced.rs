//! Charges that no invoice carries though their cycle is closed and billed: a look at each invoice never meets them.
//!
//! A cycle is looked at until each account that has charges in it is billed and has an invoice, and again when a fold changed it
//! since.

use chrono::{DateTime, Utc};
use millrace_domain::cycles::Cycle;
use rust_decimal::Decimal;
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use super::repeatable_read;
use crate::fault::StoreError;

/// The earliest cycle that is to be looked at, and the version up to which changes were seen, in `cache_watermarks`.
const MARK: &str = "checked-cycles";

/// Charges without an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uninvoiced {
    /// Their cycle.
    pub cycle: Cycle,
    /// Whose they are.
    pub account_id: String,
    /// Their exact sum.
    pub charges: Decimal,
}

/// The charges of closed and billed cycles whose accounts have no invoice for them, not even a cancelled one. Charges must be
/// folded as far as they were committed at `as_of`, by the database's clock: cycles that closed later are left to the next call,
/// and everything is while there are adjustments that are not folded. To be called by one process at a time.
///
/// # Errors
/// When the database cannot be asked.
pub async fn uninvoiced_charges(pool: &MySqlPool, as_of: DateTime<Utc>) -> Result<Vec<Uninvoiced>, StoreError> {
    let mut connection = pool.acquire().await?;
    // One snapshot: an invoice is committed with the word that its cycle is billed, and an adjustment could take the charges away
    // that a cycle was then billed without.
    let mut snapshot = repeatable_read(&mut connection).await?;
    let all_folded: bool = sqlx::query_scalar(ALL_FOLDED).fetch_one(&mut *snapshot).await?;
    if !all_folded {
        snapshot.rollback().await?;
        return Ok(Vec::new());
    }
    let mark = sqlx::query("SELECT seq, version FROM cache_watermarks WHERE topic = ?")
        .bind(MARK)
        .fetch_optional(&mut *snapshot)
        .await?;
    let before: (u64, u64) = match mark {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => (0, 0),
    };
    let mut after = before;
    let mut unfinished = None;
    let mut found = Vec::new();
    let cycles = sqlx::query(CYCLES).bind(before.0).bind(before.1).fetch_all(&mut *snapshot).await?;
    for row in cycles {
        let (code, version): (u32, u64) = (row.try_get(0)?, row.try_get(1)?);
        let missing = of_cycle(&mut snapshot, code, as_of).await?;
        let waiting: bool =
            sqlx::query_scalar(WAITING).bind(as_of.naive_utc()).bind(code).fetch_one(&mut *snapshot).await?;
        if waiting || !missing.is_empty() {
            unfinished.get_or_insert(code);
        }
        after = (after.0.max(u64::from(code) + 1), after.1.max(version));
        found.extend(missing);
    }
    if let Some(unfinished) = unfinished {
        after.0 = unfinished.into();
    }
    if after != before {
        sqlx::query(
            "INSERT INTO cache_watermarks (topic, seq, version) VALUES (?, ?, ?) \
             ON DUPLICATE KEY UPDATE seq = VALUES(seq), version = VALUES(version)",
        )
        .bind(MARK)
        .bind(after.0)
        .bind(after.1)
        .execute(&mut *snapshot)
        .await?;
    }
    snapshot.commit().await?;
    Ok(found)
}

async fn of_cycle(
    connection: &mut MySqlConnection,
    code: u32,
    as_of: DateTime<Utc>,
) -> Result<Vec<Uninvoiced>, StoreError> {
    let cycle = Cycle::from_code(code).ok_or_else(|| StoreError::Stored(format!("{code} is no cycle")))?;
    let mut found = Vec::new();
    for row in sqlx::query(UNINVOICED).bind(code).bind(as_of.naive_utc()).fetch_all(connection).await? {
        found.push(Uninvoiced { cycle, account_id: row.try_get("account_id")?, charges: row.try_get("amount")? });
    }
    Ok(found)
}

/// Adjustments are committed in the order of their numbers.
const ALL_FOLDED: &str = "SELECT COALESCE((SELECT MAX(seq) FROM adjustments), 0) \
     <= COALESCE((SELECT seq FROM cache_watermarks WHERE topic = 'adjustments'), 0)";

/// Both ways into the mark: cycles that are not done, and those that changed since they were.
const CYCLES: &str = "SELECT cycle, version FROM cycle_versions WHERE cycle >= ? OR version > ? ORDER BY cycle";

const UNINVOICED: &str = "SELECT a.account_id, b.amount \
     FROM closed_cycles d JOIN charges_by_cycle b ON b.cycle = d.cycle AND b.account_no = d.account_no \
     JOIN accounts a ON a.account_no = d.account_no \
     LEFT JOIN invoices i ON i.cycle = d.cycle AND i.account_no = d.account_no \
     WHERE d.cycle = ? AND d.invoiced AND d.closed_at <= ? AND b.amount <> 0 AND i.invoice_id IS NULL \
     ORDER BY a.account_id";

/// Whether charges are not billed yet.
const WAITING: &str = "SELECT EXISTS (SELECT 1 FROM charges_by_cycle b \
     LEFT JOIN closed_cycles d ON d.account_no = b.account_no AND d.cycle = b.cycle AND d.invoiced AND d.closed_at <= ? \
     WHERE b.cycle = ? AND b.amount <> 0 AND d.account_no IS NULL)";
