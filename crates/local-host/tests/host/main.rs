//! The local host with real processes, a real Kafka and a real S3 server, held against what AWS documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod gateway;
mod invocations;
mod invoke_api;
mod kafka;
mod leftovers;
mod limits;
mod mapping;
mod mapping_failures;
mod mapping_topics;
mod metrics;
mod objects;
mod schedules;
mod support;
