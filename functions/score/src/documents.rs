//! The documents, which scoring can do without: customers' usage counts as missing, and `cache` writes the scores later.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use millrace_churn_model::CustomerScore;
use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::identity::CustomerId;
use millrace_lambda_support::metrics::{self, Metric};
use millrace_store_documents::{DocumentError, DocumentStore, UsageOfCustomers};
use tokio::sync::Mutex;

/// How long a batch waits for the usage of its customers.
const LOOKUP: Duration = Duration::from_secs(3);
/// How long a batch waits for its scores to become documents.
const WRITING: Duration = Duration::from_secs(10);
/// How long the documents are left alone after they failed, so that an absence does not hold up every batch.
const PAUSE: Duration = Duration::from_secs(15);

pub(crate) struct Documents {
    store: DocumentStore,
    failed: Mutex<Option<Instant>>,
}

impl Documents {
    pub(crate) fn new(store: DocumentStore) -> Self {
        Self { store, failed: Mutex::default() }
    }

    /// The platform's own usage of the customers before they were observed; empty while it can't be had.
    pub(crate) async fn usage(&self, snapshots: &[&CustomerSnapshot]) -> UsageOfCustomers {
        let times = snapshots.iter().map(|snapshot| snapshot.observed_at);
        let (Some(from), Some(to)) = (times.clone().min(), times.max()) else { return UsageOfCustomers::default() };
        let found = self.attempt("usage of customers", LOOKUP, self.usage_within(snapshots, from, to)).await;
        found.unwrap_or_default()
    }

    async fn usage_within(
        &self,
        snapshots: &[&CustomerSnapshot],
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<UsageOfCustomers, DocumentError> {
        let mut customers: Vec<CustomerId> = snapshots.iter().map(|snapshot| snapshot.customer_id.clone()).collect();
        customers.sort_unstable();
        customers.dedup();
        self.store.usage_of_customers(&customers, from, to).await
    }

    /// Writes scores as their customers' latest.
    pub(crate) async fn put_scores(&self, scores: &[CustomerScore]) {
        if !scores.is_empty() {
            self.attempt("latest scores", WRITING, self.store.put_scores(scores)).await;
        }
    }

    async fn attempt<T>(
        &self,
        what: &str,
        within: Duration,
        work: impl Future<Output = Result<T, DocumentError>>,
    ) -> Option<T> {
        let mut failed = self.failed.lock().await;
        if failed.is_some_and(|at| at.elapsed() < PAUSE) {
            metrics::emit(None, &[(Metric::DocumentsFailed, 1.0)]);
            return None;
        }
        let error = match tokio::time::timeout(within, work).await {
            Ok(Ok(answer)) => {
                *failed = None;
                return Some(answer);
            }
            Ok(Err(error)) => error,
            Err(_) => DocumentError::Timeout(within),
        };
        tracing::warn!(%error, "going on without the documents: {what}");
        metrics::emit(None, &[(Metric::DocumentsFailed, 1.0)]);
        *failed = Some(Instant::now());
        None
    }
}
