//! Runs of the cache over batches that were stored as the functions store them, on the real databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod checks;
mod revenue;
mod runs;
mod scores;
mod sums;
mod world;
