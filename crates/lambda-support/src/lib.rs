//! What every function shares: settings from the environment and their secrets, logs, metrics, and the loop over a batch's partitions.

pub mod batch_loop;
pub mod invocation;
pub mod logs;
pub mod metrics;
pub mod mysql;
pub mod settings;
