//! Reading scores: for the documents, for a customer, and for those who may leave.

use chrono::{DateTime, Utc};
use millrace_churn_model::{CustomerScore, Reason};
use millrace_domain::identity::CustomerId;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row};

use crate::fault::StoreError;

/// A score with its sequence number.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedScore {
    /// Its place among all scores.
    pub seq: u64,
    /// What was said.
    pub score: CustomerScore,
}

/// The first `limit` scores numbered after `after`, up to `to`.
pub async fn scores_after(pool: &MySqlPool, after: u64, to: u64, limit: u32) -> Result<Vec<NumberedScore>, StoreError> {
    let rows = sqlx::query(
        "SELECT seq, observed_at, customer_id, model_version, probability, churn_predicted, reasons, scored_at \
         FROM churn_scores FORCE INDEX (by_seq) WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
    )
    .bind(after)
    .bind(to)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(NumberedScore { seq: row.try_get("seq")?, score: score(row)? })).collect()
}

/// A score with what became of the customer.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownScore {
    /// What was said.
    pub score: CustomerScore,
    /// The first label that came at the observation or after it; `None` while there is none.
    pub actual: Option<bool>,
}

/// A customer's scores, the latest observation first, at most `limit`.
pub async fn of_customer(
    pool: &MySqlPool,
    customer_id: &CustomerId,
    limit: u32,
) -> Result<Vec<KnownScore>, StoreError> {
    let rows = sqlx::query(
        "SELECT observed_at, customer_id, model_version, probability, churn_predicted, reasons, scored_at, actual \
         FROM bi_churn_scores WHERE customer_id = ? ORDER BY observed_at DESC, model_version DESC LIMIT ?",
    )
    .bind(customer_id.as_str())
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(KnownScore { score: score(row)?, actual: row.try_get("actual")? })).collect()
}

/// A customer whose alert is open.
#[derive(Debug, Clone, PartialEq)]
pub struct HighRisk {
    /// The alert.
    pub alert_id: u64,
    /// The observation by which it opened.
    pub opened_at: DateTime<Utc>,
    /// The customer's latest score.
    pub latest: CustomerScore,
}

/// The customers whose alerts are open, the most probable to leave first, at most `limit`.
pub async fn high_risk(pool: &MySqlPool, limit: u32) -> Result<Vec<HighRisk>, StoreError> {
    let rows = sqlx::query(
        "SELECT a.alert_id, a.opened_at, s.observed_at, s.customer_id, s.model_version, s.probability, s.churn_predicted, \
                s.reasons, s.scored_at \
         FROM (SELECT a.alert_id, a.opened_at, t.customer_id, t.judged_at, t.model_version \
               FROM churn_alerts a JOIN churn_states t ON t.customer_id = a.customer_id AND t.alert_id = a.alert_id \
               WHERE a.closed_at IS NULL ORDER BY t.probability DESC, t.customer_id LIMIT ?) a \
         JOIN churn_scores s ON s.observed_at = a.judged_at AND s.customer_id = a.customer_id AND s.model_version = a.model_version \
         ORDER BY s.probability DESC, s.customer_id",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let found = |row: &MySqlRow| {
        Ok(HighRisk { alert_id: row.try_get("alert_id")?, opened_at: row.try_get("opened_at")?, latest: score(row)? })
    };
    rows.iter().map(found).collect()
}

fn score(row: &MySqlRow) -> Result<CustomerScore, StoreError> {
    let reasons: Vec<Reason> = serde_json::from_str(row.try_get("reasons")?)
        .map_err(|error| StoreError::Stored(format!("churn_scores.reasons: {error}")))?;
    Ok(CustomerScore {
        customer_id: CustomerId::parse(row.try_get("customer_id")?)
            .map_err(|error| StoreError::Stored(format!("churn_scores.customer_id: {error}")))?,
        observed_at: row.try_get("observed_at")?,
        model_version: row.try_get("model_version")?,
        probability: row.try_get("probability")?,
        churn_predicted: row.try_get("churn_predicted")?,
        reasons,
        scored_at: row.try_get("scored_at")?,
    })
}
