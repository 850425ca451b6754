//! The champion, kept in the process.
//!
//! Which model it is stands in MySQL and is read for each batch, so that a promotion counts at once. Its artefact is loaded once
//! for each version; while one can't be had, the last good model goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use millrace_churn_model::{Artefact, Model};
use millrace_lambda_support::metrics::{self, Metric};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::champion;
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::models;
use millrace_store_objects::ObjectStore;
use tokio::sync::Mutex;

/// How long a batch waits for an artefact.
const WITHIN: Duration = Duration::from_secs(5);
/// When an artefact that could not be had is asked for again. A promotion counts within a minute.
const AGAIN_AFTER: Duration = Duration::from_secs(15);

/// A model that can score, with its version.
pub(crate) struct Champion {
    pub(crate) version: u32,
    sha256: String,
    pub(crate) model: Model,
}

impl Champion {
    fn is(&self, model: &models::Model) -> bool {
        self.version == model.version && self.sha256 == model.sha256
    }
}

/// What is known of the champion from one batch to the next.
#[derive(Default)]
pub(crate) struct Champions {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    last_good: Option<Arc<Champion>>,
    /// The version that could not be had, and when.
    failed: Option<(u32, Instant)>,
}

impl Champions {
    /// The model to score with now: the champion, or the last good one while that can't be had. `None` while there is neither.
    ///
    /// # Errors
    /// When MySQL does not say which model is the champion.
    pub(crate) async fn current(
        &self,
        mysql: &MySqlPool,
        objects: &ObjectStore,
    ) -> Result<Option<Arc<Champion>>, StoreError> {
        let Some(champion) = champion::current(mysql).await? else { return Ok(None) };
        let wanted = champion.model;
        let mut known = self.known.lock().await;
        let is_there = known.last_good.as_ref().is_some_and(|good| good.is(&wanted));
        let failed_lately =
            known.failed.is_some_and(|(version, at)| version == wanted.version && at.elapsed() < AGAIN_AFTER);
        if !is_there && !failed_lately {
            match load(objects, &wanted).await {
                Ok(champion) => {
                    tracing::info!(
                        version = wanted.version,
                        candidate = wanted.candidate,
                        "scoring with another champion"
                    );
                    *known = Known { last_good: Some(Arc::new(champion)), failed: None };
                }
                Err(error) => {
                    let in_use = known.last_good.as_ref().map(|good| good.version);
                    tracing::error!(version = wanted.version, ?in_use, "the champion cannot be used: {error:#}");
                    metrics::emit(None, &[(Metric::ChampionLoadFailures, 1.0)]);
                    known.failed = Some((wanted.version, Instant::now()));
                }
            }
        }
        Ok(known.last_good.clone())
    }
}

async fn load(objects: &ObjectStore, wanted: &models::Model) -> anyhow::Result<Champion> {
    let bytes = objects.artefact(wanted.version, &wanted.sha256, WITHIN).await?;
    let artefact = Artefact::from_bytes(&bytes).with_context(|| format!("model version {}", wanted.version))?;
    let model = Model::load(artefact).with_context(|| format!("model version {}", wanted.version))?;
    Ok(Champion { version: wanted.version, sha256: wanted.sha256.clone(), model })
}
