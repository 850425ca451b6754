//! The objects of a trained model: its artefact, which is checked against a checksum whenever it is read, and its card.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{ObjectError, ObjectStore};

const JSON: &str = "application/json";

/// Why an artefact or a card cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ModelObjectError {
    /// It is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// Its bytes are not those that were written.
    #[error("{key} is corrupt: expected SHA-256 {expected}, found {found}")]
    Corrupt {
        /// The object.
        key: String,
        /// The checksum that was noted when it was written.
        expected: String,
        /// The checksum of what is there.
        found: String,
    },
    /// The object store did not answer in time.
    #[error("{key}: no answer of the object store within {within:?}")]
    Late {
        /// The object.
        key: String,
        /// How long was waited.
        within: Duration,
    },
    /// The object store is away or refused.
    #[error(transparent)]
    Store(#[from] ObjectError),
}

/// Where the artefact of a model version lies.
#[must_use]
pub fn artefact_key(version: u32) -> String {
    format!("models/{version}/artefact.json")
}

/// Where the card of a model version lies.
#[must_use]
pub fn card_key(version: u32) -> String {
    format!("models/{version}/card.json")
}

impl ObjectStore {
    /// Writes the artefact of a version.
    ///
    /// # Errors
    /// When it is not known to be kept.
    pub async fn put_artefact(&self, version: u32, artefact: Bytes) -> Result<(), ObjectError> {
        let metadata = BTreeMap::from([("sha256".to_owned(), checksum(&artefact))]);
        self.put(&artefact_key(version), artefact, JSON, &metadata).await
    }

    /// Reads the artefact of a version, whose SHA-256 must be `sha256`, within some time.
    ///
    /// # Errors
    /// When it is missing or corrupt, or cannot be had in time.
    pub async fn artefact(&self, version: u32, sha256: &str, within: Duration) -> Result<Bytes, ModelObjectError> {
        let key = artefact_key(version);
        let body = self.body(&key, within).await?;
        let found = checksum(&body);
        if found != sha256 {
            return Err(ModelObjectError::Corrupt { key, expected: sha256.to_owned(), found });
        }
        Ok(body)
    }

    /// Writes the card of a version, which is JSON.
    ///
    /// # Errors
    /// When it is not known to be kept.
    pub async fn put_card(&self, version: u32, card: Bytes) -> Result<(), ObjectError> {
        self.put(&card_key(version), card, JSON, &BTreeMap::new()).await
    }

    /// Reads the card of a version within some time.
    ///
    /// # Errors
    /// When it is missing or cannot be had in time.
    pub async fn card(&self, version: u32, within: Duration) -> Result<Bytes, ModelObjectError> {
        self.body(&card_key(version), within).await
    }

    async fn body(&self, key: &str, within: Duration) -> Result<Bytes, ModelObjectError> {
        match tokio::time::timeout(within, self.get(key)).await {
            Ok(Ok(object)) => Ok(object.body),
            Ok(Err(error)) if error.is_missing() => Err(ModelObjectError::Missing(key.to_owned())),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(ModelObjectError::Late { key: key.to_owned(), within }),
        }
    }
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
