//! The only SQL of Millrace.
//!
//! MySQL keeps the record: what came in on the topics with its effects, the reference data, and how far each partition is. A batch
//! of one partition is one transaction ([`batch`]): rows, rejects, counters and position together, so running it twice changes
//! nothing. Statements stay in the common subset of MySQL 8.4 and MariaDB 10.11.

pub mod accounts;
mod alarms;
mod allowances;
pub mod archive;
pub mod batch;
pub mod billing;
pub mod cache;
pub mod champion;
mod charging;
pub mod customers;
pub mod dashboard;
pub mod fault;
pub mod forecast_alerts;
mod gate;
pub mod import;
mod insert;
mod late_charges;
pub mod leases;
pub mod ledger;
pub mod live_quality;
pub mod models;
pub mod month_partitions;
pub mod pool;
pub mod reference;
pub mod rejects;
pub mod rerate;
pub mod schema;
pub mod scores;
pub mod sensors;
pub mod silence;
pub mod status;
pub mod usage;
pub mod world;

pub use sqlx::MySqlPool;
