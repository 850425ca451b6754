//! Stores usage events with their charge.
//!
//! A batch of `usage-events` is decoded, each event is priced by the tariff version in force at its start, of the plan that its
//! number has on that day, after what is left of the number's allowance, and rows, charges, allowances, rejects and counters are
//! committed together. An event without a price is kept with the reason, to be priced once a tariff covers it.

use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::usage::UsageEvent;
use millrace_lambda_support::batch_loop::{self, Intake};
use millrace_lambda_support::metrics::{self, Metric};
use millrace_lambda_support::mysql::Mysql;
use millrace_store_mysql::batch::{Incoming, Originals, Source, Stored};
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::usage;
use millrace_wire::batch::BatchError;
use millrace_wire::usage::Limits;
use millrace_wire::{PartialBatchResponse, Rejection, tariff};

/// The function, with what it keeps from one invocation to the next.
pub struct Rate {
    mysql: Mysql,
    reference: ReferenceCache,
    limits: Limits,
}

impl Rate {
    /// Events may be as old as `retention` when they come.
    pub fn new(mysql: impl Into<Mysql>, retention: TimeDelta) -> Self {
        let reference = ReferenceCache::new(tariff::parse_stored);
        Self { mysql: mysql.into(), reference, limits: Limits { retention } }
    }

    /// Handles a batch.
    ///
    /// # Errors
    /// When the payload is no batch. Everything else is answered: a bad record is stored as a reject, and a partition that could
    /// not be stored is named for a retry.
    pub async fn handle(&self, payload: &str) -> Result<PartialBatchResponse, BatchError> {
        batch_loop::run(self, &self.mysql, payload).await
    }
}

impl Intake for Rate {
    type Record = UsageEvent;

    fn decode(&self, value: &[u8], recorded_at: DateTime<Utc>) -> Result<UsageEvent, Rejection> {
        millrace_wire::usage::decode(value, recorded_at, &self.limits)
    }

    async fn store(
        &self,
        source: Source<'_>,
        incoming: Incoming<UsageEvent>,
        originals: &dyn Originals,
    ) -> Result<Stored, StoreError> {
        let outcome = usage::store(self.mysql.pool(), &self.reference, source, incoming, originals).await?;
        if outcome.unrated > 0 {
            metrics::emit(Some(source.topic), &[(Metric::EventsUnrated, outcome.unrated as f64)]);
        }
        Ok(outcome.stored)
    }
}
