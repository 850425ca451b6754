//! Brings the schema up to date, and keeps the tables' monthly partitions ahead. A deployment invokes it, and a schedule each
//! month; it may run twice, and two may run at once.

use chrono::{DateTime, Utc};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::schema;
use serde::Serialize;

/// The function.
pub struct Migrate {
    pool: MySqlPool,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Migrations applied by this run.
    pub applied: usize,
    /// Migrations of this build.
    pub known: usize,
    /// Monthly partitions made by this run.
    pub partitions: usize,
}

impl Migrate {
    /// Migrates this database.
    pub fn new(pool: MySqlPool) -> Self {
        Self { pool }
    }

    /// Does whatever is missing at the instant `now`.
    ///
    /// # Errors
    /// When a statement failed; what was done before it stays, and the next run goes on from there.
    pub async fn run(&self, now: DateTime<Utc>) -> Result<Summary, StoreError> {
        let done = schema::migrate(&self.pool, now).await?;
        Ok(Summary { applied: done.applied, known: done.known, partitions: done.partitions })
    }
}
