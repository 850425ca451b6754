//! Dropping the partition of a month that stands whole in the archive.
//!
//! Nothing is dropped that could still be needed: no event of the month may come any more, the archive's counts equal the table's,
//! every cycle that its events lie in or are billed in is closed and invoiced, and its adjustments are archived too.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use millrace_domain::cycles::Cycle;
use millrace_domain::time::local_day;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, MySqlPool, Row};

use super::{Dataset, Month};
use crate::cache::{self, Feed};
use crate::fault::StoreError;
use crate::{import, leases};

/// How long bill and re-rating are kept waiting at most, if the run is killed.
const LEASE: Duration = Duration::from_secs(60);

/// Why a month was not dropped.
#[derive(Debug, thiserror::Error)]
pub enum DropError {
    /// The database's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It may not go, or not yet.
    #[error("{month} is not dropped: {reason}")]
    Refused {
        /// The month.
        month: Month,
        /// What stands against it.
        reason: String,
    },
}

impl From<sqlx::Error> for DropError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A day of the archive with rows of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayOfMonth {
    /// The stored day.
    pub day: NaiveDate,
    /// The SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
}

/// The month's rows, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many there are, in the table as in the archive.
    pub rows: u64,
    /// Every row up to this number was counted.
    reach: u64,
}

/// A month that nothing stands against yet.
pub struct OldMonth<'a> {
    pool: &'a MySqlPool,
    month: Month,
}

impl<'a> OldMonth<'a> {
    /// Takes a month that is past: its last event is older than `retention`, after which none is accepted any more.
    ///
    /// # Errors
    /// When it is not, or has no partition.
    pub async fn find(
        pool: &'a MySqlPool,
        month: Month,
        retention: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Self, DropError> {
        let old = Self { pool, month };
        if month.ends_at() + retention > now {
            let days = retention.num_days();
            return Err(old.refused(format!("events of the last {days} days are still accepted")));
        }
        let there: i64 = sqlx::query(
            "SELECT COUNT(*) FROM information_schema.partitions \
             WHERE table_schema = DATABASE() AND table_name = 'usage_events' AND partition_name = ?",
        )
        .bind(month.partition())
        .fetch_one(pool)
        .await?
        .try_get(0)?;
        if there == 0 { Err(old.refused("it has no partition (any more)")) } else { Ok(old) }
    }

    fn refused(&self, reason: impl Into<String>) -> DropError {
        DropError::Refused { month: self.month, reason: reason.into() }
    }

    /// The days of the archive that hold its rows.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn archived_days(&self) -> Result<Vec<DayOfMonth>, StoreError> {
        let rows = sqlx::query(
            "SELECT stored_day, manifest_sha256 FROM archived_days d WHERE dataset = ? AND EXISTS \
             (SELECT 1 FROM archived_months m WHERE m.dataset = d.dataset AND m.month = ? AND m.stored_day = d.stored_day) \
             ORDER BY stored_day",
        )
        .bind(Dataset::UsageEvents.name())
        .bind(self.month.code())
        .fetch_all(self.pool)
        .await?;
        rows.iter().map(|row| Ok(DayOfMonth { day: row.try_get(0)?, manifest_sha256: row.try_get(1)? })).collect()
    }

    /// Counts its rows; the archive, whose files hold `archived` of them, must have as many.
    ///
    /// # Errors
    /// When the counts differ.
    pub async fn count(&self, archived: u64) -> Result<Counted, DropError> {
        let reach = cache::reach(self.pool, Feed::UsageEvents).await?.seq;
        let rows: u64 = sqlx::query(AssertSqlSafe(format!(
            "SELECT CAST(COUNT(*) AS UNSIGNED) FROM usage_events PARTITION ({})",
            self.month.partition()
        )))
        .fetch_one(self.pool)
        .await?
        .try_get(0)?;
        if rows != archived {
            return Err(self.refused(format!("the table has {rows} of its rows, the archive {archived}")));
        }
        Ok(Counted { rows, reach })
    }

