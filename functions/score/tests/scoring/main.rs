//! Customer snapshots and their scores, on the real databases and an object store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alerts;
mod artefacts;
mod documents;
mod left;
mod scores;
mod snapshots;
mod world;
