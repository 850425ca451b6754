//! Scoring by the champion.

use chrono::Utc;
use millrace_churn_model::{CustomerScore, Observation, PlatformUsage};
use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::time::cut_to_millis;
use millrace_store_documents::UsageOfCustomers;

use crate::champion::Champion;
use crate::documents::Documents;

/// Reasons that are kept with a score.
const REASONS: usize = 5;
/// Customers that are scored before others get their turn.
const TURN: usize = 500;

/// Scores by a model, with what the documents know of the customers.
pub(crate) struct ChampionScorer<'a> {
    pub(crate) champion: &'a Champion,
    pub(crate) documents: &'a Documents,
}

impl ChampionScorer<'_> {
    /// Scores snapshots in their order.
    pub(crate) async fn score_all(&self, snapshots: &[&CustomerSnapshot]) -> Vec<CustomerScore> {
        let Champion { version, model, .. } = self.champion;
        let usage = match model.artefact().uses_platform_usage() {
            true => self.documents.usage(snapshots).await,
            false => UsageOfCustomers::default(),
        };
        let scored_at = cut_to_millis(Utc::now());
        let mut scores = Vec::with_capacity(snapshots.len());
        for snapshots in snapshots.chunks(TURN) {
            let observations: Vec<_> = snapshots.iter().map(|snapshot| observation(snapshot, &usage)).collect();
            for (score, observation) in model.score_all(&observations).iter().zip(&observations) {
                scores.push(CustomerScore {
                    customer_id: observation.customer.customer_id.clone(),
                    observed_at: observation.customer.observed_at,
                    model_version: *version,
                    probability: score.probability,
                    churn_predicted: score.churn_predicted,
                    reasons: model.reasons(observation, REASONS),
                    scored_at,
                });
            }
            tokio::task::yield_now().await;
        }
        scores
    }
}

fn observation<'a>(customer: &'a CustomerSnapshot, usage: &UsageOfCustomers) -> Observation<'a> {
    let before = usage.before(&customer.customer_id, customer.observed_at);
    Observation { customer, platform: before.as_ref().map(PlatformUsage::from) }
}
