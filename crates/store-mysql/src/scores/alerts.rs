//! Customers who may leave: an alert opens where a customer's score crosses the threshold upward, and closes where it falls below.
//!
//! Each customer has a state row, locked in the order of the customers' ids. A score of an observation that is not newer than the
//! last judged one changes nothing.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use millrace_churn_model::CustomerScore;
use sqlx::mysql::MySqlArguments;
use sqlx::{MySqlConnection, Row as _};

use crate::fault::StoreError;
use crate::insert::{self, Statement, add};

/// A customer's last judged score.
struct State<'a> {
    customer_id: &'a str,
    judged_at: DateTime<Utc>,
    probability: f64,
    model_version: u32,
    alert_id: Option<u64>,
}

/// Judges scores, each against the one before of its customer. Returns how many alerts were opened.
pub(super) async fn judge(connection: &mut MySqlConnection, scores: &[CustomerScore]) -> Result<u64, StoreError> {
    let mut scores: Vec<&CustomerScore> = scores.iter().collect();
    scores.sort_unstable_by(|a, b| (&a.customer_id, a.observed_at).cmp(&(&b.customer_id, b.observed_at)));
    let customers: Vec<&[&CustomerScore]> = scores.chunk_by(|a, b| a.customer_id == b.customer_id).collect();
    let mut opened = 0;
    for customers in customers.chunks(insert::MOST) {
        let ids = customers.iter().filter_map(|scores| scores.first()).map(|score| score.customer_id.as_str());
        let states = lock(connection, ids).await?;
        let mut changed = Vec::with_capacity(customers.len());
        for scores in customers {
            changed.extend(judge_customer(connection, &states, scores, &mut opened).await?);
        }
        insert::insert_all(connection, &SAVE, &changed).await?;
    }
    Ok(opened)
}

/// Judges the scores of one customer, in the order of their observations. Returns the customer's new state, if it changed.
async fn judge_customer<'a>(
    connection: &mut MySqlConnection,
    states: &HashMap<String, (DateTime<Utc>, Option<u64>)>,
    scores: &[&'a CustomerScore],
    opened: &mut u64,
) -> Result<Option<State<'a>>, StoreError> {
    let mut state = None;
    for score in scores {
        let customer_id = score.customer_id.as_str();
        let before = match &state {
            Some(State { judged_at, alert_id, .. }) => Some((*judged_at, *alert_id)),
            None => states.get(customer_id).copied(),
        };
        if before.is_some_and(|(judged_at, _)| score.observed_at <= judged_at) {
            continue;
        }
        let alert_id = match (before.and_then(|(_, alert_id)| alert_id), score.churn_predicted) {
            (None, true) => {
                *opened += 1;
                Some(open(connection, score).await?)
            }
            (Some(alert_id), false) => {
                close(connection, alert_id, score.observed_at).await?;
                None
            }
            (unchanged, _) => unchanged,
        };
        let (judged_at, probability, model_version) = (score.observed_at, score.probability, score.model_version);
        state = Some(State { customer_id, judged_at, probability, model_version, alert_id });
    }
    Ok(state)
}

static LOCK: Statement = Statement::new(
    "SELECT customer_id, judged_at, alert_id FROM churn_states WHERE customer_id IN (",
    "?",
    ") ORDER BY customer_id FOR UPDATE",
);

/// Locks and reads the state rows of customers, who are sorted and at most [`insert::MOST`].
async fn lock<'a>(
    connection: &mut MySqlConnection,
    customers: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, (DateTime<Utc>, Option<u64>)>, StoreError> {
    let rows = insert::select_by(connection, &LOCK, customers).await?;
    let state = |row: &sqlx::mysql::MySqlRow| {
        Ok((row.try_get("customer_id")?, (row.try_get("judged_at")?, row.try_get("alert_id")?)))
    };
    rows.iter().map(state).collect::<Result<_, sqlx::Error>>().map_err(Into::into)
}

async fn open(connection: &mut MySqlConnection, score: &CustomerScore) -> Result<u64, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO churn_alerts (customer_id, opened_at, probability, model_version) VALUES (?, ?, ?, ?)",
    )
    .bind(score.customer_id.as_str())
    .bind(score.observed_at.naive_utc())
    .bind(score.probability)
    .bind(score.model_version)
    .execute(connection)
    .await?;
    Ok(inserted.last_insert_id())
}

async fn close(connection: &mut MySqlConnection, alert_id: u64, at: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query("UPDATE churn_alerts SET closed_at = ? WHERE alert_id = ?")
        .bind(at.naive_utc())
        .bind(alert_id)
        .execute(connection)
        .await?;
    Ok(())
}

static SAVE: Statement = Statement::new(
    "INSERT INTO churn_states (customer_id, judged_at, probability, model_version, alert_id) VALUES ",
    "(?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE judged_at = VALUES(judged_at), probability = VALUES(probability), \
     model_version = VALUES(model_version), alert_id = VALUES(alert_id)",
);

impl insert::Row for State<'_> {
    const COLUMNS: usize = 5;
    const BYTES: usize = 64;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.customer_id)?;
        add(arguments, self.judged_at.naive_utc())?;
        add(arguments, self.probability)?;
        add(arguments, self.model_version)?;
        add(arguments, self.alert_id)
    }
}
