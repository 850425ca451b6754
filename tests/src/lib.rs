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
use std::time::Duration;

use millrace_test_support::stack::Stack;
use serde_json::Value;

static ONE_STACK: Mutex<()> = Mutex::new(());

/// Held by each test that starts a stack: a laptop has room for one at a time.
pub fn one_stack_at_a_time() -> MutexGuard<'static, ()> {
    ONE_STACK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Invokes `cache` until a run had its turn, which its schedule's may have, and has caught up; its answer.
pub fn cache_caught_up(stack: &Stack) -> Value {
    let mut answer = Value::Null;
    stack.wait_until("the cache to catch up", Duration::from_secs(120), |stack| {
        answer = serde_json::from_str(&stack.succeed(["invoke", "cache"])).expect("its answer is JSON");
        answer["ran"] == true && answer["complete"] == true
    });
    answer
}
