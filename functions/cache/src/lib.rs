//! Keeps the documents in step with MySQL: each run reads only what was committed since the one before.
//!
//! A run folds new usage events into the hourly sums, then writes what changed as documents, and last the watermarks beside them.
//! Whatever stops it in between, the next run goes on from the watermarks; documents that are lost, or that were computed from
//! another database, are computed again.

mod follow;
mod turn;

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use millrace_store_documents::{DocumentStore, Replaced, Watermark};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::cache::{self, Feed, Reach};
use millrace_store_mysql::leases;
use serde_json::{Value, json};
use tokio::time::Instant;

use turn::Turn;

/// The lease of a run's turn.
const LEASE: &str = "cache";
/// How long a lease lasts unless it is renewed: longer than any one step takes.
const LEASE_TIME: Duration = Duration::from_secs(45);
/// How long a run waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The stores that a run works on.
pub struct Cache {
    /// The record.
    pub mysql: MySqlPool,
    /// The documents.
    pub documents: DocumentStore,
    /// Who holds the lease while a run goes on: one name for each process.
    pub holder: String,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Whether it had its turn: not while another run goes on.
    pub ran: bool,
    /// Whether the documents have caught up with what was committed when it began.
    pub complete: bool,
    /// Events up to this sequence number are in the hourly sums.
    pub events_through: u64,
    /// Sums of usage that were written as documents, by hour and day.
    pub usage: Replaced,
    /// Sensors' latest states.
    pub sensors: Replaced,
    /// Customers' features.
    pub features: Replaced,
    /// Every record committed by then is in the documents.
    pub as_of: Option<DateTime<Utc>>,
}

impl Summary {
    /// What the function answers.
    pub fn to_json(&self, now: DateTime<Utc>) -> Value {
        let documents = |replaced: Replaced| json!({"written": replaced.written, "superseded": replaced.superseded});
        json!({
            "ran": self.ran,
            "complete": self.complete,
            "events_through": self.events_through,
            "usage": documents(self.usage),
            "sensors": documents(self.sensors),
            "features": documents(self.features),
            "cache_age_seconds": self.age(now),
        })
    }

    /// How old what the documents say is, in seconds; `None` while they have never caught up.
    pub fn age(&self, now: DateTime<Utc>) -> Option<f64> {
        self.as_of.map(|as_of| (now - as_of).as_seconds_f64().max(0.0))
    }
}

impl Cache {
    /// Brings the documents up to date, or as far as it gets until `deadline`.
    pub async fn run(&self, deadline: Instant) -> anyhow::Result<Summary> {
        let patience = deadline.min(Instant::now() + PATIENCE);
        while !leases::take(&self.mysql, LEASE, &self.holder, LEASE_TIME).await.context("lease")? {
            if Instant::now() >= patience {
                return self.without_turn().await;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let outcome = self.in_turn(&mut Turn::new(self, deadline)).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = leases::release(&self.mysql, LEASE, &self.holder).await {
            tracing::warn!(%error, "the lease could not be given back");
        }
        outcome
    }

    async fn without_turn(&self) -> anyhow::Result<Summary> {
        let marks = self.documents.watermarks().await?;
        let as_of = oldest(
            Feed::ALL.map(|feed| marks.iter().find(|(topic, _)| topic == feed.topic()).and_then(|(_, m)| m.as_of)),
        );
        let nothing = Replaced::default();
        Ok(Summary {
            ran: false,
            complete: false,
            events_through: 0,
            usage: nothing,
            sensors: nothing,
            features: nothing,
            as_of,
        })
    }

    async fn in_turn(&self, turn: &mut Turn<'_>) -> anyhow::Result<Summary> {
        let origin = cache::origin(&self.mysql).await?;
        let usage = cache::reach(&self.mysql, Feed::UsageEvents).await.context("usage events")?;
        let sensors = cache::reach(&self.mysql, Feed::SensorReadings).await.context("sensor readings")?;
        let customers = cache::reach(&self.mysql, Feed::CustomerSnapshots).await.context("customer snapshots")?;
        let folded = follow::fold(self, turn, usage).await?;

        let newest = [
            (Feed::UsageEvents, folded.version),
            (Feed::SensorReadings, sensors.seq),
            (Feed::CustomerSnapshots, customers.seq),
        ];
        let [usage_mark, sensors_mark, customers_mark] = self.marks(&origin, newest).await?;

        let usage = follow::usage(self, turn, usage, folded, usage_mark).await.context("documents of usage")?;
        let sensors = follow::sensors(self, turn, sensors, sensors_mark).await.context("documents of sensors")?;
        let customers =
            follow::customers(self, turn, customers, customers_mark).await.context("documents of customers")?;
        Ok(Summary {
            ran: true,
            complete: usage.complete && sensors.complete && customers.complete,
            events_through: folded.seq,
            usage: usage.replaced,
            sensors: sensors.replaced,
            features: customers.replaced,
            as_of: oldest([usage.as_of, sensors.as_of, customers.as_of]),
        })
    }

    /// Where each feed's documents are. They are thrown away first when they were computed from another database, or are ahead of
    /// this one (it was restored from a backup): a greater version would otherwise stand forever.
    async fn marks(&self, origin: &str, newest: [(Feed, u64); 3]) -> anyhow::Result<[Mark; 3]> {
        let mut stored = self.documents.watermarks().await.context("watermarks of the documents")?;
        let of = |stored: &[(String, Watermark)], feed: Feed| {
            stored.iter().find(|(topic, _)| topic == feed.topic()).map(|(_, mark)| mark.clone())
        };
        let foreign = newest.iter().any(|(feed, newest)| {
            of(&stored, *feed).is_some_and(|mark| mark.origin != origin || mark.position > *newest)
        });
        if foreign {
            tracing::warn!(
                "the documents come from another database, or are ahead of this one: computing all of them again"
            );
            self.documents.clear().await.context("clearing the documents")?;
            stored.clear();
        }
        if stored.len() < newest.len() {
            self.documents.create_indexes().await.context("indexes of the documents")?;
        }
        Ok(newest.map(|(feed, _)| Mark { feed, origin: origin.to_owned(), stored: of(&stored, feed) }))
    }
}

/// Where one feed's documents are, before this run.
pub(crate) struct Mark {
    feed: Feed,
    origin: String,
    stored: Option<Watermark>,
}

impl Mark {
    fn position(&self) -> u64 {
        self.stored.as_ref().map_or(0, |mark| mark.position)
    }

    fn as_of(&self) -> Option<DateTime<Utc>> {
        self.stored.as_ref().and_then(|mark| mark.as_of)
    }

    /// Writes how far the documents are now, after they were written. `caught_up` is given once nothing is missing.
    async fn advance(
        &mut self,
        documents: &DocumentStore,
        position: u64,
        caught_up: Option<Reach>,
    ) -> anyhow::Result<()> {
        let as_of = caught_up.map(|reach| reach.at).or(self.as_of());
        let mark = Watermark { origin: self.origin.clone(), position, as_of };
        documents.set_watermark(self.feed.topic(), &mark).await?;
        self.stored = Some(mark);
        Ok(())
    }
}

/// What following one feed did.
pub(crate) struct Followed {
    complete: bool,
    replaced: Replaced,
    as_of: Option<DateTime<Utc>>,
}

/// The oldest of the times, `None` if one is missing.
fn oldest<const N: usize>(times: [Option<DateTime<Utc>>; N]) -> Option<DateTime<Utc>> {
    times.into_iter().collect::<Option<Vec<_>>>()?.into_iter().min()
}
