//! What tests share: real services and whole stacks, each test with its own.
//!
//! Addresses of services come from `MILLRACE_TEST_*` variables, which `scripts/test` sets.

pub mod batches;
pub mod environment;
pub mod kill;
pub mod mysql;
pub mod pages;
pub mod stack;
