//! The schedule's task: scores the snapshots that were stored while no champion could be had.

use std::time::{Duration, Instant};

use lambda_runtime::Error;
use millrace_store_mysql::leases;
use millrace_store_mysql::scores;
use serde::Serialize;

use crate::Score;
use crate::scoring::ChampionScorer;

/// The lease of a run.
const LEASE: &str = "score-left";
/// How long it lasts unless it is renewed: longer than a page takes.
const LEASE_TIME: Duration = Duration::from_secs(60);
/// Snapshots of one transaction.
const PAGE: u32 = 500;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ScoredLeft {
    /// Whether it had its turn: not while another run goes on.
    pub ran: bool,
    /// Snapshots that got their score.
    pub scored: u64,
    /// Snapshots that still wait for it.
    pub waiting: u64,
}

impl Score {
    /// Scores what was left, the oldest first, as far as it gets until `deadline`.
    ///
    /// # Errors
    /// When MySQL fails; what was scored by then stays.
    pub async fn score_left(&self, deadline: Instant) -> Result<ScoredLeft, Error> {
        let mysql = self.mysql.pool();
        if !leases::take(mysql, LEASE, &self.holder, LEASE_TIME).await? {
            return Ok(ScoredLeft { ran: false, scored: 0, waiting: scores::waiting(mysql).await? });
        }
        let outcome = self.score_pages(deadline).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = leases::release(mysql, LEASE, &self.holder).await {
            tracing::warn!(%error, "the lease could not be given back");
        }
        Ok(ScoredLeft { ran: true, scored: outcome?, waiting: scores::waiting(mysql).await? })
    }

    async fn score_pages(&self, deadline: Instant) -> Result<u64, Error> {
        let mysql = self.mysql.pool();
        let mut scored = 0;
        let mut last = None;
        while Instant::now() < deadline && leases::take(mysql, LEASE, &self.holder, LEASE_TIME).await? {
            let Some(champion) = self.champions.current(mysql, &self.objects).await? else { break };
            let snapshots = scores::left(mysql, last.as_ref(), PAGE).await?;
            let Some(end) = snapshots.last() else { break };
            last = Some((end.observed_at, end.customer_id.as_str().to_owned()));
            let scorer = ChampionScorer { champion: &champion, documents: &self.documents };
            let made = scorer.score_all(&snapshots.iter().collect::<Vec<_>>()).await;
            let done = scores::store_left(mysql, made).await?;
            scored += done.scores.len() as u64;
            self.after_commit(&done).await;
        }
        Ok(scored)
    }
}
