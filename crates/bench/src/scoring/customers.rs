//! The labelled customers that the model is trained on and scores.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use chrono::DateTime;
use millrace_domain::customers::CustomerSnapshot;
use millrace_simulation::labelled_customers;
use millrace_test_support::environment;
use millrace_wire::csv_records::{CsvRecords, CustomerDefaults};
use millrace_wire::{Topic, customers};

/// How many are simulated where the public churn file is not at hand.
const SIMULATED: usize = 3_333;
const SEED: u64 = 20_261_121;

/// The customers, with what they are.
pub(super) fn labelled() -> anyhow::Result<(Vec<CustomerSnapshot>, &'static str)> {
    let shared = environment::shared().map(|folder| folder.join("data/churn-bigml-80.csv"));
    match shared.filter(|file| file.is_file()) {
        Some(file) => Ok((read(&file).with_context(|| file.display().to_string())?, "of the public churn file")),
        None => Ok((labelled_customers(SEED, DateTime::UNIX_EPOCH).take(SIMULATED).collect(), "that were simulated")),
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<CustomerSnapshot>> {
    let defaults = CustomerDefaults { stem: "public".into(), observed_at: DateTime::UNIX_EPOCH };
    CsvRecords::new(File::open(file)?, Topic::Customers, defaults)?
        .map(|record| {
            let decoded = customers::decode(&record?.json, DateTime::UNIX_EPOCH);
            decoded.map_err(|rejection| anyhow::anyhow!("{}: {}", rejection.field, rejection.reason))
        })
        .collect()
}
