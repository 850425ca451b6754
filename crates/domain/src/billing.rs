//! Invoices: what they say, and how a cycle's fees and charges become one.
//!
//! [`lines`] makes the lines of an account's cycle of its subscriptions and of the exact sums of its charges, [`issue`] an invoice
//! of them, [`cancel`] the credit note that takes an invoice back.

mod invoice;
mod issue;
mod itemised;
mod lines;
mod money;

pub use invoice::{Invoice, InvoiceLine, LineKind, Party, Status};
pub use issue::{Billed, Issuance, cancel, invoice_number, issue};
pub use itemised::ItemisedCharge;
pub use lines::{Charges, CreditSum, Fee, UsageSum, lines};
pub use money::{OutOfRange, Totals, prorated, totals};
