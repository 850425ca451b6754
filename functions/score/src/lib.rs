//! Stores customers as they were observed, and scores those without a label by the current churn model.
//!
//! A batch of `customers` is stored with its scores, with their reasons and with the alerts that they open and close, in one
//! transaction; then each customer's latest score becomes a document. Without a champion, snapshots are stored and wait: the
//! schedule's task `score-left` scores them when there is one.

mod champion;
mod documents;
mod left;
mod scoring;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use lambda_runtime::Error;
use millrace_domain::customers::CustomerSnapshot;
use millrace_lambda_support::batch_loop::{self, Intake};
use millrace_lambda_support::invocation::{Sender, sender};
use millrace_lambda_support::metrics::{self, Metric};
use millrace_lambda_support::mysql::Mysql;
use millrace_store_documents::DocumentStore;
use millrace_store_mysql::batch::{Incoming, Originals, Source, Stored};
use millrace_store_mysql::customers;
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::scores::Scored;
use millrace_store_objects::ObjectStore;
use millrace_wire::{PartialBatchResponse, Rejection};
use serde::Serialize;

pub use left::ScoredLeft;

use champion::Champions;
use documents::Documents;
use scoring::ChampionScorer;

/// What the schedule's task takes of the function's timeout (function.json); its last page and the answer get the rest.
const BUDGET: Duration = Duration::from_secs(40);

/// The function, with what it keeps from one invocation to the next.
pub struct Score {
    mysql: Mysql,
    objects: ObjectStore,
    documents: Documents,
    champions: Champions,
    /// Who holds the lease while the task runs: one name for each process.
    holder: String,
}

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To the event source mapping.
    Batch(PartialBatchResponse),
    /// To the schedule.
    Left(ScoredLeft),
}

impl Score {
    /// Stores into this database, with models from these objects. Commands to the documents should end within a few seconds: a
    /// batch waits for them.
    pub fn new(mysql: impl Into<Mysql>, objects: ObjectStore, documents: DocumentStore) -> Self {
        let (mysql, documents) = (mysql.into(), Documents::new(documents));
        let holder = uuid::Uuid::new_v4().to_string();
        Self { mysql, objects, documents, champions: Champions::default(), holder }
    }

    /// Handles a batch, or the task of a schedule.
    ///
    /// # Errors
    /// When the payload is neither, or when the task could not be done. Everything else is answered: a bad record is stored as a
    /// reject, and a partition that could not be stored is named for a retry.
    pub async fn handle(&self, payload: &str) -> Result<Answer, Error> {
        match sender(payload)? {
            Sender::Kafka => Ok(Answer::Batch(batch_loop::run(self, &self.mysql, payload).await?)),
            Sender::Task(task) if task == LEFT => {
                let begun = Instant::now();
                let left = self.score_left(begun + BUDGET).await?;
                metrics::emit(None, &[(Metric::RunDuration, begun.elapsed().as_secs_f64() * 1e3)]);
                Ok(Answer::Left(left))
            }
            Sender::Task(task) => Err(format!("task: expected {LEFT}, not {task}").into()),
        }
    }

    /// What follows from scores that are committed. None of it can fail the batch.
    async fn after_commit(&self, scored: &Scored) {
        if scored.scores.is_empty() && scored.queued == 0 {
            return;
        }
        let values = [
            (Metric::CustomersScored, scored.scores.len() as f64),
            (Metric::CustomersUnscored, scored.queued as f64),
            (Metric::ChurnAlertsOpened, scored.alerts_opened as f64),
        ];
        metrics::emit(None, &values);
        self.documents.put_scores(&scored.scores).await;
    }
}

/// The schedule's task.
const LEFT: &str = "score-left";

impl Intake for Score {
    type Record = CustomerSnapshot;

    fn decode(&self, value: &[u8], recorded_at: DateTime<Utc>) -> Result<CustomerSnapshot, Rejection> {
        millrace_wire::customers::decode(value, recorded_at)
    }

    async fn store(
        &self,
        source: Source<'_>,
        mut incoming: Incoming<CustomerSnapshot>,
        originals: &dyn Originals,
    ) -> Result<Stored, StoreError> {
        // Before the transaction, which locks the partition's ledger: it waits neither for the object store, nor for the documents,
        // nor for the reasons of a whole batch.
        let champion = self.champions.current(self.mysql.pool(), &self.objects).await?;
        let scores = match &champion {
            Some(champion) => {
                let scorer = ChampionScorer { champion, documents: &self.documents };
                scorer.score_all(&unlabelled(incoming.decoded().await)).await
            }
            None => Vec::new(),
        };
        let outcome = customers::store(self.mysql.pool(), scores, source, incoming, originals).await?;
        self.after_commit(&outcome.scored).await;
        Ok(outcome.stored)
    }
}

/// The snapshots without a label that a batch may store: what follows the first one of an identity is a duplicate of it.
fn unlabelled<'a>(snapshots: impl Iterator<Item = &'a CustomerSnapshot>) -> Vec<&'a CustomerSnapshot> {
    let mut seen = HashSet::new();
    snapshots
        .filter(|snapshot| seen.insert((snapshot.observed_at, &snapshot.customer_id)) && snapshot.churn.is_none())
        .collect()
}
