//! A page of each feed: what changed after a position, up to another one at most, becomes documents. Each says up to where it came.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use millrace_store_documents::{Replaced, UsageGrain};
use millrace_store_mysql::{cache, scores};

use crate::Cache;

/// About how many sums a page of a fold has.
const SUMS: u64 = 5_000;
/// Readings that a page looks at, by sequence number.
const READINGS: u64 = 200_000;
/// Snapshots, or scores, of a page.
const ROWS: u32 = 5_000;

/// The position at which a page ended, and what it wrote.
pub(crate) type Page = anyhow::Result<(u64, Replaced)>;

/// The hourly sums that changed, and the sums made of them.
pub(crate) async fn usage(cache: &Cache, after: u64, to: u64) -> Page {
    let end = cache::page_end(&cache.mysql, after, SUMS, to).await?;
    let hours = cache::changed_hours(&cache.mysql, after, end).await?;
    let mut replaced = cache.documents.put_usage(UsageGrain::HourByCell, &hours).await?;
    let days: BTreeSet<NaiveDate> = hours.iter().map(|sum| sum.starts_at.date_naive()).collect();
    for day in days {
        let hours = cache::day_hours_by_service(&cache.mysql, day, after).await?;
        replaced += cache.documents.put_usage(UsageGrain::HourByService, &hours).await?;
        let cells = cache::day_by_cell(&cache.mysql, day, after).await?;
        replaced += cache.documents.put_usage(UsageGrain::DayByCell, &cells).await?;
    }
    Ok((end, replaced))
}

/// How the cycles stand whose charges or invoices changed: they are few, so that one page has them all.
pub(crate) async fn revenue(cache: &Cache, after: u64, to: u64) -> Page {
    let cycles = cache::changed_cycles(&cache.mysql, after, to).await?;
    Ok((to, cache.documents.put_revenue(&cycles).await?))
}

/// The calls of the customers whose sums changed.
pub(crate) async fn calls(cache: &Cache, after: u64, to: u64) -> Page {
    let end = cache::calls_page_end(&cache.mysql, after, SUMS, to).await?;
    let usage = cache::changed_calls(&cache.mysql, after, end).await?;
    Ok((end, cache.documents.put_customer_usage(&usage).await?))
}

/// The hours of sensors that changed.
pub(crate) async fn sensor_hours(cache: &Cache, after: u64, to: u64) -> Page {
    let end = cache::sensor_hours_page_end(&cache.mysql, after, SUMS, to).await?;
    let hours = cache::changed_sensor_hours(&cache.mysql, after, end).await?;
    Ok((end, cache.documents.put_sensor_hours(&hours).await?))
}

/// The latest state of the sensors that sent readings.
pub(crate) async fn sensors(cache: &Cache, after: u64, to: u64) -> Page {
    let end = to.min(after + READINGS);
    let sensors = cache::latest_within(&cache.mysql, after, end).await?;
    Ok((end, cache.documents.put_sensors(&sensors).await?))
}

/// The features of the customers that were observed.
pub(crate) async fn customers(cache: &Cache, after: u64, to: u64) -> Page {
    let found = cache::snapshots_after(&cache.mysql, after, to, ROWS).await?;
    let end = found.last().map_or(to, |last| last.seq);
    let snapshots: Vec<_> = found.into_iter().map(|numbered| numbered.snapshot).collect();
    Ok((end, cache.documents.put_features(&snapshots).await?))
}

/// The latest scores of customers: those that `score` could not write itself.
pub(crate) async fn scores(cache: &Cache, after: u64, to: u64) -> Page {
    let found = scores::scores_after(&cache.mysql, after, to, ROWS).await?;
    let end = found.last().map_or(to, |last| last.seq);
    let scores: Vec<_> = found.into_iter().map(|numbered| numbered.score).collect();
    Ok((end, cache.documents.put_scores(&scores).await?))
}
