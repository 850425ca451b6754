//! Snapshots that were stored while no champion could be had, and their scores when there is one.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use millrace_churn_model::CustomerScore;
use millrace_domain::customers::CustomerSnapshot;
use sqlx::MySqlPool;
use sqlx::mysql::MySqlArguments;

use crate::customers;
use crate::fault::{Retry, StoreError};
use crate::insert::{self, Statement, add};
use crate::scores::{self, Scored, SnapshotKey};
use crate::sensors::known_text_keys;

/// How often a transaction is run before its fault is handed to the caller.
const ATTEMPTS: u32 = 5;

pub(super) static QUEUE: Statement =
    Statement::new("INSERT INTO unscored_snapshots (observed_at, customer_id) VALUES ", "(?,?)", "");

static LOCK: Statement = Statement::new(
    "SELECT observed_at, customer_id FROM unscored_snapshots FORCE INDEX (PRIMARY) WHERE (observed_at, customer_id) IN (",
    "(?,?)",
    ") FOR UPDATE",
);

static DONE: Statement =
    Statement::new("DELETE FROM unscored_snapshots WHERE (observed_at, customer_id) IN (", "(?,?)", ")");

/// A snapshot's key.
pub(super) struct Key<'a>(DateTime<Utc>, &'a str);

impl<'a> Key<'a> {
    pub(super) fn new((observed_at, customer_id): &'a SnapshotKey) -> Self {
        Self(*observed_at, customer_id.as_str())
    }

    fn of(score: &'a CustomerScore) -> Self {
        Self(score.observed_at, score.customer_id.as_str())
    }
}

impl insert::Row for Key<'_> {
    const COLUMNS: usize = 2;
    const BYTES: usize = 40;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.0.naive_utc())?;
        add(arguments, self.1)
    }
}

/// How many snapshots wait for their score.
pub async fn waiting(pool: &MySqlPool) -> Result<u64, StoreError> {
    Ok(sqlx::query_scalar("SELECT CAST(COUNT(*) AS UNSIGNED) FROM unscored_snapshots").fetch_one(pool).await?)
}

/// A place in the queue: the key of the last snapshot that was looked at.
pub type Left = (DateTime<Utc>, String);

/// No observation is of an earlier day.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// The first snapshots of the queue after a place, the oldest first, at most `limit`.
pub async fn left(pool: &MySqlPool, after: Option<&Left>, limit: u32) -> Result<Vec<CustomerSnapshot>, StoreError> {
    let (at, customer_id) = match after {
        Some((at, customer_id)) => (at.naive_utc(), customer_id.as_str()),
        None => (NaiveDateTime::new(FIRST_DAY, NaiveTime::MIN), ""),
    };
    let rows = sqlx::query(concat!(
        "SELECT ",
        customers::columns!(),
        " FROM (SELECT observed_at AS left_at, customer_id AS left_id FROM unscored_snapshots \
                WHERE observed_at >= ? AND (observed_at > ? OR customer_id > ?) ORDER BY observed_at, customer_id LIMIT ?) u \
          STRAIGHT_JOIN customer_snapshots s ON s.observed_at = u.left_at AND s.customer_id = u.left_id \
          ORDER BY s.observed_at, s.customer_id"
    ))
    .bind(at)
    .bind(at)
    .bind(customer_id)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(customers::snapshot).collect()
}

/// Stores the scores of snapshots that waited, and judges them, in one transaction. What another run has scored meanwhile is left
/// out: running it twice changes nothing.
///
/// # Errors
/// When the transaction failed as often as it was run; nothing is stored then.
pub async fn store_left(pool: &MySqlPool, scores: Vec<CustomerScore>) -> Result<Scored, StoreError> {
    let scores = scores::storable(scores);
    let mut attempt = 1;
    loop {
        match Box::pin(attempt_store_left(pool, &scores)).await {
            Err(error) if attempt < ATTEMPTS && error.retry() == Retry::AtOnce => attempt += 1,
            outcome => return outcome,
        }
    }
}

async fn attempt_store_left(pool: &MySqlPool, scores: &[CustomerScore]) -> Result<Scored, StoreError> {
    let mut transaction = pool.begin().await?;
    // As a batch does, so that none of the topic's is in flight meanwhile: `cache` relies on it when it reads how far the scores
    // are, and so do the states of customers that have none yet.
    sqlx::query("SELECT partition_no FROM ledger WHERE topic = 'customers' FOR UPDATE")
        .fetch_all(&mut *transaction)
        .await?;
    let mut done = Scored::default();
    for scores in scores.chunks(insert::MOST) {
        let keys = scores.iter().map(|score| (score.observed_at, score.customer_id.as_str()));
        let waiting: HashSet<_> = known_text_keys(&mut transaction, &LOCK, keys).await?.into_iter().collect();
        let is_waiting =
            |score: &&CustomerScore| waiting.contains(&(score.observed_at, score.customer_id.as_str().to_owned()));
        done.scores.extend(scores.iter().filter(is_waiting).cloned());
    }
    insert::insert_all(&mut transaction, &DONE, &done.scores.iter().map(Key::of).collect::<Vec<_>>()).await?;
    done.alerts_opened = scores::store(&mut transaction, &done.scores, &[]).await?;
    transaction.commit().await?;
    Ok(done)
}
