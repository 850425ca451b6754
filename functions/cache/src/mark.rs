//! Where the documents of each feed are.

use anyhow::Context;
use chrono::{DateTime, Utc};
use millrace_store_documents::{DocumentStore, Replaced, Watermark};
use millrace_store_mysql::cache::{Feed, Reach};

/// The feed that is no topic: how cycles stand.
pub(crate) const REVENUE: &str = "revenue";
/// Customers' calls by cycle.
pub(crate) const CUSTOMER_USAGE: &str = "customer-usage";
/// What sensors measured by hour.
pub(crate) const SENSOR_HOURS: &str = "sensor-hours";
/// Customers' latest scores.
pub(crate) const CHURN_SCORES: &str = "churn-scores";

/// The feeds whose documents are kept, by the names of their watermarks.
pub(crate) const FEEDS: [&str; 7] = [
    Feed::UsageEvents.topic(),
    REVENUE,
    CUSTOMER_USAGE,
    Feed::SensorReadings.topic(),
    SENSOR_HOURS,
    Feed::CustomerSnapshots.topic(),
    CHURN_SCORES,
];

/// Where the documents of one feed are.
pub(crate) struct Mark {
    feed: &'static str,
    origin: String,
    stored: Option<Watermark>,
}

impl Mark {
    /// Where the documents of each feed are, whose newest positions are given in the order of [`FEEDS`]. The documents are thrown
    /// away first when they were computed from another database than `origin`, or are ahead of it (it was restored from a backup):
    /// a greater version would otherwise stand forever.
    pub(crate) async fn of_feeds(
        documents: &DocumentStore,
        origin: &str,
        newest: [u64; FEEDS.len()],
    ) -> anyhow::Result<[Self; FEEDS.len()]> {
        let mut stored = documents.watermarks().await.context("watermarks of the documents")?;
        let of = |stored: &[(String, Watermark)], feed: &str| {
            stored.iter().find(|(name, _)| name == feed).map(|(_, mark)| mark.clone())
        };
        let foreign = FEEDS.iter().zip(newest).any(|(feed, newest)| {
            of(&stored, feed).is_some_and(|mark| mark.origin != origin || mark.position > newest)
        });
        if foreign {
            tracing::warn!(
                "the documents come from another database, or are ahead of this one: computing all of them again"
            );
            documents.clear().await.context("clearing the documents")?;
            stored.clear();
        }
        if stored.len() < FEEDS.len() {
            documents.create_indexes().await.context("indexes of the documents")?;
        }
        Ok(FEEDS.map(|feed| Self { feed, origin: origin.to_owned(), stored: of(&stored, feed) }))
    }

    /// Whether no document was ever written.
    pub(crate) fn is_new(&self) -> bool {
        self.stored.is_none()
    }

    /// Everything up to this version or sequence number is in the documents.
    pub(crate) fn position(&self) -> u64 {
        self.stored.as_ref().map_or(0, |mark| mark.position)
    }

    fn as_of(&self) -> Option<DateTime<Utc>> {
        self.stored.as_ref().and_then(|mark| mark.as_of)
    }

    /// Writes how far the documents are now, after they were written.
    pub(crate) async fn advance(&mut self, documents: &DocumentStore, position: u64) -> anyhow::Result<()> {
        self.write(documents, position, self.as_of()).await
    }

    async fn write(
        &mut self,
        documents: &DocumentStore,
        position: u64,
        as_of: Option<DateTime<Utc>>,
    ) -> anyhow::Result<()> {
        let mark = Watermark { origin: self.origin.clone(), position, as_of };
        documents.set_watermark(self.feed, &mark).await?;
        self.stored = Some(mark);
        Ok(())
    }

    /// Ends the run's work on the feed. `caught_up` is given when nothing is missing.
    pub(crate) async fn end(
        mut self,
        documents: &DocumentStore,
        caught_up: Option<Reach>,
        replaced: Replaced,
    ) -> anyhow::Result<Followed> {
        if let Some(reach) = caught_up {
            self.write(documents, self.position(), Some(reach.at)).await?;
        }
        Ok(Followed { complete: caught_up.is_some(), replaced, as_of: self.as_of() })
    }
}

/// What following one feed did.
pub(crate) struct Followed {
    pub(crate) complete: bool,
    pub(crate) replaced: Replaced,
    /// Every record committed by then is in the documents.
    pub(crate) as_of: Option<DateTime<Utc>>,
}
