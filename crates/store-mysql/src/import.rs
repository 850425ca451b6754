//! Imports of reference data and payments. A file's rows are checked against what is stored, then applied in one transaction that
//! raises the version of the reference data: a wrong row changes nothing, and rows that are absent from the file stay.

mod accounts;
mod closed;
mod payments;
mod places;
mod tariffs;

use std::collections::HashMap;

use sqlx::mysql::MySqlRow;
use sqlx::{MySqlConnection, MySqlPool, MySqlTransaction, Row as _};

use crate::fault::StoreError;
use crate::insert::{self, Row, Statement};

pub use accounts::{accounts, subscriptions};
pub use payments::payments;
pub use places::{cells, sensors};
pub use tariffs::{operator, plans, stored_operator, tariffs};

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Rows that were not there.
    pub added: u64,
    /// Rows that were there and said something else.
    pub changed: u64,
    /// Rows that were there as they are.
    pub unchanged: u64,
}

/// Why an import changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Rows contradict what is stored, or one another.
    #[error("{} rows contradict what is stored", .0.len())]
    Refused(Vec<RowError>),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Its place among the rows, from 0.
    pub row: usize,
    /// The field.
    pub field: &'static str,
    /// What was expected.
    pub reason: String,
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Where an import goes, and whether it is to be applied.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pool: &'a MySqlPool,
    apply: bool,
}

impl<'a> Target<'a> {
    /// Only tells what would be refused: for the sound rows of a file that has others.
    pub fn check_only(pool: &'a MySqlPool) -> Self {
        Self { pool, apply: false }
    }
}

impl<'a> From<&'a MySqlPool> for Target<'a> {
    fn from(pool: &'a MySqlPool) -> Self {
        Self { pool, apply: true }
    }
}

/// The transaction of an import, with what it has found so far.
struct Import {
    transaction: MySqlTransaction<'static>,
    apply: bool,
    imported: Imported,
    errors: Vec<RowError>,
}

impl Import {
    /// Begins, and waits for an import that is under way.
    async fn begin(target: impl Into<Target<'_>>) -> Result<Self, ImportError> {
        let Target { pool, apply } = target.into();
        let mut transaction = pool.begin().await?;
        sqlx::query("UPDATE reference_version SET version = version + 1 WHERE id = 1")
            .execute(&mut *transaction)
            .await?;
        Ok(Self { transaction, apply, imported: Imported::default(), errors: Vec::new() })
    }

    fn connection(&mut self) -> &mut MySqlConnection {
        &mut self.transaction
    }

    fn refuse(&mut self, row: usize, field: &'static str, reason: impl Into<String>) {
        self.errors.push(RowError { row, field, reason: reason.into() });
    }

    /// Counts a row, given what is stored under its identity, and tells whether it is to be written.
    fn differs<T: PartialEq>(&mut self, row: &T, stored: Option<&T>) -> bool {
        match stored {
            None => self.imported.added += 1,
            Some(stored) if stored == row => {
                self.imported.unchanged += 1;
                return false;
            }
            Some(_) => self.imported.changed += 1,
        }
        true
    }

    /// Writes rows, unless something was refused, and commits. `rows` are named by their place among those of the import.
    async fn finish<R: Row + Sync>(
        mut self,
        statement: &Statement,
        rows: Vec<(usize, R)>,
    ) -> Result<Imported, ImportError> {
        if self.errors.is_empty() && self.apply {
            let (places, rows): (Vec<usize>, Vec<R>) = rows.into_iter().unzip();
            for refused in insert::insert(&mut self.transaction, statement, &rows).await? {
                self.refuse(places[refused.row], "", refused.reason);
            }
        }
        if self.errors.is_empty() && self.apply {
            self.transaction.commit().await?;
        } else {
            self.transaction.rollback().await?;
        }
        if self.errors.is_empty() {
            return Ok(self.imported);
        }
        self.errors.sort_by_key(|error| error.row);
        Err(ImportError::Refused(self.errors))
    }
}

/// The numbers under which names are stored: the first column by the second's text.
fn numbers_by_name(rows: &[MySqlRow]) -> Result<HashMap<String, u32>, sqlx::Error> {
    rows.iter().map(|row| Ok((row.try_get(1)?, row.try_get(0)?))).collect()
}
