//! Following the feeds: what changed in MySQL becomes documents, then the watermark moves.

use millrace_store_documents::Replaced;
use millrace_store_mysql::cache::{self, Folded, Reach};

use crate::Cache;
use crate::mark::{Followed, Mark};
use crate::pages::{self, Page};
use crate::turn::Turn;

/// Sensors read at once when all of them are.
const SENSORS: u32 = 1_000;

/// How far a run can follow a feed.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// A sequence number, or the version of a fold.
    to: u64,
    /// Whether everything within reach lies before it.
    whole: bool,
    reach: Reach,
}

impl End {
    /// Of a feed of rows, which have their sequence numbers.
    pub(crate) fn of_rows(reach: Reach) -> Self {
        Self { to: reach.seq, whole: true, reach }
    }

    /// Of a feed of sums, which have the versions of their fold.
    pub(crate) fn of_sums(reach: Reach, folded: Folded) -> Self {
        Self { to: folded.version, whole: folded.complete, reach }
    }
}

/// Folds the events within reach, and what was re-rated, into the sums.
pub(crate) async fn fold(turn: &mut Turn<'_>, reach: Reach) -> anyhow::Result<Folded> {
    let cache = turn.cache;
    all_folds(turn, async || Ok(cache::fold(&cache.mysql, reach.seq).await?)).await
}

/// Folds the readings within reach into the sums by hour.
pub(crate) async fn fold_sensor_hours(turn: &mut Turn<'_>, reach: Reach) -> anyhow::Result<Folded> {
    let cache = turn.cache;
    all_folds(turn, async || Ok(cache::fold_sensor_hours(&cache.mysql, reach.seq).await?)).await
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

/// Writes page after page of a feed until its documents are at the end, or the turn is over. The mark moves once a page is written.
pub(crate) async fn follow(
    turn: &mut Turn<'_>,
    mut mark: Mark,
    end: End,
    page: impl AsyncFn(&Cache, u64, u64) -> Page,
) -> anyhow::Result<Followed> {
    let cache = turn.cache;
    let mut replaced = Replaced::default();
    while mark.position() < end.to && turn.goes_on().await? {
        let (position, written) = page(cache, mark.position(), end.to).await?;
        replaced += written;
        mark.advance(&cache.documents, position).await?;
    }
    let caught_up = end.whole && mark.position() >= end.to;
    mark.end(&cache.documents, caught_up.then_some(end.reach), replaced).await
}

/// Follows the sensors' latest states. At first it looks at each sensor instead of at all of their readings: the last judged one is
/// the latest.
pub(crate) async fn sensors(turn: &mut Turn<'_>, mut mark: Mark, reach: Reach) -> anyhow::Result<Followed> {
    if !mark.is_new() {
        return follow(turn, mark, End::of_rows(reach), pages::sensors).await;
    }
    let cache = turn.cache;
    let (mut after, mut replaced) = (String::new(), Replaced::default());
    loop {
        if !turn.goes_on().await? {
            return Ok(Followed { complete: false, replaced, as_of: None });
        }
        let sensors = cache::latest_of_all(&cache.mysql, &after, SENSORS).await?;
        replaced += cache.documents.put_sensors(&sensors).await?;
        match sensors.last() {
            Some(last) => after.clone_from(&last.sensor_id),
            None => break,
        }
    }
    mark.advance(&cache.documents, reach.seq).await?;
    mark.end(&cache.documents, Some(reach), replaced).await
}
