//! The command line's grammar; each command's own options stand in its file under `commands/`.

use clap::{Parser, Subcommand};

use crate::{CommandError, commands};

/// Millrace: a telecom operator's real-time data platform, on one machine.
#[derive(Debug, Parser)]
#[command(name = "millrace", version, about, max_term_width = 100)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// What `millrace` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the real services and every function, and keep them running
    Up(commands::up::Up),
    /// Stop the stack in order
    Down(commands::down::Down),
    /// Show the state of the stack: services, topics, functions, addresses
    Status(commands::status::Status),
    /// Send seeded, realistic records to the topics
    Simulate(commands::simulate::Simulate),
    /// Send a file's records to a topic
    Replay(commands::replay::Replay),
    /// Import reference data and payments
    Import(commands::import::Import),
    /// Price usage events by a tariff file: a filter from JSON lines on stdin to charges on stdout
    Rate(commands::rate::Rate),
    /// Price stored events again by the tariffs in force, unrated ones too
    Rerate(commands::rerate::Rerate),
    /// Close a billing cycle and issue its invoices
    Bill(commands::bill::Bill),
    /// Issue the credit note that cancels an invoice
    Credit(commands::credit::Credit),
    /// One invoice with its lines, as JSON, CSV, HTML, PDF or UBL, or the usage behind it
    Invoice(commands::invoice::Invoice),
    /// Forecast one hourly series of a CSV file (time,value), with bands that hold 80 % of outcomes
    Forecast(commands::forecast::Forecast),
    /// The trained churn models: list them, show one, promote one, roll back
    Models(commands::models::Models),
    /// Fit every churn candidate on one file of labelled customers and measure it on another
    Evaluate(commands::evaluate::Evaluate),
    /// Invoke a function through the local host and print its answer
    Invoke(commands::invoke::Invoke),
    /// Stop feeding a function from Kafka; its records wait there
    Pause(commands::pause::Pause),
    /// Feed a paused function again, from where it ended
    Resume(commands::pause::Resume),
    /// What was refused and why; replay sends it to its topic again
    Rejects(commands::rejects::Rejects),
    /// Batches that were given up on after their retries; replay sends their records to their topic again
    GivenUp(commands::given_up::GivenUp),
    /// Fit one churn candidate in a process of its own, for `evaluate`
    #[command(hide = true)]
    FitCandidate(commands::evaluate::candidate::FitCandidate),
    /// Print where the services are, for tests
    #[command(hide = true)]
    TestEnvironment(commands::test_environment::TestEnvironment),
}

impl Command {
    /// Runs the command to its end.
    ///
    /// # Errors
    /// Whatever the command reports; see [`CommandError::exit_status`].
    pub async fn run(self) -> Result<(), CommandError> {
        match self {
            Self::Up(command) => command.run().await,
            Self::Down(command) => command.run().await,
            Self::Status(command) => command.run().await,
            Self::Simulate(command) => command.run().await,
            Self::Replay(command) => command.run().await,
            Self::Import(command) => command.run().await,
            Self::Rate(command) => command.run().await,
            Self::Rerate(command) => command.run().await,
            Self::Bill(command) => command.run().await,
            Self::Credit(command) => command.run().await,
            Self::Invoice(command) => command.run().await,
            Self::Forecast(command) => command.run().await,
            Self::Models(command) => command.run().await,
            Self::Evaluate(command) => command.run().await,
            Self::Invoke(command) => command.run().await,
            Self::Pause(command) => command.run().await,
            Self::Resume(command) => command.run().await,
            Self::Rejects(command) => command.run().await,
            Self::GivenUp(command) => command.run().await,
            Self::FitCandidate(command) => command.run().await,
            Self::TestEnvironment(command) => command.run(),
        }
    }
}
