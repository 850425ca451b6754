//! What the end-to-end tests share: records with known outcomes, eyes on the database and hands on the processes.
#![allow(clippy::expect_used, clippy::panic, reason = "a test's set-up has no one to report to but the test")]

pub mod base64;
pub mod customers;
pub mod database;
pub mod independent;
pub mod manifests;
pub mod operator;
pub mod page;
pub mod processes;
pub mod relay;
pub mod usage;

use std::sync::{Mutex, MutexGuard, PoisonError};

static ONE_STACK: Mutex<()> = Mutex::new(());

/// Held by each test that starts a stack: a laptop has room for one at a time.
pub fn one_stack_at_a_time() -> MutexGuard<'static, ()> {
    ONE_STACK.lock().unwrap_or_else(PoisonError::into_inner)
}
