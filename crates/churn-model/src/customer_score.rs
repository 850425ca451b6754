//! A score as it is kept.

use chrono::{DateTime, Utc};
use millrace_domain::identity::CustomerId;

use crate::model::Reason;

/// What a version of the model said of a customer as observed. Its identity is `(observed_at, customer_id, model_version)`.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerScore {
    /// Who.
    pub customer_id: CustomerId,
    /// The snapshot that was scored.
    pub observed_at: DateTime<Utc>,
    /// The model.
    pub model_version: u32,
    /// The probability of leaving.
    pub probability: f64,
    /// Whether it reaches the model's threshold.
    pub churn_predicted: bool,
    /// What accounts for most of it, the greatest contribution first.
    pub reasons: Vec<Reason>,
    /// When it was scored, cut to the millisecond.
    pub scored_at: DateTime<Utc>,
}
