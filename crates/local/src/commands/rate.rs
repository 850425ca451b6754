//! `millrace rate`: a filter from usage events to charges. It needs no stack.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use millrace_domain::tariffs::Tariff;
use millrace_rating_filter::Filter;
use millrace_wire::tariff;

use crate::CommandError;

/// The options of `rate`.
#[derive(Debug, Args)]
pub struct Rate {
    /// The tariff file
    #[arg(long, value_name = "FILE")]
    tariff: PathBuf,
    /// The day of the month on which cycles begin, by which allowances are spent
    #[arg(long, value_name = "DAY", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=28))]
    cycle_day: u8,
}

impl Rate {
    /// Runs the command.
    ///
    /// # Errors
    /// When the tariff file is bad, which is bad input, and when stdin can't be read or stdout written. A reader that has gone
    /// away (`| head`) is no error.
    pub async fn run(self) -> Result<(), CommandError> {
        let tariff = read(&self.tariff)?;
        tokio::task::spawn_blocking(move || filter(Filter::with_cycle_day(&tariff, self.cycle_day))).await?
    }
}

fn read(path: &Path) -> Result<Tariff, CommandError> {
    let name = path.display();
    let json =
        std::fs::read(path).map_err(|error| CommandError::input(format!("--tariff: {name} can't be read: {error}")))?;
    tariff::parse(&json).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{name}: {problem}")).collect();
        CommandError::input(lines.join("\n"))
    })
}

fn filter(filter: Filter<'_>) -> Result<(), CommandError> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let _ = writeln!(
            std::io::stderr(),
            "millrace: reading usage events from the terminal, one a line; Ctrl-D ends them"
        );
    }
    // The descriptors themselves: the filter reads and writes in large pieces.
    let input = File::from(input.as_fd().try_clone_to_owned().context("can't open stdin")?);
    let output = File::from(std::io::stdout().as_fd().try_clone_to_owned().context("can't open stdout")?);
    match millrace_rating_filter::run(filter, input, output) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("can't read stdin or write stdout")?
        }
        _ => Ok(()),
    }
}
