//! Writes each closed stored day (UTC) as Parquet to S3, once, and drops the partition of a month that is archived whole.
//!
//! `{"task":"archive"}`, the schedule's: every day that is over and not archived, oldest first, of usage events with their charges,
//! of what re-rating changed, and of customers' snapshots. A day's manifest is written after its files, and its row in MySQL after
//! that; each file is noted in MySQL when it is written, so that whatever ends a run, the next one goes on from there.
//! `{"task":"drop","month":"YYYY-MM"}` reads the month's files again, holds their checksums and counts against the manifest and the
//! table, and drops the partition if nothing stands against it.

mod columns;
mod day;
mod manifest;
mod request;
mod rows;
mod verify;

use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::archive::drop::{DropError, OldMonth};
use millrace_store_mysql::archive::{self, ArchivedAdjustment, ArchivedEvent, Dataset, Month, StoredSnapshot};
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::leases;
use millrace_store_objects::{ObjectError, ObjectStore};
use parquet::errors::ParquetError;
use serde::Serialize;

pub use manifest::{Manifest, ManifestPart, key, part_key, sha256};
pub use request::{Malformed, Request};

/// How much a run holds in memory, whatever a day has: a page of rows as they are read, the rows of a group until it is written, and
/// the file so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of one file.
    pub part_rows: u64,
    /// Bytes from which on a file takes no further row.
    pub part_bytes: u64,
    /// Rows of one group: a kilobyte each, two at most.
    pub group_rows: usize,
}

impl Default for Limits {
    /// Some 200 MB: 50 to 100 of a group, and twice the file where its buffer grows.
    fn default() -> Self {
        Self { part_rows: 1_000_000, part_bytes: 64 * 1024 * 1024, group_rows: 50_000 }
    }
}

/// How long a run's turn lasts after it was renewed, which it is with each file.
const TURN: Duration = Duration::from_secs(120);

/// The archive of one database.
pub struct Archive {
    /// The record.
    pub pool: MySqlPool,
    /// Where the files go.
    pub objects: ObjectStore,
    /// Who holds the turn while a run goes on: one name for each run.
    pub holder: String,
    /// How old an event may be when it comes.
    pub retention: TimeDelta,
    /// How large files and their groups of rows become.
    pub limits: Limits,
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To `archive`.
    Archived(Archived),
    /// To `drop`.
    Dropped(Dropped),
}

/// What a run archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// The days, by data set.
    pub days: Vec<ArchivedDay>,
    /// Whether that was all; otherwise the same event goes on.
    pub finished: bool,
}

/// A day that stands in the archive now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedDay {
    /// What was archived.
    pub dataset: &'static str,
    /// The day on which the rows were stored.
    pub stored: NaiveDate,
    /// How many there are.
    pub rows: u64,
    /// In how many files.
    pub parts: usize,
}

/// A month that is in the archive only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The month, `YYYY-MM`.
    pub month: String,
    /// How many events it had.
    pub rows: u64,
}

/// Why a run failed. What was done before stays.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The database's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store's fault.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// A file could not be made or read.
    #[error("parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// A manifest could not be made or read.
    #[error("manifest: {0}")]
    Manifest(#[from] serde_json::Error),
    /// A month may not go, or not yet.
    #[error(transparent)]
    Drop(#[from] DropError),
    /// Another run is at work, or was killed less than two minutes ago.
    #[error("another run of archive is at work: try again when it is done")]
    Busy,
    /// The files of a day do not hold what the table does.
    #[error("{dataset} of {day}: the table has {table} rows, the files {files} (by month they must agree too)")]
    Counts {
        /// What was archived.
        dataset: &'static str,
        /// The stored day.
        day: NaiveDate,
        /// Rows of the table.
        table: u64,
        /// Rows of the files.
        files: u64,
    },
}

impl Archive {
    /// Does what `request` asks for; archiving ends at `deadline`, to be gone on with.
    ///
    /// # Errors
    /// When a service cannot do it, counts differ, or a month may not go.
    pub async fn run(&self, request: &Request, now: DateTime<Utc>, deadline: Instant) -> Result<Answer, ArchiveError> {
        self.take_turn().await?;
        let outcome = match request {
            Request::Archive { through } => self.archive(*through, deadline).await.map(Answer::Archived),
            Request::Drop { month } => self.drop(*month, now).await.map(Answer::Dropped),
        };
        // A turn that is not given back ends by itself.
        if let Err(error) = leases::release(&self.pool, archive::LEASE, &self.holder).await {
            tracing::warn!(%error, "the turn could not be given back");
        }
        outcome
    }

    async fn take_turn(&self) -> Result<(), ArchiveError> {
        let taken = leases::take(&self.pool, archive::LEASE, &self.holder, TURN).await?;
        if taken { Ok(()) } else { Err(ArchiveError::Busy) }
    }

    async fn archive(&self, through: Option<NaiveDate>, deadline: Instant) -> Result<Archived, ArchiveError> {
        let until = through.and_then(|day| day.succ_opt());
        let mut archived = Archived { days: Vec::new(), finished: true };
        for dataset in Dataset::ALL {
            let progress = archive::progress(&self.pool, dataset).await?;
            let survey = archive::pending(&self.pool, dataset, &progress, until).await?;
            for day in &survey.days {
                let written = match dataset {
                    Dataset::UsageEvents => self.write_day::<ArchivedEvent>(day, survey.reach_seq, deadline).await?,
                    Dataset::Adjustments => {
                        self.write_day::<ArchivedAdjustment>(day, survey.reach_seq, deadline).await?
                    }
                    Dataset::Customers => self.write_day::<StoredSnapshot>(day, survey.reach_seq, deadline).await?,
                };
                let Some(day) = written else {
                    archived.finished = false;
                    return Ok(archived);
                };
                tracing::info!(dataset = day.dataset, stored = %day.stored, rows = day.rows, parts = day.parts, "archived");
                archived.days.push(day);
            }
        }
        Ok(archived)
    }

    async fn drop(&self, month: Month, now: DateTime<Utc>) -> Result<Dropped, ArchiveError> {
        let old = OldMonth::find(&self.pool, month, self.retention, now).await?;
        old.check_cycles().await?;
        let mut archived = 0;
        for day in old.archived_days().await? {
            self.take_turn().await?;
            archived += self.verify(month, &day).await?;
        }
        let counted = old.count(archived).await?;
        old.drop(counted, &self.holder).await?;
        tracing::info!(%month, rows = counted.rows, "dropped");
        Ok(Dropped { month: month.to_string(), rows: counted.rows })
    }
}
