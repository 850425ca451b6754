//! What is measured.

use std::sync::Arc;

/// One value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measurement<'a> {
    /// The metric's namespace, such as `AWS/Lambda`.
    pub namespace: &'a str,
    /// Its name.
    pub metric: &'a str,
    /// What it was measured of: names and values, in any order.
    pub dimensions: &'a [(&'a str, &'a str)],
    /// The value, in the metric's unit.
    pub value: f64,
}

/// Takes measurements as they come.
pub type Sink = Arc<dyn Fn(&Measurement<'_>) + Send + Sync>;
