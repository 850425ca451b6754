//! Keeps the documents in step with MySQL: each run reads only what was committed since the one before.
//!
//! A run folds new usage events, and what was re-rated, into sums by hour and by billing cycle, then writes what changed as
//! documents, and last the watermarks beside them. Whatever stops it in between, the next run goes on from the watermarks;
//! documents that are lost, or that were computed from another database, are computed again.

mod checks;
mod follow;
mod mark;
mod pages;
mod turn;

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use millrace_lambda_support::metrics::Metric;
use millrace_store_documents::{DocumentStore, Replaced};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::cache::{self, Feed};
use millrace_store_mysql::leases;
use serde_json::{Value, json};
use tokio::time::Instant;

pub use checks::Checks;

use follow::{End, follow};
use mark::{FEEDS, Mark};
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
    /// Events up to this sequence number are in the sums.
    pub events_through: u64,
    /// Sums of usage that were written as documents, by hour and day.
    pub usage: Replaced,
    /// How billing cycles stand.
    pub revenue: Replaced,
    /// Customers' calls by cycle.
    pub customer_usage: Replaced,
    /// Sensors' latest states.
    pub sensors: Replaced,
    /// What sensors measured by hour.
    pub sensor_hours: Replaced,
    /// Customers' features.
    pub features: Replaced,
    /// Customers' latest scores.
    pub scores: Replaced,
    /// Every record committed by then is in the documents.
    pub as_of: Option<DateTime<Utc>>,
    /// Whether what must come out even does.
    pub checks: Checks,
}

impl Summary {
    /// Of a run that did not get its turn.
    fn without_turn(as_of: Option<DateTime<Utc>>) -> Self {
        let nothing = Replaced::default();
        Self {
            ran: false,
            complete: false,
            events_through: 0,
            usage: nothing,
            revenue: nothing,
            customer_usage: nothing,
            sensors: nothing,
            sensor_hours: nothing,
            features: nothing,
            scores: nothing,
            as_of,
            checks: Checks::default(),
        }
    }

    /// What the function answers.
    pub fn to_json(&self, now: DateTime<Utc>) -> Value {
        let documents = |replaced: Replaced| json!({"written": replaced.written, "superseded": replaced.superseded});
        json!({
            "ran": self.ran,
            "complete": self.complete,
            "events_through": self.events_through,
            "usage": documents(self.usage),
            "revenue": documents(self.revenue),
            "customer_usage": documents(self.customer_usage),
            "sensors": documents(self.sensors),
            "sensor_hours": documents(self.sensor_hours),
            "features": documents(self.features),
            "scores": documents(self.scores),
            "cache_age_seconds": self.age(now),
            "conservation_difference": self.checks.conservation,
            "billing_difference": self.checks.billing.map(|difference| difference.to_string()),
        })
    }

    /// Documents that were written.
    pub fn written(&self) -> u64 {
        [self.usage, self.revenue, self.customer_usage, self.sensors, self.sensor_hours, self.features, self.scores]
            .iter()
            .map(|replaced| replaced.written)
            .sum()
    }

    /// What is to be emitted. Documents that have never caught up have no age, so that whether they have is told beside it.
    pub fn metrics(&self, now: DateTime<Utc>, took: Duration) -> Vec<(Metric, f64)> {
        let mut values =
            vec![(Metric::DocumentsWritten, self.written() as f64), (Metric::RunDuration, took.as_secs_f64() * 1e3)];
        if self.ran {
            values.push((Metric::CacheIncomplete, f64::from(u8::from(!self.complete))));
        }
        values.extend(self.age(now).map(|age| (Metric::CacheAge, age)));
        values.extend(self.checks.metrics());
        values
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
        let as_of =
            oldest(FEEDS.map(|feed| marks.iter().find(|(name, _)| name == feed).and_then(|(_, mark)| mark.as_of)));
        Ok(Summary::without_turn(as_of))
    }

    async fn in_turn(&self, turn: &mut Turn<'_>) -> anyhow::Result<Summary> {
        let origin = cache::origin(&self.mysql).await?;
        let usage = cache::reach(&self.mysql, Feed::UsageEvents).await.context("usage events")?;
        let charged = usage.at;
        let sensors = cache::reach(&self.mysql, Feed::SensorReadings).await.context("sensor readings")?;
        let customers = cache::reach(&self.mysql, Feed::CustomerSnapshots).await.context("customer snapshots")?;
        let scores = cache::reach(&self.mysql, Feed::ChurnScores).await.context("churn scores")?;
        let folded = follow::fold(turn, usage).await?;
        let hours = follow::fold_sensor_hours(turn, sensors).await.context("hours of sensors")?;

        let newest =
            [folded.version, folded.version, folded.version, sensors.seq, hours.version, customers.seq, scores.seq];
        let [usage_mark, revenue_mark, calls_mark, sensors_mark, hours_mark, customers_mark, scores_mark] =
            Mark::of_feeds(&self.documents, &origin, newest).await?;

        let sums = End::of_sums(usage, folded);
        let revenue = follow(turn, revenue_mark, sums, pages::revenue).await.context("documents of revenue")?;
        let calls = follow(turn, calls_mark, sums, pages::calls).await.context("documents of calls")?;
        let usage = follow(turn, usage_mark, sums, pages::usage).await.context("documents of usage")?;
        let sums = End::of_sums(sensors, hours);
        let hours = follow(turn, hours_mark, sums, pages::sensor_hours).await.context("hours of sensors")?;
        let sensors = follow::sensors(turn, sensors_mark, sensors).await.context("documents of sensors")?;
        let rows = End::of_rows(customers);
        let customers = follow(turn, customers_mark, rows, pages::customers).await.context("documents of customers")?;
        let rows = End::of_rows(scores);
        let scores = follow(turn, scores_mark, rows, pages::scores).await.context("documents of scores")?;
        let checks = checks::run(&self.mysql, folded, charged).await.context("what must come out even")?;
        let feeds = [&usage, &revenue, &calls, &sensors, &hours, &customers, &scores];
        Ok(Summary {
            ran: true,
            complete: feeds.iter().all(|feed| feed.complete),
            events_through: folded.seq,
            usage: usage.replaced,
            revenue: revenue.replaced,
            customer_usage: calls.replaced,
            sensors: sensors.replaced,
            sensor_hours: hours.replaced,
            features: customers.replaced,
            scores: scores.replaced,
            as_of: oldest(feeds.map(|feed| feed.as_of)),
            checks,
        })
    }
}

/// The oldest of the times, `None` if one is missing.
fn oldest<const N: usize>(times: [Option<DateTime<Utc>>; N]) -> Option<DateTime<Utc>> {
    times.into_iter().collect::<Option<Vec<_>>>()?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_have_not_caught_up_are_told_of_though_they_have_no_age() {
        let now = DateTime::UNIX_EPOCH;
        let told = |summary: &Summary| {
            let metrics = summary.metrics(now, Duration::ZERO).into_iter();
            metrics
                .filter(|(metric, _)| [Metric::CacheIncomplete, Metric::CacheAge].contains(metric))
                .collect::<Vec<_>>()
        };
        let waited = Summary::without_turn(None);
        assert_eq!(told(&waited), [], "another run is at work, and tells");
        let behind = Summary { ran: true, ..waited };
        assert_eq!(told(&behind), [(Metric::CacheIncomplete, 1.0)]);
        let whole = Summary { complete: true, as_of: Some(now), ..behind };
        assert_eq!(told(&whole), [(Metric::CacheIncomplete, 0.0), (Metric::CacheAge, 0.0)]);
    }
}
