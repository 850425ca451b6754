//! Trained models: their versions, and whether their objects are stored.
//!
//! A training registers a version, writes the artefact and the card under it, and then says so by [`stored`]. One that is killed
//! in between leaves a version that never becomes champion.

use chrono::{DateTime, Utc};
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row};

use crate::fault::StoreError;

/// A model that is to get a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewModel<'a> {
    /// What kind of model it is, at most 64 characters.
    pub candidate: &'a str,
    /// The version of the artefact's schema.
    pub schema_version: u32,
    /// The artefact's SHA-256, 64 lower-case hex digits.
    pub sha256: &'a str,
}

/// A model that has a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its version, from 1 on.
    pub version: u32,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// What kind of model it is.
    pub candidate: String,
    /// The version of the artefact's schema.
    pub schema_version: u32,
    /// The artefact's SHA-256 in hex.
    pub sha256: String,
    /// When its objects were there; `None` while they are not.
    pub stored_at: Option<DateTime<Utc>>,
}

/// Gives a model its version, under which its objects are to be written.
pub async fn register(pool: &MySqlPool, model: &NewModel<'_>) -> Result<u32, StoreError> {
    let inserted = sqlx::query("INSERT INTO models (candidate, schema_version, sha256) VALUES (?, ?, ?)")
        .bind(model.candidate)
        .bind(model.schema_version)
        .bind(model.sha256)
        .execute(pool)
        .await?;
    u32::try_from(inserted.last_insert_id()).map_err(|error| StoreError::Stored(format!("models.version: {error}")))
}

/// Notes that a model's artefact and card are there. Returns whether the version is known.
pub async fn stored(pool: &MySqlPool, version: u32) -> Result<bool, StoreError> {
    let noted = sqlx::query("UPDATE models SET stored_at = COALESCE(stored_at, UTC_TIMESTAMP(3)) WHERE version = ?")
        .bind(version)
        .execute(pool)
        .await?;
    Ok(noted.rows_affected() > 0)
}

/// A model by its version.
pub async fn get(pool: &MySqlPool, version: u32) -> Result<Option<Model>, StoreError> {
    let row = sqlx::query(
        "SELECT version, created_at, candidate, schema_version, sha256, stored_at FROM models WHERE version = ?",
    )
    .bind(version)
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(model).transpose()
}

/// The newest models, the newest first, at most `limit`.
pub async fn newest(pool: &MySqlPool, limit: u32) -> Result<Vec<Model>, StoreError> {
    let rows = sqlx::query(
        "SELECT version, created_at, candidate, schema_version, sha256, stored_at FROM models \
         ORDER BY version DESC LIMIT ?",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(model).collect()
}

pub(crate) fn model(row: &MySqlRow) -> Result<Model, StoreError> {
    Ok(Model {
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        candidate: row.try_get("candidate")?,
        schema_version: row.try_get("schema_version")?,
        sha256: row.try_get("sha256")?,
        stored_at: row.try_get("stored_at")?,
    })
}
