//! Following each feed: what changed in MySQL becomes documents, then the watermark moves.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use millrace_store_documents::{Replaced, UsageGrain};
use millrace_store_mysql::cache::{self, Folded, Reach};
use millrace_store_mysql::scores;

use crate::Cache;
use crate::mark::{Followed, Mark};
use crate::turn::Turn;

/// About how many hourly sums become documents between two watermarks.
const USAGE_PAGE: u64 = 5_000;
/// About how many sums of calls become documents between two watermarks.
const CALLS_PAGE: u64 = 5_000;
/// Readings looked at between two watermarks, by sequence number.
const READINGS: u64 = 200_000;
/// About how many hours of sensors become documents between two watermarks.
const SENSOR_HOURS_PAGE: u64 = 5_000;
/// Sensors read at once when all of them are.
const SENSORS_PAGE: u32 = 1_000;
/// Snapshots that become documents between two watermarks.
const SNAPSHOTS: u32 = 5_000;
/// Scores that become documents between two watermarks.
const SCORES: u32 = 5_000;

/// Folds the events within reach, and what was re-rated, into the sums.
pub(crate) async fn fold(cache: &Cache, turn: &mut Turn<'_>, reach: Reach) -> anyhow::Result<Folded> {
    all_folds(turn, async || Ok(cache::fold(&cache.mysql, reach.seq).await?)).await
}

/// Folds the readings within reach into the sums by hour.
pub(crate) async fn fold_sensor_hours(cache: &Cache, turn: &mut Turn<'_>, reach: Reach) -> anyhow::Result<Folded> {
    all_folds(turn, async || Ok(cache::fold_sensor_hours(&cache.mysql, reach.seq).await?)).await
}

/// Writes the hourly sums that changed, and the sums made of them.
pub(crate) async fn usage(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    folded: Folded,
    mark: Mark,
) -> anyhow::Result<Followed> {
    by_version(cache, turn, reach, folded, mark, async |position| {
        let end = cache::page_end(&cache.mysql, position, USAGE_PAGE, folded.version).await?;
        let hours = cache::changed_hours(&cache.mysql, position, end).await?;
        let mut replaced = cache.documents.put_usage(UsageGrain::HourByCell, &hours).await?;
        let days: BTreeSet<NaiveDate> = hours.iter().map(|sum| sum.starts_at.date_naive()).collect();
        for day in days {
            let hours = cache::day_hours_by_service(&cache.mysql, day, position).await?;
            replaced += cache.documents.put_usage(UsageGrain::HourByService, &hours).await?;
            let cells = cache::day_by_cell(&cache.mysql, day, position).await?;
            replaced += cache.documents.put_usage(UsageGrain::DayByCell, &cells).await?;
        }
        Ok((end, replaced))
    })
    .await
}

/// Writes how the cycles stand whose charges or invoices changed.
pub(crate) async fn revenue(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    folded: Folded,
    mark: Mark,
) -> anyhow::Result<Followed> {
    by_version(cache, turn, reach, folded, mark, async |position| {
        let cycles = cache::changed_cycles(&cache.mysql, position, folded.version).await?;
        Ok((folded.version, cache.documents.put_revenue(&cycles).await?))
    })
    .await
}

/// Writes the calls of the customers whose sums changed.
pub(crate) async fn calls(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    folded: Folded,
    mark: Mark,
) -> anyhow::Result<Followed> {
    by_version(cache, turn, reach, folded, mark, async |position| {
        let end = cache::calls_page_end(&cache.mysql, position, CALLS_PAGE, folded.version).await?;
        let usage = cache::changed_calls(&cache.mysql, position, end).await?;
        Ok((end, cache.documents.put_customer_usage(&usage).await?))
    })
    .await
}

/// Writes the hours of sensors that changed.
pub(crate) async fn sensor_hours(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    folded: Folded,
    mark: Mark,
) -> anyhow::Result<Followed> {
    by_version(cache, turn, reach, folded, mark, async |position| {
        let end = cache::sensor_hours_page_end(&cache.mysql, position, SENSOR_HOURS_PAGE, folded.version).await?;
        let hours = cache::changed_sensor_hours(&cache.mysql, position, end).await?;
        Ok((end, cache.documents.put_sensor_hours(&hours).await?))
    })
    .await
}

