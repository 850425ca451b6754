//! Model cards: what each trained model is, and how it does. Their originals are objects, under `models/<version>/card.json`.

use chrono::{DateTime, Utc};
use mongodb::bson::{self, Document, doc};
use serde_json::Value;

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, time};
use crate::replace::Replaced;

const COLLECTION: &str = "model_cards";

/// A model's card.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCard {
    /// The model's version.
    pub version: u32,
    /// When the card was written.
    pub written_at: DateTime<Utc>,
    /// What it says: a JSON object.
    pub card: Value,
}

impl DocumentStore {
    /// Writes a card over one of the same version that was written earlier.
    pub async fn put_model_card(&self, card: &ModelCard) -> Result<Replaced, DocumentError> {
        let content = bson::serialize_to_bson(&card.card).map_err(|e| DocumentError::Malformed {
            collection: COLLECTION,
            field: "card",
            reason: e.to_string(),
        })?;
        let document = doc! {
            "_id": i64::from(card.version),
            "written_at": time(card.written_at),
            "card": content,
        };
        self.replace_newer(COLLECTION, "written_at", vec![document]).await
    }

    /// The cards of the newest models, the newest first, at most `limit`.
    pub async fn model_cards(&self, limit: u32) -> Result<Vec<ModelCard>, DocumentError> {
        let documents = self.find(COLLECTION, doc! {}, doc! {"_id": -1}, limit.max(1).into()).await?;
        documents.iter().map(card).collect()
    }

    /// The card of a model.
    pub async fn model_card(&self, version: u32) -> Result<Option<ModelCard>, DocumentError> {
        let found = self.within(self.collection(COLLECTION)?.find_one(doc! {"_id": i64::from(version)})).await?;
        found.as_ref().map(card).transpose()
    }
}

fn card(document: &Document) -> Result<ModelCard, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    let content = document.get_document("card").map_err(|e| fields.malformed("card", e))?;
    Ok(ModelCard {
        version: fields.small_count("_id")?,
        written_at: fields.time("written_at")?,
        card: bson::deserialize_from_document(content.clone()).map_err(|e| fields.malformed("card", e))?,
    })
}
