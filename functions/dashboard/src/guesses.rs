//! Slows down who guesses the password: after some wrong ones an address waits longer and longer.
//!
//! Each process counts for itself: with a function's few instances that leaves a guesser some tries a minute, which is nothing
//! against a password of any length.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords that cost nothing.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// Without a try for so long, an address begins anew.
const FORGOTTEN: Duration = Duration::from_secs(900);
/// Addresses that are remembered.
const REMEMBERED: usize = 10_000;

/// Wrong passwords by address.
#[derive(Default)]
pub(crate) struct Guesses {
    failures: Mutex<HashMap<String, Failures>>,
}

struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn wait(&self) -> Duration {
        match self.count.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(beyond) => Duration::from_secs(1 << beyond.min(6)).min(LONGEST),
        }
    }
}

impl Guesses {
    /// How long the address still has to wait, `None` when it may try.
    pub(crate) fn wait(&self, address: &str, now: Instant) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = failures.get(address)?;
        let left = failure.wait().checked_sub(now.saturating_duration_since(failure.last))?;
        (!left.is_zero()).then_some(left)
    }

    /// Notes a wrong password.
    pub(crate) fn wrong(&self, address: &str, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|_, failure| now.saturating_duration_since(failure.last) < FORGOTTEN);
        if failures.len() >= REMEMBERED {
            failures.clear();
        }
        let failure = failures.entry(address.to_owned()).or_insert(Failures { count: 0, last: now });
        failure.count = failure.count.saturating_add(1);
        failure.last = now;
    }

    /// Forgets an address that knew the password.
    pub(crate) fn right(&self, address: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_longer_after_each_wrong_password_and_others_do_not() {
        let guesses = Guesses::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..13 {
            guesses.wrong("a", now);
            let wait = guesses.wait("a", now).unwrap_or_default();
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(guesses.wait("a", now), None, "the wait is over");
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(guesses.wait("b", now), None);
        guesses.wrong("a", now);
        guesses.right("a");
        assert_eq!(guesses.wait("a", now), None);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for _ in 0..20 {
            guesses.wrong("a", now);
        }
        guesses.wrong("a", now + FORGOTTEN);
        assert_eq!(guesses.wait("a", now + FORGOTTEN), None);
    }
}
