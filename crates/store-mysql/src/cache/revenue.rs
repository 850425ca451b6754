//! How billing cycles stand.

use millrace_domain::aggregates::CycleRevenue;
use millrace_domain::cycles::Cycle;
use sqlx::{MySqlPool, Row};

use crate::fault::StoreError;

/// The cycles whose charges or invoices changed after one version, up to another, as they stand now.
pub async fn changed_cycles(
    pool: &MySqlPool,
    after_version: u64,
    to_version: u64,
) -> Result<Vec<CycleRevenue>, StoreError> {
    let rows =
        sqlx::query("SELECT cycle, version FROM cycle_versions WHERE version > ? AND version <= ? ORDER BY cycle")
            .bind(after_version)
            .bind(to_version)
            .fetch_all(pool)
            .await?;
    let mut cycles = Vec::with_capacity(rows.len());
    for row in rows {
        cycles.push(revenue(pool, row.try_get("cycle")?, row.try_get("version")?).await?);
    }
    Ok(cycles)
}

/// One statement, so that no charge is counted as open beside the invoice that carries it.
async fn revenue(pool: &MySqlPool, code: u32, version: u64) -> Result<CycleRevenue, StoreError> {
    let row = sqlx::query(
        "SELECT CAST(i.invoices AS UNSIGNED) AS invoices, i.net, i.tax, i.total, c.open_charges, \
                COALESCE((SELECT o.currency FROM operator o WHERE o.id = 1), '') AS currency \
         FROM (SELECT COUNT(*) AS invoices, COALESCE(SUM(net), 0) AS net, COALESCE(SUM(tax), 0) AS tax, \
                      COALESCE(SUM(total), 0) AS total FROM invoices WHERE cycle = ?) i \
         CROSS JOIN (SELECT COALESCE(SUM(b.amount), 0) AS open_charges FROM charges_by_cycle b \
                     LEFT JOIN closed_cycles d ON d.account_no = b.account_no AND d.cycle = b.cycle AND d.invoiced \
                     WHERE b.cycle = ? AND d.account_no IS NULL) c",
    )
    .bind(code)
    .bind(code)
    .fetch_one(pool)
    .await?;
    Ok(CycleRevenue {
        cycle: Cycle::from_code(code).ok_or_else(|| StoreError::Stored(format!("{code} is no cycle")))?,
        invoices: row.try_get("invoices")?,
        net: row.try_get("net")?,
        tax: row.try_get("tax")?,
        total: row.try_get("total")?,
        open_charges: row.try_get("open_charges")?,
        currency: row.try_get("currency")?,
        version,
    })
}
