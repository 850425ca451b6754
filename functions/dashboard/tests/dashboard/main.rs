//! Requests to the dashboard, over the real stores and a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod business;
mod sessions;
mod site;
mod tail;
