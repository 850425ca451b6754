//! The `millrace` command: it supervises the real services of one machine, drives the functions through the local host,
//! and holds the commands that people use on a running stack.
//!
//! [`home`] says where a stack lives, [`stack`] what it was set up with, [`up`](commands::up) brings it to life.

use std::process::ExitCode;

use clap::Parser;

pub mod accounting;
pub mod cli;
pub mod commands;
pub mod control;
pub mod error;
pub mod given_up;
pub mod home;
pub mod kafka;
pub mod pacer;
pub mod ports;
pub mod project;
pub mod services;
pub mod stack;
pub mod supervisor;
pub mod topics;

pub use error::CommandError;

/// Parses the command line, runs the command, and turns its outcome into the exit status that people rely on: 0 done,
/// 1 the work failed, 2 wrong use or bad input.
#[must_use]
pub fn run() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("millrace: can't start the runtime: {error}");
            return ExitCode::from(1);
        }
    };
    let outcome = runtime.block_on(cli.command.run());
    // A thread that is blocked in a client library must not hold the process.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_quiet() {
                eprintln!("millrace: {error}");
            }
            ExitCode::from(error.exit_status())
        }
    }
}
