//! One billing run or re-rating at a time.

use std::time::{Duration, Instant};

use sqlx::{MySqlConnection, MySqlPool};

use super::BillingError;
use crate::fault::Retry;
use crate::leases;

/// How long the lease lasts after it was renewed, and how often it is. A run that was killed keeps others waiting for as long.
const LEASE: Duration = Duration::from_secs(6);
const RENEWED_EVERY: Duration = Duration::from_millis(1_500);
/// How often it is asked for while another one has it.
const ASKED_EVERY: Duration = Duration::from_millis(250);
/// How often a transaction is run before its fault is the caller's.
const ATTEMPTS: u32 = 8;

/// Does `work` while `holder` has the lease, which is waited for until `patience` ends. The work is dropped, and with it its
/// transaction, when another one has taken the lease.
///
/// # Errors
/// [`BillingError::Busy`], [`BillingError::Interrupted`], or the work's own.
pub async fn in_turn<T>(
    pool: &MySqlPool,
    holder: &str,
    patience: Instant,
    work: impl Future<Output = Result<T, BillingError>>,
) -> Result<T, BillingError> {
    while !leases::take(pool, leases::BILLING, holder, LEASE).await? {
        if Instant::now() >= patience {
            return Err(BillingError::Busy);
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    let outcome = tokio::select! {
        outcome = work => outcome,
        lost = renew(pool, holder) => Err(lost),
    };
    // A lease that is not given back ends by itself.
    if let Err(error) = leases::release(pool, leases::BILLING, holder).await {
        tracing::warn!(%error, "the lease could not be given back");
    }
    outcome
}

/// Renews the lease until it is lost.
async fn renew(pool: &MySqlPool, holder: &str) -> BillingError {
    let mut failed: Option<Instant> = None;
    loop {
        tokio::time::sleep(RENEWED_EVERY).await;
        match leases::take(pool, leases::BILLING, holder, LEASE).await {
            Ok(true) => failed = None,
            Ok(false) => return BillingError::Interrupted,
            // A fault that passes before the lease ends does no harm; each transaction looks at the lease anyway.
            Err(error) if failed.get_or_insert_with(Instant::now).elapsed() > LEASE => return error.into(),
            Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
        }
    }
}

/// Sees to it that the lease stays with the holder until the connection's transaction ends.
pub(super) async fn hold(connection: &mut MySqlConnection, holder: &str) -> Result<(), BillingError> {
    if leases::holds(connection, leases::BILLING, holder).await? { Ok(()) } else { Err(BillingError::Interrupted) }
}

/// Runs a transaction, again after faults that pass at once.
pub(super) async fn retried<T>(
    what: &'static str,
    mut transaction: impl AsyncFnMut() -> Result<T, BillingError>,
) -> Result<T, BillingError> {
    let mut attempt = 1;
    loop {
        match transaction().await {
            Err(BillingError::Store(error)) if attempt < ATTEMPTS && error.retry() == Retry::AtOnce => {
                tracing::info!(attempt, %error, what, "running a transaction again");
                tokio::time::sleep(Duration::from_millis(10 << attempt)).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}
