//! Shapes that Millrace reads and writes: the records of its topics, the batch in which a function receives them, tariff files
//! and the files of reference data. Everything here turns bytes into types of `millrace-domain` or back; nothing does I/O.
//!
//! A decoder ends in a value or in an answer that names the field and the reason; no bytes make it panic.

pub mod batch;
mod batch_reader;
mod batch_writer;
pub mod csv_records;
pub mod customers;
mod document;
mod fields;
mod number;
mod plain_object;
pub mod reference;
mod rejection;
mod response;
pub mod sensors;
pub mod tariff;
mod tariff_writer;
mod times;
mod topic;
pub mod usage;

pub use rejection::Rejection;
pub use response::{BatchItemFailure, ItemIdentifier, PartialBatchResponse};
pub use topic::Topic;
