//! Customers who may leave: an alert opens where a customer's score crosses the threshold upward. It closes where a score falls below,
//! and where a label tells what the customer did.
//!
//! Each customer has a state row, locked in the order of the customers' ids. An observation that is not newer than the last judged
//! one changes nothing, and a score opens no alert when a label of its time or later is there already.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use millrace_churn_model::CustomerScore;
use sqlx::mysql::MySqlArguments;
use sqlx::{MySqlConnection, Row as _};

use super::SnapshotKey;
use crate::fault::StoreError;
use crate::insert::{self, Statement, add};

/// A customer as observed: with a score, or with a label.
#[derive(Clone, Copy)]
struct Observed<'a> {
    customer_id: &'a str,
    at: DateTime<Utc>,
    /// `None` where it is known what the customer did.
    score: Option<&'a CustomerScore>,
}

/// A customer's last judged score, and the open alert.
#[derive(Clone, Copy)]
struct State {
    judged_at: DateTime<Utc>,
    probability: f64,
    model_version: u32,
    alert_id: Option<u64>,
}

/// Judges scores and labels, each against what came before of its customer. Returns how many alerts were opened.
pub(super) async fn judge(
    connection: &mut MySqlConnection,
    scores: &[CustomerScore],
    labelled: &[SnapshotKey],
) -> Result<u64, StoreError> {
    let scored = scores.iter().map(|score| Observed {
        customer_id: score.customer_id.as_str(),
        at: score.observed_at,
        score: Some(score),
    });
    let labelled = labelled.iter().map(|(at, id)| Observed { customer_id: id.as_str(), at: *at, score: None });
    let mut observed: Vec<Observed<'_>> = scored.chain(labelled).collect();
    observed.sort_unstable_by(|a, b| (a.customer_id, a.at).cmp(&(b.customer_id, b.at)));
    let customers: Vec<&[Observed<'_>]> = observed.chunk_by(|a, b| a.customer_id == b.customer_id).collect();
    let mut opened = 0;
    for customers in customers.chunks(insert::MOST) {
        let ids = customers.iter().filter_map(|observed| observed.first()).map(|first| first.customer_id);
        let states = lock(connection, ids).await?;
        let mut changed = Vec::with_capacity(customers.len());
        for observed in customers {
            changed.extend(judge_customer(connection, &states, observed, &mut opened).await?);
        }
        insert::insert_all(connection, &SAVE, &changed).await?;
    }
    Ok(opened)
}

/// Judges one customer, in the order of the observations. Returns the customer's new state, if it changed.
async fn judge_customer<'a>(
    connection: &mut MySqlConnection,
    states: &HashMap<String, State>,
    observed: &[Observed<'a>],
    opened: &mut u64,
) -> Result<Option<StateRow<'a>>, StoreError> {
    let Some(Observed { customer_id, .. }) = observed.first().copied() else { return Ok(None) };
    let mut state = states.get(customer_id).copied();
    let mut changed = false;
    for Observed { at, score, .. } in observed {
        if state.is_some_and(|state| *at <= state.judged_at) {
            continue;
        }
        let alert_id = state.and_then(|state| state.alert_id);
        let Some(score) = score else {
            // The rest of the state stays that of the last score.
            if let (Some(state), Some(alert_id)) = (&mut state, alert_id) {
                close(connection, alert_id, *at).await?;
                state.alert_id = None;
                changed = true;
            }
            continue;
        };
        let alert_id = match (alert_id, score.churn_predicted) {
            (None, true) => {
                let alert_id = open(connection, score).await?;
                *opened += u64::from(alert_id.is_some());
                alert_id
            }
            (Some(alert_id), false) => {
                close(connection, alert_id, *at).await?;
                None
            }
            (unchanged, _) => unchanged,
        };
        let (probability, model_version) = (score.probability, score.model_version);
        state = Some(State { judged_at: *at, probability, model_version, alert_id });
        changed = true;
    }
    Ok(state.filter(|_| changed).map(|state| StateRow { customer_id, state }))
}

static LOCK: Statement = Statement::new(
    "SELECT customer_id, judged_at, probability, model_version, alert_id FROM churn_states WHERE customer_id IN (",
    "?",
    ") ORDER BY customer_id FOR UPDATE",
);

/// Locks and reads the state rows of customers, who are sorted and at most [`insert::MOST`].
async fn lock<'a>(
    connection: &mut MySqlConnection,
    customers: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, State>, StoreError> {
    let rows = insert::select_by(connection, &LOCK, customers).await?;
    let state = |row: &sqlx::mysql::MySqlRow| {
        let state = State {
            judged_at: row.try_get("judged_at")?,
            probability: row.try_get("probability")?,
            model_version: row.try_get("model_version")?,
            alert_id: row.try_get("alert_id")?,
        };
        Ok((row.try_get("customer_id")?, state))
    };
    rows.iter().map(state).collect::<Result<_, sqlx::Error>>().map_err(Into::into)
}

/// Opens an alert, unless a label tells already what the customer did at the observation or after it.
async fn open(connection: &mut MySqlConnection, score: &CustomerScore) -> Result<Option<u64>, StoreError> {
    let label = sqlx::query(
        "SELECT 1 FROM customer_snapshots FORCE INDEX (by_customer) \
         WHERE customer_id = ? AND observed_at >= ? AND churn IS NOT NULL LIMIT 1",
    )
    .bind(score.customer_id.as_str())
    .bind(score.observed_at.naive_utc())
    .fetch_optional(&mut *connection)
    .await?;
    if label.is_some() {
        return Ok(None);
    }
    let inserted = sqlx::query(
        "INSERT INTO churn_alerts (customer_id, opened_at, probability, model_version) VALUES (?, ?, ?, ?)",
    )
    .bind(score.customer_id.as_str())
    .bind(score.observed_at.naive_utc())
    .bind(score.probability)
    .bind(score.model_version)
    .execute(connection)
    .await?;
    Ok(Some(inserted.last_insert_id()))
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

/// A customer's new state.
struct StateRow<'a> {
    customer_id: &'a str,
    state: State,
}

impl insert::Row for StateRow<'_> {
    const COLUMNS: usize = 5;
    const BYTES: usize = 64;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.customer_id)?;
        add(arguments, self.state.judged_at.naive_utc())?;
        add(arguments, self.state.probability)?;
        add(arguments, self.state.model_version)?;
        add(arguments, self.state.alert_id)
    }
}
