//! Which days are archived, and which are to be.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use sqlx::{AssertSqlSafe, MySqlPool, Row};

use super::{Dataset, Month, MonthCounts, Part, PendingDay};
use crate::cache::{self, Feed, Reach};
use crate::fault::StoreError;

/// Sequence numbers that one statement looks at.
const PAGE: u64 = 200_000;

/// How far a data set is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last day that is archived.
    pub last_day: Option<NaiveDate>,
    /// Rows from this number on may be missing from the archive.
    pub next_seq: u64,
    /// How far the rows could be seen when the last day was archived.
    pub reach_seq: u64,
}

/// What there is to archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The closed days that are not archived, in order and without gaps.
    pub days: Vec<PendingDay>,
    /// How far the rows were seen.
    pub reach_seq: u64,
}

/// How far `dataset` is archived.
pub async fn progress(pool: &MySqlPool, dataset: Dataset) -> Result<Progress, StoreError> {
    let row = sqlx::query(
        "SELECT stored_day, next_seq, reach_seq FROM archived_days WHERE dataset = ? ORDER BY stored_day DESC LIMIT 1",
    )
    .bind(dataset.name())
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(Progress { last_day: None, next_seq: 0, reach_seq: 0 }) };
    Ok(Progress {
        last_day: Some(row.try_get("stored_day")?),
        next_seq: row.try_get("next_seq")?,
        reach_seq: row.try_get("reach_seq")?,
    })
}

/// Finds the days that are to be archived, by the database's clock: those before `until` if that is earlier. A day without rows
/// between others, or after the last, counts too.
pub async fn pending(
    pool: &MySqlPool,
    dataset: Dataset,
    progress: &Progress,
    until: Option<NaiveDate>,
) -> Result<Survey, StoreError> {
    let reach = reach(pool, dataset).await?;
    let closed = super::closed_until(reach.at);
    let until = until.map_or(closed, |until| until.min(closed));
    let found = survey(pool, dataset, progress, reach.seq).await?;
    let first = match progress.last_day {
        Some(last) => last.succ_opt(),
        None => found.keys().next().copied(),
    };
    let days = first.into_iter().flat_map(|first| first.iter_days()).take_while(|day| *day < until).map(|day| {
        let of_day = found.get(&day);
        let later = found.range(day + Days::new(1)..).map(|(_, later)| later.first_seq).min();
        PendingDay {
            day,
            first_seq: of_day.map_or(0, |found| found.first_seq),
            last_seq: of_day.map_or(0, |found| found.last_seq),
            months: of_day.map(|found| found.months.clone()).unwrap_or_default(),
            next_seq: later.unwrap_or(reach.seq + 1),
            late_above: progress.last_day.filter(|last| last.succ_opt() == Some(day)).map(|_| progress.reach_seq),
        }
    });
    Ok(Survey { days: days.collect(), reach_seq: reach.seq })
}

/// How far the rows can be read without missing one.
async fn reach(pool: &MySqlPool, dataset: Dataset) -> Result<Reach, StoreError> {
    match dataset {
        Dataset::UsageEvents => cache::reach(pool, Feed::UsageEvents).await,
        Dataset::Customers => cache::reach(pool, Feed::CustomerSnapshots).await,
        // One writer at a time commits them, in the order of their numbers.
        Dataset::Adjustments => {
            let row = sqlx::query("SELECT CAST(COALESCE(MAX(seq), 0) AS UNSIGNED), UTC_TIMESTAMP(3) FROM adjustments")
                .fetch_one(pool)
                .await?;
            Ok(Reach { seq: row.try_get(0)?, at: row.try_get(1)? })
        }
    }
}

struct Found {
    first_seq: u64,
    last_seq: u64,
    months: MonthCounts,
}

