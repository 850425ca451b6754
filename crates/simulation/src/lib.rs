//! A small, coherent telecom operator that lives from a seed: reference data to import, and the records that its subscribers,
//! sites and customers send.
//!
//! Nothing here reads a clock or draws from the system: seed, index and time are arguments. The record of an index is the same for
//! the same seed, but for its times. [`SampleOperator`] makes the reference data, [`World`] (the sample's, or an operator's own)
//! makes usage events and customers' snapshots, [`Readings`] those of its sensors, and [`Faults`] spoils some of them on purpose.

mod customers;
mod draws;
mod faults;
mod readings;
mod records;
mod sample;
pub mod shape;
mod usage;
mod world;

pub use customers::labelled_customers;
pub use faults::{Faults, LARGEST_SHARE_PCT};
pub use readings::{READING_INTERVAL_S, Readings};
pub use records::{Expected, Record};
pub use sample::{ImportFile, SampleOperator};
pub use world::{Parts, World};
