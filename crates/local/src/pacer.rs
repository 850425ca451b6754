//! Even pacing.

use std::time::{Duration, Instant};

/// Spaces steps evenly. After a stall it goes on at the same pace instead of making up for the time that was lost.
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    next: Instant,
}

/// How far behind a step may be and still be made up for.
const SLACK: Duration = Duration::from_millis(200);

impl Pacer {
    /// `rate` steps a second, the first at once.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Self { interval: Duration::from_secs_f64(1.0 / rate), next: Instant::now() }
    }

    /// Blocks the thread until the next step is due.
    pub fn wait(&mut self) {
        let now = Instant::now();
        if self.next > now {
            std::thread::sleep(self.next - now);
        } else if now - self.next > SLACK {
            self.next = now;
        }
        self.next += self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_at_their_rate_and_a_stall_is_not_made_up_for() {
        let started = Instant::now();
        let mut pacer = Pacer::new(1_000.0);
        for _ in 0..100 {
            pacer.wait();
        }
        let first = started.elapsed();
        assert!(first >= Duration::from_millis(99), "{first:?}");
        std::thread::sleep(Duration::from_millis(500));
        let again = Instant::now();
        for _ in 0..100 {
            pacer.wait();
        }
        assert!(again.elapsed() >= Duration::from_millis(90), "{:?}", again.elapsed());
    }
}
