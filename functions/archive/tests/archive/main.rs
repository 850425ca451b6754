//! The archive of a small operator, on a real database and a real S3 server.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod days;
mod dropping;
mod support;
