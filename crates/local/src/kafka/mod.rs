//! Producing to the stack's broker, with an account of what it acknowledged, and to clusters of MSK.

mod deliveries;
mod producer;

use millrace_msk::Cluster;

use crate::CommandError;

pub use deliveries::{Delivered, OffsetRanges, PartitionDeliveries};
pub use producer::{Outgoing, Producer, SendError};

/// Connects to the cluster of MSK that the option `--cluster-arn` names.
///
/// # Errors
/// When it names none, or its brokers cannot be found or do not answer.
pub async fn msk_producer(cluster_arn: &str) -> Result<millrace_msk::Producer, CommandError> {
    let cluster = Cluster::new(cluster_arn).map_err(|error| CommandError::input(format!("--cluster-arn: {error}")))?;
    Ok(millrace_msk::Producer::connect(&cluster).await?)
}
