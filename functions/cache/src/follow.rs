//! Following each feed: what changed in MySQL becomes documents, then the watermark moves.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use millrace_store_documents::{Replaced, UsageGrain};
use millrace_store_mysql::cache::{self, Folded, Reach};

use crate::turn::Turn;
use crate::{Cache, Followed, Mark};

/// About how many hourly sums become documents between two watermarks.
const USAGE_PAGE: u64 = 5_000;
/// Readings looked at between two watermarks, by sequence number.
const READINGS: u64 = 200_000;
/// Sensors read at once when all of them are.
const SENSORS_PAGE: u32 = 1_000;
/// Snapshots that become documents between two watermarks.
const SNAPSHOTS: u32 = 5_000;

/// Folds the events within reach into the hourly sums.
pub(crate) async fn fold(cache: &Cache, turn: &mut Turn<'_>, reach: Reach) -> anyhow::Result<Folded> {
    loop {
        let folded = cache::fold_usage(&cache.mysql, reach.seq).await?;
        if folded.seq >= reach.seq || !turn.goes_on().await? {
            return Ok(folded);
        }
    }
}

/// Writes the hourly sums that changed, and the sums made of them.
pub(crate) async fn usage(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    folded: Folded,
    mut mark: Mark,
) -> anyhow::Result<Followed> {
    let mut replaced = Replaced::default();
    let mut position = mark.position();
    while position < folded.version && turn.goes_on().await? {
        let end = cache::page_end(&cache.mysql, position, USAGE_PAGE, folded.version).await?;
        let hours = cache::changed_hours(&cache.mysql, position, end).await?;
        replaced += cache.documents.put_usage(UsageGrain::HourByCell, &hours).await?;
        let days: BTreeSet<NaiveDate> = hours.iter().map(|sum| sum.starts_at.date_naive()).collect();
        for day in days {
            let hours = cache::day_hours_by_service(&cache.mysql, day, position).await?;
            replaced += cache.documents.put_usage(UsageGrain::HourByService, &hours).await?;
            let cells = cache::day_by_cell(&cache.mysql, day, position).await?;
            replaced += cache.documents.put_usage(UsageGrain::DayByCell, &cells).await?;
        }
        position = end;
        mark.advance(&cache.documents, position, None).await?;
    }
    let complete = position >= folded.version && folded.seq >= reach.seq;
    if complete {
        mark.advance(&cache.documents, position, Some(reach)).await?;
    }
    Ok(Followed { complete, replaced, as_of: mark.as_of() })
}

/// Writes the latest state of the sensors that sent readings.
pub(crate) async fn sensors(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    mut mark: Mark,
) -> anyhow::Result<Followed> {
    let mut replaced = Replaced::default();
    let mut position = mark.position();
    if mark.stored.is_none() {
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
        position = reach.seq;
    }
    while position < reach.seq && turn.goes_on().await? {
        let end = reach.seq.min(position + READINGS);
        let sensors = cache::latest_within(&cache.mysql, position, end).await?;
        replaced += cache.documents.put_sensors(&sensors).await?;
        position = end;
        mark.advance(&cache.documents, position, None).await?;
    }
    let complete = position >= reach.seq;
    if complete {
        mark.advance(&cache.documents, position, Some(reach)).await?;
    }
    Ok(Followed { complete, replaced, as_of: mark.as_of() })
}

/// Writes the features of the customers that were observed.
pub(crate) async fn customers(
    cache: &Cache,
    turn: &mut Turn<'_>,
    reach: Reach,
    mut mark: Mark,
) -> anyhow::Result<Followed> {
    let mut replaced = Replaced::default();
    let mut position = mark.position();
    while position < reach.seq && turn.goes_on().await? {
        let found = cache::snapshots_after(&cache.mysql, position, reach.seq, SNAPSHOTS).await?;
        position = found.last().map_or(reach.seq, |last| last.seq);
        let snapshots: Vec<_> = found.into_iter().map(|numbered| numbered.snapshot).collect();
        replaced += cache.documents.put_features(&snapshots).await?;
        mark.advance(&cache.documents, position, None).await?;
    }
    let complete = position >= reach.seq;
    if complete {
        mark.advance(&cache.documents, position, Some(reach)).await?;
    }
    Ok(Followed { complete, replaced, as_of: mark.as_of() })
}
