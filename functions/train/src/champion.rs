//! The champion as a training finds it, and its change.

use std::time::Duration;

use millrace_churn_model::{Artefact, Model};
use millrace_store_mysql::champion::{self, ChangeError, ChangeKind};
use millrace_store_mysql::{MySqlPool, models};
use millrace_store_objects::{ModelObjectError, ObjectStore};
use serde_json::Value;

use crate::answer::{Answer, Outcome};
use crate::verdict::Verdict;
use crate::{BY, Train};

/// How long the object store may take to give an artefact.
const WITHIN: Duration = Duration::from_secs(30);
/// Changes of the champion that are looked through for one that took a model back.
const CHANGES: u32 = 1_000;

/// The champion as a training finds it.
pub(crate) enum Reigning {
    /// There is none yet.
    Nobody,
    /// One that scores.
    Sound {
        /// Its version.
        version: u32,
        /// Its artefact's checksum.
        sha256: String,
        /// The model.
        model: Box<Model>,
    },
    /// One whose artefact is gone or is not what was written: nothing can score by it any more.
    Broken {
        /// Its version.
        version: u32,
        /// What is wrong with it.
        why: String,
    },
}

impl Reigning {
    /// Reads the champion.
    ///
    /// # Errors
    /// When a store is away: that says nothing of the champion.
    pub(crate) async fn read(pool: &MySqlPool, objects: &ObjectStore) -> anyhow::Result<Self> {
        let Some(champion) = champion::current(pool).await? else { return Ok(Self::Nobody) };
        let (version, sha256) = (champion.model.version, champion.model.sha256);
        let model = match objects.artefact(version, &sha256, WITHIN).await {
            Ok(bytes) => Artefact::from_bytes(&bytes).and_then(Model::load).map_err(|error| error.to_string()),
            Err(error @ (ModelObjectError::Missing(_) | ModelObjectError::Corrupt { .. })) => Err(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        Ok(match model {
            Ok(model) => Self::Sound { version, sha256, model: Box::new(model) },
            Err(why) => {
                tracing::error!(version, why, "the champion cannot score");
                Self::Broken { version, why }
            }
        })
    }

    pub(crate) fn version(&self) -> Option<u32> {
        match self {
            Self::Nobody => None,
            Self::Sound { version, .. } | Self::Broken { version, .. } => Some(*version),
        }
    }

    /// Whether its artefact has this checksum, and is whole.
    pub(crate) fn is(&self, checksum: &str) -> bool {
        matches!(self, Self::Sound { sha256, .. } if sha256 == checksum)
    }
}

/// The version with this artefact that was champion and was taken back since, if there is one: what people decided stays.
pub(crate) async fn rolled_back(pool: &MySqlPool, sha256: &str) -> anyhow::Result<Option<u32>> {
    for change in champion::history(pool, CHANGES).await? {
        if change.kind == ChangeKind::RolledBack
            && let Some(version) = change.before
            && models::get(pool, version).await?.is_some_and(|model| model.sha256 == sha256)
        {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

impl Train {
    /// Makes a registered model the champion, unless another one became it meanwhile.
    pub(crate) async fn promote(
        &self,
        version: u32,
        sha256: &str,
        verdict: &Verdict,
        reigning: &Reigning,
        mut card: Value,
        answer: &mut Answer,
    ) -> anyhow::Result<()> {
        // What was written is read back: a champion whose artefact cannot be had would score nobody.
        self.objects.artefact(version, sha256, WITHIN).await?;
        let reason: String = verdict.why.chars().take(400).collect();
        match champion::promote(&self.mysql, version, reigning.version(), BY, &reason).await {
            Ok(()) => {
                answer.outcome = Outcome::Promoted;
                answer.champion = Some(version);
                Ok(())
            }
            Err(error @ (ChangeError::Superseded { .. } | ChangeError::Already(_))) => {
                answer.why = format!("{}, but it was not promoted: {error}", verdict.why);
                answer.champion = champion::current(&self.mysql).await?.map(|champion| champion.model.version);
                card["promoted"] = answer.champion.is_some_and(|champion| champion == version).into();
                card["why"] = answer.why.as_str().into();
                self.write_card(version, &card).await
            }
            Err(error) => Err(error.into()),
        }
    }
}
