//! Producing to the broker, with an account of what it acknowledged.

mod deliveries;
mod producer;

pub use deliveries::{Delivered, OffsetRanges, PartitionDeliveries};
pub use producer::{Outgoing, Producer, SendError};
