//! The native services: for each one how it is set up, run and asked.

pub mod compose;
pub mod documents;
pub mod java;
pub mod kafka;
mod memory;
pub mod mysql;
pub mod programs;
