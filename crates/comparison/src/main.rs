//! Our part of the comparison of technologies: what `infra/comparison` runs beside the fits of scikit-learn, Dask-ML and Spark.

mod customers;
mod fit;
mod rows;

use clap::Parser;

/// Our part of the comparison; `scripts/compare` calls it.
#[derive(Debug, Parser)]
enum Part {
    /// Fits one family on the rows of a Parquet file, as the other libraries' workers do
    Fit(fit::Options),
    /// Prints simulated, labelled customers as JSON lines
    Customers(customers::Options),
}

fn main() -> anyhow::Result<()> {
    match Part::parse() {
        Part::Fit(options) => fit::run(&options),
        Part::Customers(options) => customers::run(&options),
    }
}
