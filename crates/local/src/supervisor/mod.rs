//! The supervisor: the process that `up` becomes.

pub mod alarms;
pub mod control_api;
pub mod engine;
pub mod environment;
pub mod lock;
pub mod logging;
pub mod memory;
pub mod process;
pub mod process_log;
pub mod report;
pub mod run;
pub mod service;
pub mod simulator;
pub mod state;
pub mod webhook;
