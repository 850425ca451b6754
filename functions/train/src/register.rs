//! A new model gets its version, its artefact and its card.

use bytes::Bytes;
use millrace_churn_model::{Artefact, checksum};
use millrace_domain::time::cut_to_millis;
use millrace_store_documents::ModelCard;
use millrace_store_mysql::models::{self, NewModel};
use serde_json::Value;

use crate::Train;

/// Versions that are looked through for one of the same artefact: more than a year of trainings.
const VERSIONS: u32 = 500;

impl Train {
    /// Stores a model under its version. One whose artefact is known keeps the version that it has.
    pub(crate) async fn register(
        &self,
        artefact: &Artefact,
        bytes: Vec<u8>,
        sha256: &str,
        card: &Value,
    ) -> anyhow::Result<u32> {
        let known = models::newest(&self.mysql, VERSIONS).await?.into_iter().find(|model| model.sha256 == sha256);
        let version = match known {
            Some(model) => model.version,
            None => {
                let model =
                    NewModel { candidate: &artefact.candidate, schema_version: artefact.schema_version, sha256 };
                models::register(&self.mysql, &model).await?
            }
        };
        debug_assert_eq!(checksum(&bytes), sha256);
        self.objects.put_artefact(version, Bytes::from(bytes)).await?;
        self.write_card(version, card).await?;
        models::stored(&self.mysql, version).await?;
        Ok(version)
    }

    /// Writes a card: the object that is its original, then the document.
    pub(crate) async fn write_card(&self, version: u32, card: &Value) -> anyhow::Result<()> {
        let mut card = card.clone();
        card["version"] = version.into();
        self.objects.put_card(version, Bytes::from(serde_json::to_vec_pretty(&card)?)).await?;
        let card = ModelCard { version, written_at: cut_to_millis((self.clock)()), card };
        self.documents.put_model_card(&card).await?;
        Ok(())
    }
}
