//! The function on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod allowances;
mod charges;
mod delivery;
mod faults;
mod gate;
mod rerate;
mod support;
