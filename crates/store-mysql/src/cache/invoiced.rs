//! Whether invoices carry the charges that they should: two sums of the same charges, made on different ways.
//!
//! The cache folds every charge into `charges_by_cycle`; bill sums an account's charges when it issues the invoice, and rounds
//! line by line. The nets of an invoice's usage and credit lines with its kept rounding are the folded charges, to the last
//! decimal. Each invoice is looked at once, when the fold has caught up with its cycle's close; one that differs is looked at
//! again until it no longer does, or is cancelled.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::{MySqlPool, Row as _};

use crate::fault::StoreError;

/// Invoices of one statement.
const PAGE: u32 = 2_000;
/// Pages of one call; what is left is for the next one.
const PAGES: u32 = 10;
/// How far invoices were looked at, in `cache_watermarks`.
const MARK: &str = "checked-invoices";

/// An invoice that carries other charges than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// Its number.
    pub number: String,
    /// The exact charges less its nets and kept rounding.
    pub difference: Decimal,
}

/// The invoices among those not looked at yet that carry other charges than they should. Charges must be folded as far as they
/// were committed at `as_of`, by the database's clock: cycles that closed later are left to the next call. To be called by one
/// process at a time.
///
/// # Errors
/// When the database cannot be asked.
pub async fn differing_invoices(pool: &MySqlPool, as_of: DateTime<Utc>) -> Result<Vec<Differing>, StoreError> {
    let mark: Option<u64> =
        sqlx::query_scalar("SELECT seq FROM cache_watermarks WHERE topic = ?").bind(MARK).fetch_optional(pool).await?;
    let before = mark.unwrap_or_default();
    let mut done = before;
    let mut first_differing = None;
    let mut found = Vec::new();
    for _ in 0..PAGES {
        let rows = sqlx::query(INVOICES).bind(done).bind(PAGE).fetch_all(pool).await?;
        let settled = rows.iter().map(|row| row.try_get::<DateTime<Utc>, _>("closed_at").map(|at| at <= as_of));
        let settled = settled.collect::<Result<Vec<bool>, _>>()?.into_iter().take_while(|settled| *settled).count();
        for row in &rows[..settled] {
            done = row.try_get::<u32, _>("invoice_id")?.into();
            let difference: Decimal = row.try_get("difference")?;
            if !difference.is_zero() {
                first_differing.get_or_insert(done);
                found.push(Differing { number: row.try_get("invoice_number")?, difference });
            }
        }
        if settled < PAGE as usize {
            break;
        }
    }
    let after = first_differing.map_or(done, |first| first - 1);
    if after != before {
        sqlx::query(
            "INSERT INTO cache_watermarks (topic, seq, version) VALUES (?, ?, 0) \
             ON DUPLICATE KEY UPDATE seq = VALUES(seq)",
        )
        .bind(MARK)
        .bind(after)
        .execute(pool)
        .await?;
    }
    Ok(found)
}

/// Invoices that the fold has seen: what it sums is as old. Neither credit notes that cancel an invoice nor what they cancel:
/// charges of those may be corrected without being billed.
const INVOICES: &str = "SELECT i.invoice_id, i.invoice_number, d.closed_at, \
            CAST(COALESCE(b.amount, 0) - i.rounding - COALESCE((SELECT SUM(l.net) FROM invoice_lines l \
                WHERE l.invoice_id = i.invoice_id AND l.kind <> 'fee'), 0) AS DECIMAL(20, 4)) AS difference \
     FROM invoices i \
     JOIN closed_cycles d ON d.account_no = i.account_no AND d.cycle = i.cycle \
     LEFT JOIN charges_by_cycle b ON b.cycle = i.cycle AND b.account_no = i.account_no \
     LEFT JOIN invoices n ON n.cancels = i.invoice_id \
     WHERE i.invoice_id > ? AND i.invoice_id <= COALESCE((SELECT seq FROM cache_watermarks WHERE topic = 'invoices'), 0) \
       AND i.cancels IS NULL AND n.invoice_id IS NULL ORDER BY i.invoice_id LIMIT ?";
