//! What can go wrong with documents.

use std::time::Duration;

use millrace_secrets::SecretError;

/// A failure of the document database. None of its messages holds a password.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The address or the name of the database is wrong.
    #[error("{0}")]
    Settings(String),
    /// The sign-in was refused, and the password cannot be read again.
    #[error(transparent)]
    Password(#[from] SecretError),
    /// The database could not be reached, or refused a command.
    #[error("document database: {0}")]
    Database(#[from] mongodb::error::Error),
    /// No answer came in time.
    #[error("document database: no answer within {0:?}")]
    Timeout(Duration),
    /// The database refused some of the documents; this is the first of them.
    #[error("document database: {refused} documents of {collection} were refused, first with error {code}: {message}")]
    Refused {
        /// The collection written to.
        collection: &'static str,
        /// How many documents.
        refused: usize,
        /// The server's error code.
        code: i32,
        /// The server's text.
        message: String,
    },
    /// A stored document does not have the expected shape.
    #[error("document of {collection}: {field}: {reason}")]
    Malformed {
        /// The collection read from.
        collection: &'static str,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}
