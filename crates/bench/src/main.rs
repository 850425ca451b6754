//! Measures Millrace on stacks of its own and writes the figures to `docs/benchmarks.md`. `scripts/bench` builds and runs it.

mod billing;
mod database;
mod events;
mod figures;
mod growth;
mod host;
mod ingest;
mod latency;
mod machine;
mod options;
mod package;
mod processes;
mod producer;
mod rating;
mod report;
mod rerate;
mod scoring;
mod stacks;
mod timing;

use clap::Parser;

fn main() -> anyhow::Result<()> {
    options::Options::parse().run()
}
