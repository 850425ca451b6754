//! Pricing stored events again.
//!
//! Events are taken by number, all of a number's events of the period in one transaction, several numbers a transaction: what
//! they used of allowances is given back, then they are priced in the order in which they were stored. Each transaction notes how
//! far the run is, so that a run that was killed is gone on with. Bill and re-rating exclude each other by the lease
//! [`leases::BILLING`], which every transaction looks at again.

mod change;
mod events;
mod keys;
mod run;
mod transaction;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use millrace_domain::identity::Msisdn;
use millrace_domain::usage::Service;
use rust_decimal::Decimal;
use sqlx::MySqlPool;
use uuid::Uuid;

use crate::fault::{Retry, StoreError};
use crate::leases;
use crate::reference::ReferenceCache;

use keys::Keys;
use run::Run;
use transaction::Chunk;

/// How long the lease lasts after it was renewed, and how often it is.
const LEASE: Duration = Duration::from_secs(30);
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// How often it is asked for while another one has it.
const ASKED_EVERY: Duration = Duration::from_millis(250);
/// How often a transaction is run before its fault is the caller's.
const ATTEMPTS: u32 = 8;

/// What to price again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Events that started from here on.
    pub from: DateTime<Utc>,
    /// Until here, exclusive.
    pub to: DateTime<Utc>,
    /// Of this number only.
    pub subscriber: Option<Msisdn>,
}

/// How to go about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// About how many events one transaction prices; a number's are never divided.
    pub events: usize,
    /// How long to wait while bill or another re-rating works.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { events: 5_000, patience: Duration::from_secs(120) }
    }
}

/// How far a run is, in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Priced so far, before the run was interrupted too.
    pub done: u64,
    /// All of them.
    pub all: u64,
}

/// What a run did, the parts that were done before it was interrupted included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The number of the run, which its adjustments carry.
    pub run_id: u32,
    /// Whether an interrupted run was gone on with.
    pub continued: bool,
    /// Events that were priced.
    pub events: u64,
    /// Events whose charge, account, zone, tariff version or reason is another one now.
    pub changed: u64,
    /// What became of the amounts, by service.
    pub services: Vec<ServiceChange>,
}

/// What a run changed of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceChange {
    /// The service.
    pub service: Service,
    /// Events whose amount, account or reason changed.
    pub events: u64,
    /// Of them, those that had no price before.
    pub newly_rated: u64,
    /// Of them, those that have no price any more.
    pub no_longer_rated: u64,
    /// The sum of their amounts before.
    pub before: Decimal,
    /// And now.
    pub after: Decimal,
    /// The part of the difference that goes on later invoices, as the cycle's own was issued.
    pub credited: Decimal,
}

/// Why events were not priced again.
#[derive(Debug, thiserror::Error)]
pub enum RerateError {
    /// The database's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Bill or another re-rating has been at work for too long.
    #[error("a bill run or another re-rating is at work: try again when it is done")]
    Busy,
    /// The lease ended while a transaction ran, and another one has it.
    #[error("a bill run or another re-rating came in between: what is done is kept, the same command goes on")]
    Interrupted,
    /// Numbers that are done were priced by what was in force before.
    #[error("an import changed the reference data meanwhile: run the same command again")]
    ReferenceChanged,
}

impl From<sqlx::Error> for RerateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Prices the events of a period again by what is in force now; `progress` is told after every transaction.
///
/// # Errors
/// See [`RerateError`]. What was committed stays, and the same call goes on from there as long as no import comes in between.
pub async fn run(
    pool: &MySqlPool,
    reference: &ReferenceCache,
    period: &Period,
    pace: Pace,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, RerateError> {
    let holder = format!("rerate {}", Uuid::new_v4());
    let begun = Instant::now();
    while !leases::take(pool, leases::BILLING, &holder, LEASE).await? {
        if begun.elapsed() > pace.patience {
            return Err(RerateError::Busy);
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    let outcome = run_leased(pool, reference, period, pace, &holder, progress).await;
    let released = leases::release(pool, leases::BILLING, &holder).await;
    let outcome = outcome?;
    released?;
    Ok(outcome)
}

async fn run_leased(
    pool: &MySqlPool,
    reference: &ReferenceCache,
    period: &Period,
    pace: Pace,
    holder: &str,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, RerateError> {
    let mut reader = pool.acquire().await?;
    let version = reference.current(&mut reader).await?.version();
    let mut run = Run::begin(&mut reader, period, version).await?;
    let all = run.events + keys::count(&mut reader, period, &run.last_subscriber).await?;
    progress(Progress { done: run.events, all });
    let last_subscriber = run.last_subscriber.clone();
    let mut keys = Keys::open(&mut reader, period, &last_subscriber).await?;
    let mut renewed = Instant::now();
    while let Some(chunk) = keys.next(pace.events).await? {
        if renewed.elapsed() > RENEWED_EVERY {
            if !leases::take(pool, leases::BILLING, holder, LEASE).await? {
                return Err(RerateError::Interrupted);
            }
            renewed = Instant::now();
        }
        price_again(pool, reference, holder, &mut run, &chunk).await?;
        progress(Progress { done: run.events, all: all.max(run.events) });
    }
    drop(keys);
    run.end(&mut reader).await
}

/// One transaction, run again after faults that pass at once.
async fn price_again(
    pool: &MySqlPool,
    reference: &ReferenceCache,
    holder: &str,
    run: &mut Run,
    chunk: &Chunk,
) -> Result<(), RerateError> {
    let mut attempt = 1;
    loop {
        match transaction::run(pool, reference, holder, run, chunk).await {
            Err(RerateError::Store(error)) if attempt < ATTEMPTS && error.retry() == Retry::AtOnce => {
                tracing::info!(attempt, %error, "pricing a number's events again");
                tokio::time::sleep(Duration::from_millis(10 << attempt)).await;
                attempt += 1;
            }
            Err(error) => return Err(error),
            Ok(advanced) => {
                *run = advanced;
                return Ok(());
            }
        }
    }
}
