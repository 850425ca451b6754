//! Labelled customers from a CSV file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use chrono::{DateTime, Utc};
use millrace_churn_model::Observation;
use millrace_domain::customers::CustomerSnapshot;
use millrace_learning::Examples;
use millrace_wire::csv_records::{CsvRecords, CustomerDefaults};
use millrace_wire::{Topic, customers};

use crate::CommandError;

/// What is read from a file at once.
const BUFFER: usize = 1 << 20;

/// Checks that a file can be opened.
pub(super) fn check_opens(option: &str, path: &Path) -> Result<(), CommandError> {
    open(option, path).map(drop)
}

/// A file's customers as examples: one after another, never all of them at once.
pub(super) fn examples(option: &str, path: &Path) -> Result<Examples, CommandError> {
    let mut examples = Examples::new();
    for_each(option, path, |customer, churned| examples.push(&Observation::from(&customer), churned))?;
    Ok(examples)
}

/// A file's customers.
pub(super) fn read(option: &str, path: &Path) -> Result<Vec<CustomerSnapshot>, CommandError> {
    let mut customers = Vec::new();
    for_each(option, path, |customer, _| customers.push(customer))?;
    Ok(customers)
}

fn open(option: &str, path: &Path) -> Result<File, CommandError> {
    let wrong =
        |error: std::io::Error| CommandError::input(format!("{option}: {} can't be read: {error}", path.display()));
    let file = File::open(path).map_err(wrong)?;
    if path.is_dir() { Err(wrong(std::io::ErrorKind::IsADirectory.into())) } else { Ok(file) }
}

fn for_each(option: &str, path: &Path, mut take: impl FnMut(CustomerSnapshot, bool)) -> Result<(), CommandError> {
    let wrong = |error: &dyn std::fmt::Display| CommandError::input(format!("{option}: {}: {error}", path.display()));
    let file = BufReader::with_capacity(BUFFER, open(option, path)?);
    // The names and the time of customers who have none mean nothing here; they are the same in each run.
    let defaults = CustomerDefaults { stem: "row".to_owned(), observed_at: DateTime::UNIX_EPOCH };
    let mut records = CsvRecords::new(file, Topic::Customers, defaults).map_err(|error| wrong(&error))?;
    let now = Utc::now();
    while let Some(record) = records.next() {
        let record = record.map_err(|error| wrong(&error))?;
        let line = records.line();
        let customer = customers::decode(&record.json, now)
            .map_err(|rejection| wrong(&format_args!("line {line}: {rejection}")))?;
        let Some(churned) = customer.churn else {
            return Err(wrong(&format_args!("line {line}: churn: expected True or False")));
        };
        take(customer, churned);
    }
    Ok(())
}
