//! Simulated customers, one observation of each, all labelled.

use std::io::{BufWriter, Write, stdout};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Args;
use millrace_domain::identity::CustomerId;
use millrace_simulation::{Parts, World};

/// What to print.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many customers
    #[arg(long)]
    rows: u32,
    /// What they are drawn from
    #[arg(long, default_value_t = 20261121)]
    seed: u64,
}

/// Prints them.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut output = BufWriter::new(stdout().lock());
    let observed_at: DateTime<Utc> = "2026-11-01T00:00:00Z".parse()?;
    let mut index = 0;
    let mut printed = 0;
    while printed < options.rows {
        let customer = CustomerId::parse(&format!("customer-{printed}")).map_err(|error| anyhow::anyhow!("{error}"))?;
        let parts = Parts {
            numbers: Vec::new(),
            cells: Vec::new(),
            sensors: Vec::new(),
            customers: vec![customer],
            timezone: chrono_tz::UTC,
        };
        // A world of its own for each, so that each has a profile of its own.
        let world = World::from_parts(options.seed.wrapping_add(index), parts);
        let snapshot = world.customer_snapshot(index, observed_at).context("a world without customers")?;
        index += 1;
        if snapshot.churn.is_none() {
            continue;
        }
        output.write_all(&millrace_wire::customers::encode(&snapshot))?;
        output.write_all(b"\n")?;
        printed += 1;
    }
    Ok(output.flush()?)
}
