//! Random draws that can be repeated: each record has a generator of its own, made from the seed, its stream and its index.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a generator is for. Streams never share draws, so that adding to one leaves the others as they were.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Sample = 1,
    Habits = 2,
    Usage = 3,
    Readings = 4,
    Overheating = 5,
    Profiles = 6,
    Customers = 7,
    Faults = 8,
}

/// The generator of one thing of a stream.
pub(crate) fn generator(seed: u64, stream: Stream, index: u64) -> ChaCha8Rng {
    let mut key = [0_u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// Distributions on top of a uniform generator.
pub(crate) trait Draws: RngExt {
    /// Uniform in `0.0..1.0`.
    fn unit(&mut self) -> f64 {
        self.random::<f64>()
    }

    /// True with probability `p`.
    fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform in `low..high`.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in `0..count`; 0 when there is nothing to choose from.
    fn below(&mut self, count: usize) -> usize {
        if count < 2 { 0 } else { self.random_range(0..count) }
    }

    /// One of `choices`, of which there is at least one.
    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Log-normal around its median.
    fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Poisson by Knuth's product; for means of a few.
    fn poisson(&mut self, mean: f64) -> u32 {
        let floor = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > floor {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// An index into `weights`, each as likely as its weight.
    fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }
}

impl<R: RngExt> Draws for R {}

/// Rounds half away from zero to `decimals`.
pub(crate) fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}