/// Counts the rows that are not archived, by day and month.
async fn survey(
    pool: &MySqlPool,
    dataset: Dataset,
    progress: &Progress,
    reach: u64,
) -> Result<BTreeMap<NaiveDate, Found>, StoreError> {
    let sql = format!(
        "SELECT DATE({stored_at}) AS stored_day, CAST(seq > ? AS UNSIGNED) AS fresh, \
                CAST(EXTRACT(YEAR_MONTH FROM {happened_at}) AS UNSIGNED) AS month, CAST(COUNT(*) AS UNSIGNED) AS row_count, \
                MIN(seq) AS first_seq, MAX(seq) AS last_seq \
         FROM {table} FORCE INDEX ({by_seq}) WHERE seq >= ? AND seq <= ? GROUP BY 1, 2, 3",
        stored_at = dataset.stored_at(),
        happened_at = dataset.happened_at(),
        table = dataset.table(),
        by_seq = dataset.by_seq(),
    );
    let first: u64 = sqlx::query(AssertSqlSafe(format!(
        "SELECT CAST(COALESCE(MIN(seq), 0) AS UNSIGNED) FROM {} WHERE seq >= ?",
        dataset.table()
    )))
    .bind(progress.next_seq)
    .fetch_one(pool)
    .await?
    .try_get(0)?;
    let mut found: BTreeMap<NaiveDate, Found> = BTreeMap::new();
    let mut from = first.max(1);
    while from <= reach {
        let to = reach.min(from + PAGE - 1);
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(progress.reach_seq)
            .bind(from)
            .bind(to)
            .fetch_all(pool)
            .await?;
        for row in rows {
            let mut day: NaiveDate = row.try_get("stored_day")?;
            if let Some(last) = progress.last_day.filter(|last| day <= *last) {
                if row.try_get::<u64, _>("fresh")? == 0 {
                    continue;
                }
                day = last + Days::new(1);
            }
            let (first_seq, last_seq) = (row.try_get("first_seq")?, row.try_get("last_seq")?);
            let of_day = found.entry(day).or_insert(Found { first_seq, last_seq, months: MonthCounts::new() });
            of_day.first_seq = of_day.first_seq.min(first_seq);
            of_day.last_seq = of_day.last_seq.max(last_seq);
            *of_day.months.entry(month(row.try_get("month")?)?).or_default() += row.try_get::<u64, _>("row_count")?;
        }
        from = to + 1;
    }
    Ok(found)
}

fn month(code: u64) -> Result<Month, StoreError> {
    let month = u32::try_from(code).ok().and_then(Month::from_code);
    month.ok_or_else(|| StoreError::Stored(format!("no month has the number {code}")))
}

/// The parts of a day that were noted, in order.
pub async fn parts_of(pool: &MySqlPool, dataset: Dataset, day: NaiveDate) -> Result<Vec<Part>, StoreError> {
    let rows = sqlx::query(
        "SELECT part_no, first_seq, last_seq, byte_count, sha256, adjustments_seq FROM archived_parts \
         WHERE dataset = ? AND stored_day = ? ORDER BY part_no",
    )
    .bind(dataset.name())
    .bind(day)
    .fetch_all(pool)
    .await?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in rows {
        let part_no: u32 = row.try_get("part_no")?;
        let counts = sqlx::query(
            "SELECT CAST(month AS UNSIGNED) AS month, row_count FROM archived_months \
             WHERE dataset = ? AND stored_day = ? AND part_no = ?",
        )
        .bind(dataset.name())
        .bind(day)
        .bind(part_no)
        .fetch_all(pool)
        .await?;
        let counts = counts.iter().map(|row| Ok((month(row.try_get("month")?)?, row.try_get("row_count")?)));
        parts.push(Part {
            part_no,
            first_seq: row.try_get("first_seq")?,
            last_seq: row.try_get("last_seq")?,
            bytes: row.try_get("byte_count")?,
            sha256: row.try_get("sha256")?,
            adjustments_seq: row.try_get("adjustments_seq")?,
            months: counts.collect::<Result<_, StoreError>>()?,
        });
    }
    Ok(parts)
}

/// Notes that a day stands in the archive.
pub async fn close(
    pool: &MySqlPool,
    dataset: Dataset,
    day: &PendingDay,
    reach_seq: u64,
    parts: u32,
    manifest_sha256: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO archived_days (dataset, stored_day, row_count, part_count, next_seq, reach_seq, manifest_sha256) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(dataset.name())
    .bind(day.day)
    .bind(day.rows())
    .bind(parts)
    .bind(day.next_seq)
    .bind(reach_seq)
    .bind(manifest_sha256)
    .execute(pool)
    .await?;
    Ok(())
}
