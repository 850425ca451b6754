//! Runs Lambda functions on a laptop as AWS does.
//!
//! [`Host`] starts ordinary `lambda_runtime` binaries, one process for each instance, and speaks the Lambda Runtime API to
//! them. What a function is and what invokes it stands in its [`Manifest`]: batches of a Kafka topic, schedules, or HTTP
//! requests; [`invoke_routes`] is Lambda's own Invoke API. [`ObjectsServer`] is the S3 of a laptop, in which batches are kept
//! that were given up on.

mod function;
mod function_log;
mod host;
mod http_gateway;
mod instance;
mod invoke_api;
mod kafka_mapping;
mod manifest;
mod memory;
mod objects_server;
mod process_registry;
mod runtime_api;
mod schedule;
mod status;

pub use function::{InvokeAnswer, InvokeError};
pub use host::{Host, HostConfig, HostError};
pub use invoke_api::invoke_routes;
pub use kafka_mapping::mapping_uuid;
pub use manifest::{HttpTrigger, KafkaTrigger, Manifest, ManifestError, ScheduleTrigger, StartingPosition, Trigger};
pub use objects_server::{ObjectsServer, ObjectsServerError};
pub use schedule::{Expression, ExpressionError};
pub use status::{FunctionStatus, HostStatus, LastError, MappingStatus, PartitionStatus, Percentiles, ScheduleStatus};