/// Writes the latest state of the sensors that sent readings.
pub(crate) async fn sensors(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    mut mark: Mark,
) -> anyhow::Result<Followed> {
    let mut replaced = Replaced::default();
    if mark.is_new() {
        // The last judged reading of each sensor is the latest one: no need to look through their history.
        let mut after = String::new();
        loop {
            if !turn.goes_on().await? {
                return Ok(Followed { complete: false, replaced, as_of: None });
            }
            let sensors = cache::latest_of_all(&cache.mysql, &after, SENSORS_PAGE).await?;
            replaced += cache.documents.put_sensors(&sensors).await?;
            match sensors.last() {
                Some(last) => after.clone_from(&last.sensor_id),
                None => break,
            }
        }
        mark.advance(&cache.documents, reach.seq).await?;
    }
    replaced += pages(cache, turn, &mut mark, reach.seq, async |position| {
        let end = reach.seq.min(position + READINGS);
        let sensors = cache::latest_within(&cache.mysql, position, end).await?;
        Ok((end, cache.documents.put_sensors(&sensors).await?))
    })
    .await?;
    mark.reached(&cache.documents, reach, replaced).await
}

/// Writes the features of the customers that were observed.
pub(crate) async fn customers(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    mut mark: Mark,
) -> anyhow::Result<Followed> {
    let replaced = pages(cache, turn, &mut mark, reach.seq, async |position| {
        let found = cache::snapshots_after(&cache.mysql, position, reach.seq, SNAPSHOTS).await?;
        let end = found.last().map_or(reach.seq, |last| last.seq);
        let snapshots: Vec<_> = found.into_iter().map(|numbered| numbered.snapshot).collect();
        Ok((end, cache.documents.put_features(&snapshots).await?))
    })
    .await?;
    mark.reached(&cache.documents, reach, replaced).await
}

/// Writes the latest scores of customers: those that `score` could not write itself.
pub(crate) async fn scores(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    mut mark: Mark,
) -> anyhow::Result<Followed> {
    let replaced = pages(cache, turn, &mut mark, reach.seq, async |position| {
        let found = scores::scores_after(&cache.mysql, position, reach.seq, SCORES).await?;
        let end = found.last().map_or(reach.seq, |last| last.seq);
        let scores: Vec<_> = found.into_iter().map(|numbered| numbered.score).collect();
        Ok((end, cache.documents.put_scores(&scores).await?))
    })
    .await?;
    mark.reached(&cache.documents, reach, replaced).await
}

/// Folds until nothing within reach is left, or the turn ends.
async fn all_folds(turn: &mut Turn<'_>, fold: impl AsyncFn() -> anyhow::Result<Folded>) -> anyhow::Result<Folded> {
    loop {
        let folded = fold().await?;
        if folded.complete || !turn.goes_on().await? {
            return Ok(folded);
        }
    }
}

/// Writes page after page of what changed by the version of a fold.
async fn by_version(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    folded: Folded,
    mut mark: Mark,
    page: impl AsyncFn(u64) -> anyhow::Result<(u64, Replaced)>,
) -> anyhow::Result<Followed> {
    let replaced = pages(cache, turn, &mut mark, folded.version, page).await?;
    let complete = mark.position() >= folded.version && folded.complete;
    mark.end(&cache.documents, complete.then_some(reach), replaced).await
}

/// Writes page after page until the documents are at `to`, or the turn ends. `page` writes what changed after a position and says
/// up to where; the mark moves once it is written.
async fn pages(
    cache: &Cache,
    turn: &mut Turn<'_>,
    mark: &mut Mark,
    to: u64,
    page: impl AsyncFn(u64) -> anyhow::Result<(u64, Replaced)>,
) -> anyhow::Result<Replaced> {
    let mut replaced = Replaced::default();
    while mark.position() < to && turn.goes_on().await? {
        let (end, written) = page(mark.position()).await?;
        replaced += written;
        mark.advance(&cache.documents, end).await?;
    }
    Ok(replaced)
}
