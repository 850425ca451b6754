//! Stores customers as they were observed: what churn is learned from and scored by.

use chrono::{DateTime, Utc};
use millrace_domain::customers::CustomerSnapshot;
use millrace_lambda_support::batch_loop::{self, Intake};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::batch::{Incoming, Originals, Source, Stored};
use millrace_store_mysql::customers;
use millrace_store_mysql::fault::StoreError;
use millrace_wire::batch::BatchError;
use millrace_wire::{PartialBatchResponse, Rejection};

/// The function, with what it keeps from one invocation to the next.
pub struct Score {
    pool: MySqlPool,
}

impl Score {
    /// Stores into this database.
    pub fn new(pool: MySqlPool) -> Self {
        Self { pool }
    }

    /// Handles a batch.
    ///
    /// # Errors
    /// When the payload is no batch. Everything else is answered: a bad record is stored as a reject, and a partition that could
    /// not be stored is named for a retry.
    pub async fn handle(&self, payload: &str) -> Result<PartialBatchResponse, BatchError> {
        batch_loop::run(self, payload).await
    }
}

impl Intake for Score {
    type Record = CustomerSnapshot;

    fn decode(&self, value: &[u8], recorded_at: DateTime<Utc>) -> Result<CustomerSnapshot, Rejection> {
        millrace_wire::customers::decode(value, recorded_at)
    }

    async fn store(
        &self,
        source: Source<'_>,
        incoming: Incoming<CustomerSnapshot>,
        originals: &dyn Originals,
    ) -> Result<Stored, StoreError> {
        customers::store(&self.pool, source, incoming, originals).await
    }
}
