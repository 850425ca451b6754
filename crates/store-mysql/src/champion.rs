//! The champion: the one model that scores. It is changed by compare-and-set on the version before it, so that of two changes at
//! once the second finds out, and every change is kept.

use chrono::{DateTime, Utc};
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlConnection, MySqlPool, Row};

use crate::fault::StoreError;
use crate::models::{self, Model};

/// The current champion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Champion {
    /// The model.
    pub model: Model,
    /// Since when it scores.
    pub changed_at: DateTime<Utc>,
}

/// How the champion changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A model took the place.
    Promoted,
    /// The champion before got its place back.
    RolledBack,
}

impl ChangeKind {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// A change of the champion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number, rising.
    pub change_no: u32,
    /// How it came about.
    pub kind: ChangeKind,
    /// The champion after it.
    pub version: u32,
    /// The champion before it; `None`: there was none.
    pub before: Option<u32>,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// By whom or what.
    pub changed_by: String,
    /// Why.
    pub reason: String,
}

/// Why the champion was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Somebody else changed it meanwhile.
    #[error("the champion is {}, expected {}", said(.current), said(.expected))]
    Superseded {
        /// The champion now.
        current: Option<u32>,
        /// The one that was to be replaced.
        expected: Option<u32>,
    },
    /// The version is not known.
    #[error("model version {0} is unknown")]
    Unknown(u32),
    /// The version has no stored artefact: its training did not end.
    #[error("model version {0} has no stored artefact")]
    Incomplete(u32),
    /// The version is the champion.
    #[error("model version {0} is the champion already")]
    Already(u32),
    /// No champion was there before.
    #[error("there is no earlier champion to go back to")]
    NoneBefore,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

fn said(version: &Option<u32>) -> String {
    version.map_or_else(|| "none".into(), |version| format!("version {version}"))
}

/// The champion, `None` when there is none yet.
pub async fn current(pool: &MySqlPool) -> Result<Option<Champion>, StoreError> {
    let row = sqlx::query(
        "SELECT m.version, m.created_at, m.candidate, m.schema_version, m.sha256, m.stored_at, c.changed_at \
         FROM champion c JOIN models m ON m.version = c.version WHERE c.id = 1",
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| Ok(Champion { model: models::model(&row)?, changed_at: row.try_get("changed_at")? })).transpose()
}

/// Makes `version` the champion in the place of `before`. The artefact must be stored ([`models::stored`]); that its bytes are
/// sound is the caller's to see first.
///
/// # Errors
/// Says why not; nothing is changed then.
pub async fn promote(
    pool: &MySqlPool,
    version: u32,
    before: Option<u32>,
    by: &str,
    reason: &str,
) -> Result<(), ChangeError> {
    let mut transaction = pool.begin().await?;
    let current = lock(&mut transaction).await?;
    if current != before {
        return Err(ChangeError::Superseded { current, expected: before });
    }
    if current == Some(version) {
        return Err(ChangeError::Already(version));
    }
    let stored: Option<Option<DateTime<Utc>>> = sqlx::query_scalar("SELECT stored_at FROM models WHERE version = ?")
        .bind(version)
        .fetch_optional(&mut *transaction)
        .await?;
    match stored {
        None => return Err(ChangeError::Unknown(version)),
        Some(None) => return Err(ChangeError::Incomplete(version)),
        Some(Some(_)) => {}
    }
    change(&mut transaction, ChangeKind::Promoted, version, before, by, reason).await?;
    Ok(transaction.commit().await?)
}

/// The version that [`rollback`] would make the champion, `None` when there is none.
pub async fn previous(pool: &MySqlPool) -> Result<Option<u32>, StoreError> {
    Ok(before_last(&mut *pool.acquire().await?).await?)
}

/// Gives the champion before `before`, which must be the current one, its place back, and returns its version. Run again, it goes
/// back further.
///
/// # Errors
/// Says why not; nothing is changed then.
pub async fn rollback(pool: &MySqlPool, before: Option<u32>, by: &str, reason: &str) -> Result<u32, ChangeError> {
    let mut transaction = pool.begin().await?;
    let current = lock(&mut transaction).await?;
    if current != before {
        return Err(ChangeError::Superseded { current, expected: before });
    }
    let version = before_last(&mut transaction).await?.ok_or(ChangeError::NoneBefore)?;
    change(&mut transaction, ChangeKind::RolledBack, version, current, by, reason).await?;
    transaction.commit().await?;
    Ok(version)
}

/// The changes of the champion, the newest first, at most `limit`.
pub async fn history(pool: &MySqlPool, limit: u32) -> Result<Vec<Change>, StoreError> {
    let rows = sqlx::query(
        "SELECT change_no, kind, version, version_before, changed_at, changed_by, reason FROM champion_history \
         ORDER BY change_no DESC LIMIT ?",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read_change).collect()
}

/// Locks the champion's row and reads it.
async fn lock(connection: &mut MySqlConnection) -> Result<Option<u32>, sqlx::Error> {
    sqlx::query_scalar("SELECT version FROM champion WHERE id = 1 FOR UPDATE").fetch_one(connection).await
}

/// A promotion stands on the champion before it, and a rollback takes it off: what is left below the last one.
async fn before_last(connection: &mut MySqlConnection) -> Result<Option<u32>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT kind, version FROM champion_history ORDER BY change_no").fetch_all(connection).await?;
    let mut champions: Vec<u32> = Vec::new();
    for row in rows {
        if row.try_get::<&str, _>("kind")? == ChangeKind::RolledBack.as_str() {
            champions.pop();
        } else {
            champions.push(row.try_get("version")?);
        }
    }
    champions.pop();
    Ok(champions.pop())
}

async fn change(
    connection: &mut MySqlConnection,
    kind: ChangeKind,
    version: u32,
    before: Option<u32>,
    by: &str,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE champion SET version = ?, changed_at = UTC_TIMESTAMP(3) WHERE id = 1")
        .bind(version)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO champion_history (kind, version, version_before, changed_at, changed_by, reason) \
         VALUES (?, ?, ?, UTC_TIMESTAMP(3), ?, ?)",
    )
    .bind(kind.as_str())
    .bind(version)
    .bind(before)
    .bind(by)
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
}

fn read_change(row: &MySqlRow) -> Result<Change, StoreError> {
    let kind: &str = row.try_get("kind")?;
    Ok(Change {
        change_no: row.try_get("change_no")?,
        kind: [ChangeKind::Promoted, ChangeKind::RolledBack]
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| StoreError::Stored(format!("champion_history.kind {kind} is unknown")))?,
        version: row.try_get("version")?,
        before: row.try_get("version_before")?,
        changed_at: row.try_get("changed_at")?,
        changed_by: row.try_get("changed_by")?,
        reason: row.try_get("reason")?,
    })
}