    /// Sees to it that billing and the cache are done with its events.
    ///
    /// # Errors
    /// When a cycle is open or not invoiced, or the sums lack some of its events.
    pub async fn check_cycles(&self) -> Result<(), DropError> {
        let partition = self.month.partition();
        let behind: i64 = sqlx::query(AssertSqlSafe(format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM usage_events PARTITION ({partition}) WHERE seq > COALESCE(\
             (SELECT seq FROM cache_watermarks WHERE topic = 'usage-events'), 0) LIMIT 1) r"
        )))
        .fetch_one(self.pool)
        .await?
        .try_get(0)?;
        if behind > 0 {
            return Err(self.refused("the cache has not summed all of its events"));
        }
        let billed = sqlx::query(AssertSqlSafe(format!(
            "SELECT DISTINCT account_no, CAST(bill_cycle AS UNSIGNED) FROM usage_events PARTITION ({partition}) \
             WHERE account_no IS NOT NULL AND bill_cycle IS NOT NULL"
        )))
        .fetch_all(self.pool)
        .await?;
        for row in billed {
            let cycle: u64 = row.try_get(1)?;
            self.check_closed(row.try_get(0)?, u32::try_from(cycle).unwrap_or(0)).await?;
        }
        let Some(operator) = import::stored_operator(self.pool).await? else { return Ok(()) };
        // An event without a price has no bill_cycle, and its own is still to be closed: until then it may get one.
        let accounts = sqlx::query(AssertSqlSafe(format!(
            "SELECT e.account_no, a.cycle_day, MIN(e.started_at), MAX(e.started_at) FROM usage_events PARTITION ({partition}) e \
             JOIN accounts a ON a.account_no = e.account_no GROUP BY e.account_no, a.cycle_day"
        )))
        .fetch_all(self.pool)
        .await?;
        for row in accounts {
            let (account_no, day): (u32, u8) = (row.try_get(0)?, row.try_get(1)?);
            for time in [row.try_get(2)?, row.try_get(3)?] {
                self.check_closed(account_no, own_cycle(time, operator.timezone, day).code()).await?;
            }
        }
        Ok(())
    }

    async fn check_closed(&self, account_no: u32, cycle: u32) -> Result<(), DropError> {
        let closed = sqlx::query("SELECT 1 FROM closed_cycles WHERE account_no = ? AND cycle = ? AND invoiced")
            .bind(account_no)
            .bind(cycle)
            .fetch_optional(self.pool)
            .await?;
        if closed.is_some() {
            return Ok(());
        }
        let account: Option<String> = sqlx::query_scalar("SELECT account_id FROM accounts WHERE account_no = ?")
            .bind(account_no)
            .fetch_optional(self.pool)
            .await?;
        let cycle = Cycle::from_code(cycle).map_or_else(|| cycle.to_string(), |cycle| cycle.to_string());
        let account = account.unwrap_or_else(|| account_no.to_string());
        Err(self.refused(format!("cycle {cycle} of account {account} is not closed and invoiced")))
    }

    /// Drops its partition, with the rows that were counted and no others.
    ///
    /// # Errors
    /// When bill or a re-rating is at work, an adjustment of it is not archived, or rows came since they were counted.
    pub async fn drop(&self, counted: Counted, holder: &str) -> Result<(), DropError> {
        if !leases::take(self.pool, leases::BILLING, holder, LEASE).await? {
            return Err(self.refused("bill or a re-rating is at work: try again when it is done"));
        }
        let outcome = self.drop_in_turn(counted).await;
        leases::release(self.pool, leases::BILLING, holder).await?;
        outcome
    }

    async fn drop_in_turn(&self, counted: Counted) -> Result<(), DropError> {
        self.check_adjustments().await?;
        // A connection of its own: whatever goes wrong, the table is unlocked when it ends.
        let mut connection = self.pool.acquire().await?.detach();
        connection.execute("SET SESSION lock_wait_timeout = 20").await?;
        sqlx::query("INSERT INTO dropped_months (month, row_count) VALUES (?, ?) ON DUPLICATE KEY UPDATE row_count = VALUES(row_count)")
            .bind(self.month.code())
            .bind(counted.rows)
            .execute(self.pool)
            .await?;
        let outcome = match connection.execute(sqlx::raw_sql("LOCK TABLES usage_events WRITE")).await {
            Ok(_) => {
                let outcome = self.drop_locked(&mut connection, counted).await;
                connection.execute(sqlx::raw_sql("UNLOCK TABLES")).await?;
                outcome
            }
            // Others held it for too long, or the connection was lost.
            Err(error) => Err(error.into()),
        };
        if outcome.is_err() {
            sqlx::query("DELETE FROM dropped_months WHERE month = ?")
                .bind(self.month.code())
                .execute(self.pool)
                .await?;
        }
        connection.close().await?;
        outcome
    }

    async fn drop_locked(&self, connection: &mut MySqlConnection, counted: Counted) -> Result<(), DropError> {
        let partition = self.month.partition();
        let came = sqlx::query(AssertSqlSafe(format!(
            "SELECT 1 FROM usage_events PARTITION ({partition}) WHERE seq > ? LIMIT 1"
        )))
        .bind(counted.reach)
        .fetch_optional(&mut *connection)
        .await?;
        if came.is_some() {
            return Err(self.refused("events of it came while it was checked"));
        }
        let sql = format!("ALTER TABLE usage_events DROP PARTITION {partition}");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        Ok(())
    }

    /// What re-rating changed of its events is archived.
    async fn check_adjustments(&self) -> Result<(), DropError> {
        let progress = super::progress(self.pool, Dataset::Adjustments).await?;
        let end = progress.last_day.and_then(|last| last.succ_opt());
        let missing = sqlx::query(
            "SELECT 1 FROM adjustments WHERE seq >= ? AND (seq > ? OR adjusted_at >= ?) AND started_at >= ? AND started_at < ? LIMIT 1",
        )
        .bind(progress.next_seq)
        .bind(progress.reach_seq)
        .bind(end.unwrap_or_default())
        .bind(self.month.starts_at())
        .bind(self.month.ends_at())
        .fetch_optional(self.pool)
        .await?;
        match missing {
            Some(_) => Err(self.refused("its events were re-rated, and the adjustments are not archived yet")),
            None => Ok(()),
        }
    }
}

fn own_cycle(time: DateTime<Utc>, timezone: Tz, cycle_day: u8) -> Cycle {
    Cycle::of(local_day(time, timezone), cycle_day)
}
