//! Customers as observed, read from documents as a stream.

use millrace_churn_model::{Observation, PlatformUsage};
use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::identity::CustomerId;
use millrace_learning::Examples;
use millrace_store_documents::{DocumentError, DocumentStore, NewestFeatures};

/// A customer as observed, with the platform's own measure.
pub(crate) struct Observed {
    pub(crate) customer: CustomerSnapshot,
    platform: Option<PlatformUsage>,
}

impl Observed {
    pub(crate) fn observation(&self) -> Observation<'_> {
        Observation { customer: &self.customer, platform: self.platform }
    }
}

/// The newest labelled examples, at most `limit`, each with its customer's calls over the last complete cycle before it, and how
/// many older ones were left out. They come in the order of their observation and id, which makes a training repeatable.
pub(crate) async fn labelled(documents: &DocumentStore, limit: u64) -> Result<(Examples, u64), DocumentError> {
    let all = documents.labelled_count().await?;
    let mut examples = Examples::new();
    let mut features = documents.newest_features(true, limit).await?;
    loop {
        let observed = observed(documents, &mut features).await?;
        if observed.is_empty() {
            let left_out = all.saturating_sub(examples.len() as u64);
            return Ok((examples, left_out));
        }
        for one in &observed {
            if let Some(churned) = one.customer.churn {
                examples.push(&one.observation(), churned);
            }
        }
    }
}

/// The newest observations without a label, at most `limit`: the customers as they are now.
pub(crate) async fn unlabelled(documents: &DocumentStore, limit: u64) -> Result<Vec<Observed>, DocumentError> {
    let mut all = Vec::new();
    let mut features = documents.newest_features(false, limit).await?;
    loop {
        let observed = observed(documents, &mut features).await?;
        if observed.is_empty() {
            return Ok(all);
        }
        all.extend(observed);
    }
}

/// The next piece of observations; empty at the end.
async fn observed(documents: &DocumentStore, features: &mut NewestFeatures) -> Result<Vec<Observed>, DocumentError> {
    let snapshots = features.next().await?;
    let times = snapshots.iter().map(|snapshot| snapshot.observed_at);
    let (Some(from), Some(to)) = (times.clone().min(), times.max()) else { return Ok(Vec::new()) };
    let mut customers: Vec<CustomerId> = snapshots.iter().map(|snapshot| snapshot.customer_id.clone()).collect();
    customers.sort();
    customers.dedup();
    let usage = documents.usage_of_customers(&customers, from, to).await?;
    let measured = |customer: CustomerSnapshot| {
        let before = usage.before(&customer.customer_id, customer.observed_at);
        let platform = before.as_ref().map(PlatformUsage::from);
        Observed { customer, platform }
    };
    Ok(snapshots.into_iter().map(measured).collect())
}
