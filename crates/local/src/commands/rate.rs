//! `millrace rate`: a filter from usage events to charges. It needs no stack.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use millrace_domain::tariffs::Tariff;
use millrace_wire::tariff;

use crate::CommandError;

/// The options of `rate`.
#[derive(Debug, Args)]
pub struct Rate {
    /// The tariff file
    #[arg(long, value_name = "FILE")]
    tariff: PathBuf,
}

impl Rate {
    /// Runs the command.
    ///
    /// # Errors
    /// When the tariff file is bad, which is bad input, and when stdin can't be read or stdout written. A reader that has gone
    /// away (`| head`) is no error.
    pub async fn run(self) -> Result<(), CommandError> {
        let tariff = read(&self.tariff)?;
        tokio::task::spawn_blocking(move || filter(&tariff)).await?
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

fn filter(tariff: &Tariff) -> Result<(), CommandError> {
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
    match millrace_rating_filter::run(tariff, input, output) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("can't read stdin or write stdout")?
        }
        _ => Ok(()),
    }
}
