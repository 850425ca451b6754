//! Tariffs: what a usage event costs. Exact decimals throughout.

/// A checked tariff.
#[derive(Debug, Clone, PartialEq)]
pub struct Tariff {}
