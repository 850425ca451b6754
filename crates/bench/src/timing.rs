//! Work that is timed in this process.

use std::time::{Duration, Instant};

use crate::figures::median;

/// How often work is timed: the median counts.
pub(crate) const RUNS: usize = 5;

/// How many of `count` a second: the median of some runs, after one that is not counted.
pub(crate) fn per_second(count: usize, mut work: impl FnMut()) -> f64 {
    work();
    let mut seconds = || {
        let begun = Instant::now();
        work();
        begun.elapsed().max(Duration::from_nanos(1)).as_secs_f64()
    };
    median((0..RUNS).map(|_| count as f64 / seconds()))
}
