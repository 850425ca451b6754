//! How far the documents have followed MySQL. A watermark lives beside its documents and is written after them, so that documents
//! that are lost take it with them and are computed again.

use chrono::{DateTime, Utc};
use mongodb::bson::{Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, count, time};

pub(crate) const COLLECTION: &str = "watermarks";

/// How far the documents made from one topic are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// The MySQL database that the documents were computed from.
    pub origin: String,
    /// Everything up to this version or sequence number is in the documents.
    pub position: u64,
    /// Every record committed by then is in the documents; `None` while they have never caught up.
    pub as_of: Option<DateTime<Utc>>,
}

impl DocumentStore {
    /// The watermark of a topic, `None` when there is none.
    pub async fn watermark(&self, topic: &str) -> Result<Option<Watermark>, DocumentError> {
        let found = self.within(self.collection(COLLECTION)?.find_one(doc! {"_id": topic})).await?;
        found.map(|document| watermark(&document)).transpose()
    }

    /// Every topic's watermark.
    pub async fn watermarks(&self) -> Result<Vec<(String, Watermark)>, DocumentError> {
        let documents = self.find(COLLECTION, doc! {}, doc! {"_id": 1}, 0).await?;
        documents
            .iter()
            .map(|d| Ok((Fields { collection: COLLECTION, document: d }.text("_id")?.to_owned(), watermark(d)?)))
            .collect()
    }

    /// Writes the watermark of a topic, after its documents.
    pub async fn set_watermark(&self, topic: &str, watermark: &Watermark) -> Result<(), DocumentError> {
        let mut document = doc! {"_id": topic, "origin": &watermark.origin, "position": count(watermark.position)};
        if let Some(as_of) = watermark.as_of {
            document.insert("as_of", time(as_of));
        }
        let collection = self.collection(COLLECTION)?;
        self.within(collection.replace_one(doc! {"_id": topic}, document).upsert(true)).await.map(drop)
    }
}

fn watermark(document: &Document) -> Result<Watermark, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    Ok(Watermark {
        origin: fields.text("origin")?.to_owned(),
        position: fields.count("position")?,
        as_of: fields.optional("as_of", Fields::time)?,
    })
}
