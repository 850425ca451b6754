//! What a database error means for the one who ran the statement.

use sqlx::error::DatabaseError;

/// What failed in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused a statement or could not be reached.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A connection string could not be read. The text holds no secret.
    #[error("{0}")]
    Settings(String),
    /// What is stored contradicts itself or cannot be read back.
    #[error("stored data: {0}")]
    Stored(String),
}

/// How to go on after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same transaction may well succeed if it is run again at once: a deadlock, a lock held too long, a key that another
    /// partition inserted meanwhile, a connection that was lost.
    AtOnce,
    /// Nothing in the records is to blame: ask for the batch again later.
    Later,
    /// A value in a record is to blame, and it will be next time.
    Never,
}

impl StoreError {
    /// Whether running the same work again can help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Database(error) => retry(error),
            Self::Migration(_) | Self::Settings(_) | Self::Stored(_) => Retry::Later,
        }
    }
}

/// Whether running the same statement again can help. An error that is not known to come from a record's values counts as the
/// platform's: a missing table or right is mended by people, and no record may be refused because of it.
pub fn retry(error: &sqlx::Error) -> Retry {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Retry::AtOnce
        }
        sqlx::Error::Database(error) => match number(error.as_ref()) {
            // Lock wait timeout; deadlock; duplicate key: another partition was faster.
            1205 | 1213 | 1062 => Retry::AtOnce,
            // Server shutdown; connection killed; query interrupted; record changed since it was read.
            1053 | 1927 | 1317 | 1020 => Retry::AtOnce,
            // Cannot be null; truncated; no partition for the value; check violated (MySQL; MariaDB by its SQLSTATE).
            1048 | 1265 | 1526 | 3819 => Retry::Never,
            4025 if error.code().as_deref() == Some("23000") => Retry::Never,
            // SQLSTATE class 22 is a data exception: too long, out of range, not a value of the type.
            1264 | 1366 | 1292 | 1406 => Retry::Never,
            _ if error.code().is_some_and(|state| state.starts_with("22")) => Retry::Never,
            _ => Retry::Later,
        },
        // A value that has no form in the protocol, such as a year before the first.
        sqlx::Error::Encode(_) => Retry::Never,
        _ => Retry::Later,
    }
}

/// Whether the server refused user or password, somewhere among the causes of an error.
pub fn is_sign_in_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    was_refused(error, 1045)
}

/// Whether a table or a row was held by others for longer than is waited, somewhere among the causes of an error.
pub(crate) fn is_held(error: &(dyn std::error::Error + 'static)) -> bool {
    was_refused(error, 1205)
}

/// Whether the server refused with this error number, somewhere among the causes of an error.
fn was_refused(error: &(dyn std::error::Error + 'static), wanted: u16) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|cause| {
        let refusal = match cause.downcast_ref::<sqlx::Error>() {
            Some(sqlx::Error::Database(refusal)) => Some(refusal),
            // What stands below an error that passes sqlx's own on as it is.
            _ => cause.downcast_ref::<Box<dyn DatabaseError>>(),
        };
        refusal.is_some_and(|refusal| number(refusal.as_ref()) == wanted)
    })
}

/// Whether a column or an index was to be added that is there already.
pub(crate) fn is_there_already(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if [1060, 1061].contains(&number(error.as_ref())))
}

/// The server's error number, 0 when there is none.
fn number(error: &dyn DatabaseError) -> u16 {
    error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map_or(0, sqlx::mysql::MySqlDatabaseError::number)
}

/// The short reason kept with a reject: the server's message without the values that it may quote.
pub(crate) fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            format!("store: error {} ({})", number(error.as_ref()), error.code().unwrap_or_default())
        }
        other => format!("store: {other}"),
    }
}
