//! Trains the churn candidates on the labelled customers that the documents hold, and promotes the best of them if it beats the
//! champion by more than noise.
//!
//! A new model gets its version, then its artefact and its card are written to S3, then it is noted that they are there, and last
//! the champion is changed by compare-and-set. Whatever stops a training in between leaves the champion as it was; the next one on
//! the same data gives the same artefact, and goes on with the version that was left behind.

mod answer;
mod card;
mod champion;
mod drift;
mod register;
mod rows;
mod settings;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use millrace_churn_model::{Model, checksum};
use millrace_learning::{Examples, LearningError};
use millrace_store_documents::DocumentStore;
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::leases;
use millrace_store_objects::ObjectStore;
use tokio::time::Instant;

pub use answer::{Answer, Outcome};
pub use drift::Monitoring;
pub use settings::Settings;

use answer::SPARK_JOB;
use champion::Reigning;
use verdict::Verdict;

/// The lease of a training's turn.
const LEASE: &str = "train";
/// How long a lease lasts unless it is renewed: a training that is killed keeps the next one from its work no longer.
const LEASE_TIME: Duration = Duration::from_secs(30);
/// How long a training waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(40);
/// Who changes the champion, in its history.
const BY: &str = "train";

/// What a training works with.
pub struct Train {
    /// Versions, the champion and the lease.
    pub mysql: MySqlPool,
    /// The labelled customers, and where cards go.
    pub documents: DocumentStore,
    /// Artefacts and cards.
    pub objects: ObjectStore,
    /// Who holds the lease while a training goes on: one name for each process.
    pub holder: String,
    /// What the environment says.
    pub settings: Settings,
    /// What time it is.
    pub clock: fn() -> DateTime<Utc>,
}

impl Train {
    /// Trains, unless another training is at work.
    ///
    /// # Errors
    /// When a store is away, or the lease was lost; the champion is whole then, and the training can be run again.
    pub async fn run(&self) -> anyhow::Result<Answer> {
        let patience = Instant::now() + PATIENCE;
        while !leases::take(&self.mysql, LEASE, &self.holder, LEASE_TIME).await.context("lease")? {
            if Instant::now() >= patience {
                return Ok(Answer::busy());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let outcome = self.keeping_the_lease(self.in_turn()).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = leases::release(&self.mysql, LEASE, &self.holder).await {
            tracing::warn!(%error, "the lease could not be given back");
        }
        outcome
    }

    /// Renews the lease while the work goes on.
    async fn keeping_the_lease<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => return outcome,
                () = tokio::time::sleep(LEASE_TIME / 4) => {
                    if !leases::take(&self.mysql, LEASE, &self.holder, LEASE_TIME).await.context("lease")? {
                        bail!("the lease was not renewed in time, and another training took it");
                    }
                }
            }
        }
    }

    async fn in_turn(&self) -> anyhow::Result<Answer> {
        let (examples, left_out) =
            rows::labelled(&self.documents, self.settings.max_rows).await.context("labelled customers")?;
        if left_out > 0 {
            tracing::error!(
                left_out,
                taken = examples.len(),
                "the labelled customers have outgrown the training's memory and time: it takes the newest; {SPARK_JOB} trains on all"
            );
        }
        let churned = examples.labels(&examples.all()).into_iter().filter(|&left| left).count();
        let examples = Arc::new(examples);
        let mut answer = Answer::new(examples.len(), churned, left_out);
        match verdict::too_little(examples.len(), churned) {
            Some(why) => answer.why = why,
            None => self.train(&examples, &mut answer).await?,
        }
        if answer.outcome == Outcome::TooLittleData {
            tracing::warn!("no training: {}", answer.why);
        }
        match self.monitor(&examples).await {
            Ok(monitoring) => answer.monitoring = monitoring,
            // The training is done; what watches the champion is tried again tomorrow, and an alarm tells of it until then.
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the champion could not be compared with the present");
                answer.monitoring_error = Some(error);
            }
        }
        Ok(answer)
    }

    async fn train(&self, examples: &Arc<Examples>, answer: &mut Answer) -> anyhow::Result<()> {
        let settings = verdict::learning_settings(&self.settings);
        let trained = tokio::task::spawn_blocking({
            let examples = Arc::clone(examples);
            move || millrace_learning::train(&examples, &settings)
        })
        .await?;
        let trained = match trained {
            Err(error @ LearningError::TooFewExamples { .. }) => {
                answer.why = error.to_string();
                return Ok(());
            }
            trained => trained?,
        };
        let model = Model::load(trained.artefact.clone())?;
        let bytes = trained.artefact.to_bytes()?;
        let sha256 = checksum(&bytes);
        answer.candidate = Some(trained.artefact.candidate.clone());

        let reigning = Reigning::read(&self.mysql, &self.objects).await?;
        answer.champion = reigning.version();
        if reigning.is(&sha256) {
            answer.outcome = Outcome::Unchanged;
            answer.version = reigning.version();
            answer.why = "the same data gave the champion's artefact again".into();
            return Ok(());
        }
        let verdict = match champion::rolled_back(&self.mysql, &sha256).await? {
            Some(version) => Verdict::keep(format!("version {version} is this artefact, and it was rolled back")),
            None => verdict::judge(&trained, &model, &reigning, examples, self.settings.seed),
        };
        let card = card::card(&trained, &model, &verdict, &reigning, examples, answer.left_out, &self.settings)?;
        let version = self.register(&trained.artefact, bytes, &sha256, &card).await?;
        answer.version = Some(version);
        answer.why.clone_from(&verdict.why);
        answer.outcome = Outcome::Kept;
        if verdict.promote {
            self.promote(version, &sha256, &verdict, &reigning, card, answer).await?;
        }
        tracing::info!(version, promoted = answer.outcome == Outcome::Promoted, "trained: {}", answer.why);
        Ok(())
    }
}
