//! Simulated customers, one observation of each, all labelled.

use std::io::{BufWriter, Write, stdout};

use chrono::{DateTime, Utc};
use clap::Args;
use millrace_simulation::labelled_customers;

/// What to print.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many customers
    #[arg(long)]
    rows: usize,
    /// What they are drawn from
    #[arg(long, default_value_t = 20261121)]
    seed: u64,
}

/// Prints them.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut output = BufWriter::new(stdout().lock());
    let observed_at: DateTime<Utc> = "2026-11-01T00:00:00Z".parse()?;
    for snapshot in labelled_customers(options.seed, observed_at).take(options.rows) {
        output.write_all(&millrace_wire::customers::encode(&snapshot))?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}
