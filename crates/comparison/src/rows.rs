//! Labelled rows of a Parquet file as examples.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::CustomerId;
use millrace_learning::Examples;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

/// Reads a file whose columns are named as the topic's fields, in any order, with numbers for flags. Each row is a customer, unless
/// the file has a column `customer` with their numbers.
///
/// # Errors
/// Names the file, and the row and column that can't be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<Examples> {
    let context = || path.display().to_string();
    let reader = SerializedFileReader::new(File::open(path).with_context(context)?).with_context(context)?;
    let mut examples = Examples::new();
    for (number, row) in reader.get_row_iter(None).with_context(context)?.enumerate() {
        let row = row.with_context(context)?;
        let snapshot = snapshot(number as u64, &row).with_context(|| format!("{}, row {number}", path.display()))?;
        examples.push(&(&snapshot).into(), snapshot.churn.unwrap_or_default());
    }
    Ok(examples)
}

fn snapshot(number: u64, row: &Row) -> anyhow::Result<CustomerSnapshot> {
    let value = |name: &str| {
        let (_, field) =
            row.get_column_iter().find(|(column, _)| *column == name).with_context(|| format!("no column {name}"))?;
        match field {
            Field::Double(value) => Ok(*value),
            Field::Float(value) => Ok(f64::from(*value)),
            Field::Int(value) => Ok(f64::from(*value)),
            Field::Long(value) => Ok(*value as f64),
            Field::Bool(value) => Ok(f64::from(u8::from(*value))),
            other => bail!("{name} is {other}, expected a number"),
        }
    };
    let has_customers = row.get_column_iter().any(|(column, _)| column == "customer");
    let customer = if has_customers { value("customer")? as u64 } else { number };
    let count = |name: &str| value(name).map(|value| value as u32);
    let period = |part: &str| {
        Ok::<_, anyhow::Error>(PeriodUsage {
            minutes: value(&format!("total_{part}_minutes"))?,
            calls: count(&format!("total_{part}_calls"))?,
            charge: value(&format!("total_{part}_charge"))?,
        })
    };
    Ok(CustomerSnapshot {
        customer_id: CustomerId::parse(&customer.to_string()).map_err(|error| anyhow::anyhow!("{error}"))?,
        observed_at: DateTime::<Utc>::UNIX_EPOCH,
        // The other libraries are not given these two either.
        state: "-".into(),
        area_code: 0,
        account_length: count("account_length")?,
        international_plan: value("international_plan")? != 0.0,
        voice_mail_plan: value("voice_mail_plan")? != 0.0,
        number_vmail_messages: count("number_vmail_messages")?,
        day: period("day")?,
        eve: period("eve")?,
        night: period("night")?,
        intl: period("intl")?,
        customer_service_calls: count("customer_service_calls")?,
        churn: Some(value("churn")? != 0.0),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use millrace_churn_model::features::NUMBERS;

    /// Ours has it, with one value for all: a column that does not vary is not read.
    const LEFT_OUT: &str = "area_code";
    /// Ours adds these up itself.
    const SUMS: [&str; 3] = ["total_minutes", "total_calls", "total_charge"];

    #[test]
    fn the_other_libraries_are_given_the_columns_of_a_customer_that_ours_reads() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/comparison/columns.py");
        let python = std::fs::read_to_string(file).unwrap();
        let (_, stored) = python.split_once("STORED = [").unwrap();
        let (stored, _) = stored.split_once(']').unwrap();
        let theirs: BTreeSet<&str> =
            stored.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty()).collect();
        let of_customer = NUMBERS.iter().filter(|feature| !feature.platform).map(|feature| feature.name);
        let ours: BTreeSet<&str> = of_customer.filter(|name| *name != LEFT_OUT && !SUMS.contains(name)).collect();
        assert_eq!(theirs, ours);
    }
}
