//! Churn scores: written with the snapshots that they are of, or later for those that were stored while no champion could be had.
//!
//! | table | what |
//! | --- | --- |
//! | `churn_scores` | what a model said of a snapshot, once for each model version |
//! | `unscored_snapshots` | the snapshots that wait for a champion |
//! | `churn_states`, `churn_alerts` | each customer's last judged score; the crossings of the threshold |

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use millrace_churn_model::CustomerScore;
use millrace_domain::identity::CustomerId;
use sqlx::MySqlConnection;
use sqlx::mysql::MySqlArguments;

use crate::fault::StoreError;
use crate::insert::{self, Statement, add};

mod alerts;
mod left;
mod read;

pub use left::{Left, left, store_left, waiting};
pub use read::{HighRisk, KnownScore, NumberedScore, high_risk, of_customer, scores_after};

/// What a snapshot is known by.
pub(crate) type SnapshotKey = (DateTime<Utc>, CustomerId);

/// What scoring some snapshots did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scored {
    /// The scores that were stored.
    pub scores: Vec<CustomerScore>,
    /// Snapshots that wait for a champion.
    pub queued: u64,
    /// Alerts that were opened, those closed again included.
    pub alerts_opened: u64,
}

/// Stores the scores of the snapshots that this transaction has stored, and judges them beside the labels that it has stored. An
/// unlabelled snapshot that has no score is queued.
pub(crate) async fn store_new(
    connection: &mut MySqlConnection,
    scores: &HashMap<SnapshotKey, &CustomerScore>,
    mut unlabelled: Vec<SnapshotKey>,
    labelled: &[SnapshotKey],
) -> Result<Scored, StoreError> {
    unlabelled.sort_unstable();
    let (mut scored, mut unscored) = (Vec::with_capacity(unlabelled.len()), Vec::new());
    for key in &unlabelled {
        match scores.get(key) {
            Some(score) => scored.push((*score).clone()),
            None => unscored.push(left::Key::new(key)),
        }
    }
    insert::insert_all(connection, &left::QUEUE, &unscored).await?;
    let alerts_opened = store(connection, &scored, labelled).await?;
    Ok(Scored { queued: unscored.len() as u64, scores: scored, alerts_opened })
}

/// A probability that is no number has no place in the database: its snapshot waits for another champion.
pub(crate) fn storable(mut scores: Vec<CustomerScore>) -> Vec<CustomerScore> {
    scores.retain(|score| {
        let stays = score.probability.is_finite();
        if !stays {
            tracing::error!(model_version = score.model_version, "the model gave a probability that is no number");
        }
        stays
    });
    scores.sort_unstable_by(|a, b| (a.observed_at, &a.customer_id).cmp(&(b.observed_at, &b.customer_id)));
    scores
}

/// Inserts scores and judges them beside labels. Returns how many alerts were opened.
async fn store(
    connection: &mut MySqlConnection,
    scores: &[CustomerScore],
    labelled: &[SnapshotKey],
) -> Result<u64, StoreError> {
    insert::insert_all(connection, &INSERT, &scores.iter().map(ScoreRow::new).collect::<Result<Vec<_>, _>>()?).await?;
    alerts::judge(connection, scores, labelled).await
}

static INSERT: Statement = Statement::new(
    "INSERT INTO churn_scores (observed_at, customer_id, model_version, probability, churn_predicted, reasons, scored_at) VALUES ",
    "(?,?,?,?,?,?,?)",
    "",
);

struct ScoreRow<'a> {
    score: &'a CustomerScore,
    reasons: String,
}

impl<'a> ScoreRow<'a> {
    fn new(score: &'a CustomerScore) -> Result<Self, StoreError> {
        let reasons = serde_json::to_string(&score.reasons)
            .map_err(|error| StoreError::Stored(format!("reasons of a score: {error}")))?;
        Ok(Self { score, reasons })
    }
}

impl insert::Row for ScoreRow<'_> {
    const COLUMNS: usize = 7;
    const BYTES: usize = 500;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let score = self.score;
        add(arguments, score.observed_at.naive_utc())?;
        add(arguments, score.customer_id.as_str())?;
        add(arguments, score.model_version)?;
        add(arguments, score.probability)?;
        add(arguments, score.churn_predicted)?;
        add(arguments, self.reasons.as_str())?;
        add(arguments, score.scored_at.naive_utc())
    }
}
