//! Closing billing cycles, and invoices.
//!
//! A cycle is closed for an account in one short transaction that locks the cycle gate ([`close`]); from then on its charges stay as
//! they are. Its invoice is issued later ([`invoice`]), in a transaction that takes the number, writes the invoice and notes that the
//! cycle is invoiced: whatever ends a run, the next one goes on from there. Bill and re-rating exclude each other by the lease
//! [`leases::BILLING`](crate::leases::BILLING), which every transaction looks at again.

mod cancel;
mod close;
mod corrections;
mod due;
mod invoicing;
mod itemised;
mod numbers;
mod read;
mod rows;
mod turn;
mod write;

use crate::fault::StoreError;

pub use cancel::cancel;
pub use close::{Closed, close, cycle_days, unfinished};
pub use invoicing::{Invoiced, Progress, invoice};
pub use itemised::{ItemisedError, itemised};
pub use read::{progress, read};
pub use turn::in_turn;

/// Why a cycle was not closed, or an invoice not issued.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// The database's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody has imported the operator.
    #[error("there is no operator to bill for: import one first")]
    NoOperator,
    /// Another run, or re-rating, has been at work for too long.
    #[error("another billing run or a re-rating is at work: try again when it is done")]
    Busy,
    /// Another one took its turn, as this one did not renew it in time.
    #[error("another billing run or a re-rating came in between: what is done is kept, the same command goes on")]
    Interrupted,
    /// A sum has more digits than money can have.
    #[error("account {account_id}: a sum of money is out of range")]
    OutOfRange {
        /// Whose invoice it would be.
        account_id: String,
    },
    /// There is no such invoice.
    #[error("there is no invoice {0}")]
    Unknown(String),
    /// Credit notes that cancel an invoice cannot be cancelled.
    #[error("{number} is a credit note: it cancels {cancels}")]
    IsCreditNote {
        /// The credit note.
        number: String,
        /// What it cancels.
        cancels: String,
    },
    /// It is cancelled already.
    #[error("{number} is cancelled already, by {by}")]
    Cancelled {
        /// The invoice.
        number: String,
        /// The credit note.
        by: String,
    },
}

impl From<sqlx::Error> for BillingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
