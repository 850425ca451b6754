//! What to measure, and how long.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};

use crate::{billing, growth, host, ingest, latency, package, rating, report, rerate, scoring};

/// Measures Millrace on stacks of its own and writes the figures to docs/benchmarks.md.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// The benchmarks to run (all when none is named)
    #[arg(value_enum)]
    names: Vec<Benchmark>,
    /// Events of one run of `ingest`
    #[arg(long, default_value_t = 500_000)]
    pub(crate) events: u64,
    /// Runs of `ingest` for each number of partitions; the medians are reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) runs: u8,
    /// Events of one block of `growth`, whose first and last blocks are compared
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) growth_block: u64,
    /// Blocks of `growth`
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(2..))]
    pub(crate) growth_blocks: u8,
    /// Events that `rerate` prices again
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) rerate_events: u64,
    /// Accounts of `bill`, at most 500,000
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    pub(crate) bill_accounts: u32,
    /// Charges that `bill` sums
    #[arg(long, default_value_t = 5_000_000)]
    pub(crate) bill_charges: u64,
    /// Warm invocations of `host`
    #[arg(long, default_value_t = 5_000)]
    pub(crate) invocations: u32,
    /// Starts of an instance in `host`, and of each function in `package`
    #[arg(long, default_value_t = 20)]
    pub(crate) starts: u32,
    /// How long `latency` produces at each rate, and how long `host` watches the idle stack, in seconds
    #[arg(long, default_value_t = 30)]
    pub(crate) seconds: u32,
    /// Events of `rate`
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) rated_events: u64,
    /// Single customers that `score` scores
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..))]
    pub(crate) scored: u32,
    /// A Python with the packages of crates/bench/python-consumer/requirements.txt; without it that peer is left out
    #[arg(long, env = "MILLRACE_BENCH_PYTHON")]
    pub(crate) python: Option<PathBuf>,
    /// A Python with the packages of infra/comparison/requirements.txt; without it the peers of `score` are left out
    #[arg(long, env = "MILLRACE_BENCH_LEARNING_PYTHON")]
    pub(crate) learning_python: Option<PathBuf>,
    /// The folder with each function's package, FUNCTION/bootstrap.zip; without it `package` leaves their sizes out
    #[arg(long, env = "MILLRACE_BENCH_PACKAGES")]
    pub(crate) packages: Option<PathBuf>,
    /// The folder with the functions, and with examples/probe, built for this machine as packages are: `package` starts them
    #[arg(long, env = "MILLRACE_BENCH_STARTED")]
    pub(crate) started: Option<PathBuf>,
    /// The file whose sections are replaced (docs/benchmarks.md of the clone when not given)
    #[arg(long)]
    output: Option<PathBuf>,
}

/// One benchmark: one section of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Benchmark {
    /// Events in Kafka to rows in MySQL, beside LOAD DATA and a Python consumer
    Ingest,
    /// The same while the table grows
    Growth,
    /// Pricing stored events again
    Rerate,
    /// Closing a billing cycle
    Bill,
    /// What the local host costs, and the stack without traffic
    Host,
    /// Functions' packages for Lambda, and their starts beside a bare `lambda_runtime` binary, without a stack
    Package,
    /// From the broker's timestamp to the commit
    Latency,
    /// Usage events to charges by `millrace rate` and its library, without a stack
    Rate,
    /// Customers to churn scores with their reasons, without a stack, beside scikit-learn and ONNX Runtime
    Score,
}

impl Benchmark {
    /// Every benchmark, in the order of the file's sections.
    pub(crate) const ALL: [Benchmark; 9] = [
        Benchmark::Ingest,
        Benchmark::Growth,
        Benchmark::Rerate,
        Benchmark::Bill,
        Benchmark::Host,
        Benchmark::Package,
        Benchmark::Latency,
        Benchmark::Rate,
        Benchmark::Score,
    ];

    /// Its name on the command line and in the file's marks.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Growth => "growth",
            Self::Rerate => "rerate",
            Self::Bill => "bill",
            Self::Host => "host",
            Self::Package => "package",
            Self::Latency => "latency",
            Self::Rate => "rate",
            Self::Score => "score",
        }
    }
}

impl Options {
    /// Runs what was named; each section is written as soon as it is measured.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let output = match &self.output {
            Some(path) => path.clone(),
            None => millrace_test_support::stack::project_root().join("docs/benchmarks.md"),
        };
        for benchmark in Benchmark::ALL {
            if !self.names.is_empty() && !self.names.contains(&benchmark) {
                continue;
            }
            eprintln!("{}", benchmark.name());
            let section = match benchmark {
                Benchmark::Ingest => ingest::measure(self),
                Benchmark::Growth => growth::measure(self),
                Benchmark::Rerate => rerate::measure(self),
                Benchmark::Bill => billing::measure(self),
                Benchmark::Host => host::measure(self),
                Benchmark::Package => package::measure(self),
                Benchmark::Latency => latency::measure(self),
                Benchmark::Rate => rating::measure(self),
                Benchmark::Score => scoring::measure(self),
            };
            let section = section.with_context(|| format!("benchmark {}", benchmark.name()))?;
            report::write(&output, benchmark, &section)?;
            println!("{section}");
        }
        Ok(())
    }
}
