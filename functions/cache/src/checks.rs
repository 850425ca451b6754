//! What must come out even: records by the ledger, and invoices by the charges that they carry. Both are told each minute, so
//! that a difference raises its alarm while it can still be followed.

use chrono::{DateTime, Utc};
use millrace_lambda_support::metrics::Metric;
use millrace_store_mysql::cache::{self, Folded};
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::{MySqlPool, status};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// What came out. `None` was not looked at in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checks {
    /// Records that the ledger passed and counts nowhere, or counts twice.
    pub conservation: Option<u64>,
    /// Exact charges less what invoices carry of them, in the operator's currency, whatever the sign.
    pub billing: Option<Decimal>,
}

impl Checks {
    /// The values of their metrics. Money loses its exactness here: what counts is whether it is 0.
    pub fn metrics(&self) -> impl Iterator<Item = (Metric, f64)> {
        let conservation = self.conservation.map(|records| (Metric::ConservationDifference, records as f64));
        let billing = self.billing.map(|money| (Metric::BillingDifference, money.to_f64().unwrap_or(f64::MAX)));
        conservation.into_iter().chain(billing)
    }
}

/// Looks at the ledger, at the invoices that are new since the last run, and for invoices that are missing. Charges are folded
/// as they were committed at `charged`.
pub(crate) async fn run(mysql: &MySqlPool, folded: Folded, charged: DateTime<Utc>) -> Result<Checks, StoreError> {
    let conservation = Some(conservation(mysql).await?);
    // Before the fold has caught up, charges are missing that invoices carry already.
    let billing = if folded.complete { Some(billing(mysql, charged).await?) } else { None };
    Ok(Checks { conservation, billing })
}

async fn conservation(mysql: &MySqlPool) -> Result<u64, StoreError> {
    let mut all: u128 = 0;
    for position in status::snapshot(mysql).await? {
        let unaccounted = position.unaccounted();
        if unaccounted != 0 {
            let (topic, partition) = (position.topic, position.partition);
            tracing::error!(%topic, partition, %unaccounted, "the ledger lost records, or counts them twice");
            all += unaccounted.unsigned_abs();
        }
    }
    Ok(u64::try_from(all).unwrap_or(u64::MAX))
}

async fn billing(mysql: &MySqlPool, charged: DateTime<Utc>) -> Result<Decimal, StoreError> {
    let differing = cache::differing_invoices(mysql, charged).await?;
    for invoice in differing.iter().take(10) {
        let (number, difference) = (&invoice.number, invoice.difference);
        tracing::error!(%number, %difference, "an invoice carries other charges than it should");
    }
    let uninvoiced = cache::uninvoiced_charges(mysql, charged).await?;
    for charges in uninvoiced.iter().take(10) {
        let (cycle, account, difference) = (charges.cycle, &charges.account_id, charges.charges);
        tracing::error!(%cycle, %account, %difference, "charges of a billed cycle are on no invoice");
    }
    let differing = differing.iter().map(|invoice| invoice.difference);
    Ok(differing.chain(uninvoiced.iter().map(|charges| charges.charges)).map(|money| money.abs()).sum())
}
