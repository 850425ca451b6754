//! Whole documents, written only over an older one.

use mongodb::bson::{Bson, Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;

/// Documents of one command. All three servers take more, in slower steps.
const BATCH: usize = 1000;
/// The server's code for a key that is there already.
const DUPLICATE_KEY: i32 = 11000;

/// What became of documents that were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Inserted, or written over an older one.
    pub written: u64,
    /// Left out, because the stored one is as new or newer.
    pub superseded: u64,
}

impl std::ops::AddAssign for Replaced {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.superseded += other.superseded;
    }
}

impl DocumentStore {
    /// Writes each document unless the stored one with its `_id` has the same or a greater value of `order`.
    pub(crate) async fn replace_newer(
        &self,
        collection: &'static str,
        order: &str,
        documents: Vec<Document>,
    ) -> Result<Replaced, DocumentError> {
        let mut total = Replaced::default();
        let mut documents = documents.into_iter().peekable();
        while documents.peek().is_some() {
            let batch: Vec<Document> = documents.by_ref().take(BATCH).collect();
            let first = self.send(collection, order, &batch, true).await?;
            // The key that is there may have been inserted, with an older document, between the server's look and its insert.
            // Without the upsert the command says for certain.
            let again: Vec<Document> = first.present.iter().filter_map(|&index| batch.get(index).cloned()).collect();
            let overwritten =
                if again.is_empty() { 0 } else { self.send(collection, order, &again, false).await?.matched };
            let superseded = (again.len() as u64).saturating_sub(overwritten);
            total += Replaced { written: batch.len() as u64 - superseded, superseded };
        }
        Ok(total)
    }

    async fn send(
        &self,
        collection: &'static str,
        order: &str,
        batch: &[Document],
        upsert: bool,
    ) -> Result<Sent, DocumentError> {
        let answer = self.within(self.database()?.run_command(command(collection, order, batch, upsert))).await?;
        let mut present = Vec::new();
        let mut refused = Vec::new();
        for error in answer.get_array("writeErrors").into_iter().flatten().filter_map(Bson::as_document) {
            if upsert && integer(error.get("code")) == DUPLICATE_KEY {
                present.push(usize::try_from(integer(error.get("index"))).unwrap_or(usize::MAX));
            } else {
                refused.push(error);
            }
        }
        refused.extend(answer.get_document("writeConcernError"));
        match refused.first() {
            Some(first) => Err(DocumentError::Refused {
                collection,
                refused: refused.len(),
                code: integer(first.get("code")),
                message: first.get_str("errmsg").unwrap_or("no message").to_owned(),
            }),
            None => Ok(Sent { matched: u64::try_from(integer(answer.get("n"))).unwrap_or(0), present }),
        }
    }
}

/// The answer to one update command.
struct Sent {
    /// Documents that were inserted or replaced.
    matched: u64,
    /// Positions of those whose key is there and not older.
    present: Vec<usize>,
}

fn command(collection: &str, order: &str, batch: &[Document], upsert: bool) -> Document {
    let updates: Vec<Document> = batch
        .iter()
        .map(|document| {
            let mut query = Document::new();
            query.insert("_id", document.get("_id").cloned().unwrap_or(Bson::Null));
            query.insert(order, doc! {"$lt": document.get(order).cloned().unwrap_or(Bson::Null)});
            doc! {"q": query, "u": document.clone(), "upsert": upsert}
        })
        .collect();
    doc! {"update": collection, "updates": updates, "ordered": false}
}

/// Servers answer with integers of either size, or doubles.
fn integer(value: Option<&Bson>) -> i32 {
    match value {
        Some(Bson::Int32(n)) => *n,
        Some(Bson::Int64(n)) => i32::try_from(*n).unwrap_or(i32::MAX),
        Some(Bson::Double(n)) => *n as i32,
        _ => 0,
    }
}
