//! One file for each command: its options (`clap::Args`) and an `async fn run(self) -> Result<(), CommandError>`.

mod arguments;
mod database;
mod outlet;
mod output;

pub mod bill;
pub mod credit;
pub mod down;
pub mod evaluate;
pub mod forecast;
pub mod given_up;
pub mod import;
pub mod invoice;
pub mod invoke;
pub mod models;
pub mod pause;
pub mod rate;
pub mod rejects;
pub mod replay;
pub mod rerate;
pub mod simulate;
pub mod status;
pub mod test_environment;
pub mod up;
