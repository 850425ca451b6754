//! Trainings on the real databases and a real S3 server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod data;
mod drift;
mod promotion;
mod runs;
mod world;
