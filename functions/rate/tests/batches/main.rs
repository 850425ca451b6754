//! The function on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod charges;
mod delivery;
mod faults;
mod support;
