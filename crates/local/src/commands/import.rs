//! `millrace import`: reference data from files, checked whole and applied in one transaction.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use chrono::Utc;
use clap::{Args, ValueEnum};
use millrace_simulation::SampleOperator;
use millrace_store_mysql::import::{self, ImportError, Imported};
use millrace_store_mysql::{MySqlPool, pool, world};
use millrace_wire::{reference, tariff};

use super::output::print;
use super::simulate;
use crate::CommandError;
use crate::home::Home;
use crate::stack::Stack;

/// The options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// What the file holds, which decides its form
    kind: Kind,
    /// The file
    file: PathBuf,
}

/// A kind of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The operator (JSON)
    Operator,
    /// Versions of tariffs (JSON list)
    Tariffs,
    /// Plans (JSON list)
    Plans,
    /// Accounts (CSV)
    Accounts,
    /// Subscriptions (CSV)
    Subscriptions,
    /// Radio cells (CSV)
    Cells,
    /// Sensors (CSV)
    Sensors,
}

impl Kind {
    fn is_csv(self) -> bool {
        !matches!(self, Self::Operator | Self::Tariffs | Self::Plans)
    }
}

impl Import {
    /// Runs the command: prints how many rows were added, changed, and there already.
    ///
    /// # Errors
    /// When a line of the file is wrong or contradicts what is stored (all of them are named, and nothing changes), or the database
    /// is not there.
    pub async fn run(self) -> Result<(), CommandError> {
        let bytes = std::fs::read(&self.file)
            .map_err(|error| CommandError::input(format!("{}: {error}", self.file.display())))?;
        let pool = connect(&Home::find()?.stack()?)?;
        let imported =
            apply(&pool, self.kind, &bytes).await.map_err(|error| error.of_file(&self.file.display().to_string()))?;
        let Imported { added, changed, unchanged } = imported;
        print(&format!("{added} added, {changed} changed, {unchanged} unchanged\n"))
    }
}

/// Imports the sample operator, unless an operator with sensors is there already, which may be one's own.
///
/// # Errors
/// When the database does not take it.
pub async fn import_sample(stack: &Stack) -> anyhow::Result<()> {
    let pool = connect(stack)?;
    let there = import::stored_operator(&pool).await?.is_some();
    if there && !world::read(&pool, Utc::now().date_naive()).await?.sensors.is_empty() {
        return Ok(());
    }
    let sample =
        SampleOperator::new(simulate::SAMPLE_SEED).map_err(|error| anyhow!("the sample operator is wrong: {error}"))?;
    for file in sample.files() {
        let kind = Kind::from_str(file.kind, false).map_err(|error| anyhow!("the sample's {}: {error}", file.kind))?;
        apply(&pool, kind, &file.bytes)
            .await
            .map_err(|error| anyhow!("{}", error.of_file(&format!("the sample's {}", file.kind))))?;
    }
    pool.close().await;
    Ok(())
}

fn connect(stack: &Stack) -> anyhow::Result<MySqlPool> {
    Ok(pool::connect(&stack.mysql_url(), Some(&stack.services.mysql_password.wrapped()))?)
}

/// Why a file was not imported.
enum Failure {
    /// Everything that is wrong with it, a line each.
    Wrong(Vec<String>),
    /// The database's fault.
    Work(anyhow::Error),
}

impl Failure {
    fn of_file(self, file: &str) -> CommandError {
        match self {
            Self::Work(error) => CommandError::Work(error),
            Self::Wrong(lines) => {
                let mut message = format!("{file} was not imported, and nothing was changed:");
                for line in lines {
                    // Writing to a text does not fail.
                    let _always = write!(message, "\n  {line}");
                }
                CommandError::Input(message)
            }
        }
    }
}

/// Checks a file and applies it.
async fn apply(pool: &MySqlPool, kind: Kind, bytes: &[u8]) -> Result<Imported, Failure> {
    let outcome = match kind {
        Kind::Operator => import::operator(pool, &checked(reference::parse_operator(bytes))?).await,
        Kind::Tariffs => {
            let operator = import::stored_operator(pool).await.map_err(|error| Failure::Work(error.into()))?;
            let operator = operator.ok_or_else(|| {
                Failure::Wrong(vec![
                    "tariffs are in the operator's currency and time zone: import the operator first".into(),
                ])
            })?;
            import::tariffs(pool, &checked(reference::parse_tariffs(bytes, operator.timezone))?, tariff::write).await
        }
        Kind::Plans => import::plans(pool, &checked(reference::parse_plans(bytes))?).await,
        Kind::Accounts => import::accounts(pool, &checked(reference::parse_accounts(bytes))?).await,
        Kind::Subscriptions => import::subscriptions(pool, &checked(reference::parse_subscriptions(bytes))?).await,
        Kind::Cells => import::cells(pool, &checked(reference::parse_cells(bytes))?).await,
        Kind::Sensors => import::sensors(pool, &checked(reference::parse_sensors(bytes))?).await,
    };
    outcome.map_err(|error| match error {
        ImportError::Refused(rows) => Failure::Wrong(
            rows.iter().map(|row| format!("{}{}", place(kind, bytes, row.row, row.field), row.reason)).collect(),
        ),
        ImportError::Store(error) => Failure::Work(error.into()),
    })
}

fn checked<T>(parsed: Result<T, Vec<reference::LineError>>) -> Result<T, Failure> {
    parsed.map_err(|errors| Failure::Wrong(errors.iter().map(ToString::to_string).collect()))
}

/// Where in the file a row's field stands, as errors of form name it too.
fn place(kind: Kind, bytes: &[u8], row: usize, field: &str) -> String {
    if kind.is_csv() {
        let line = reference::line_of_row(bytes, row);
        let line = line.map_or_else(|| format!("row {}", row + 1), |line| format!("line {line}"));
        return if field.is_empty() { format!("{line}, ") } else { format!("{line}, column {field}: ") };
    }
    match (kind, field) {
        (Kind::Operator, "") => String::new(),
        (Kind::Operator, field) => format!("{field}: "),
        (_, "") => format!("[{row}]: "),
        (_, field) => format!("[{row}].{field}: "),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_refused_row_is_named_by_its_line_also_after_lines_that_a_cell_spans() {
        let csv = b"account_id,name\nA1,\"two\nlines\"\n\nA2,x\n";
        assert_eq!(place(Kind::Accounts, csv, 0, "name"), "line 2, column name: ");
        assert_eq!(place(Kind::Accounts, csv, 1, "name"), "line 5, column name: ");
        let windows = b"\xef\xbb\xbfaccount_id,name\r\nA1,a\r\n\r\n\r\nA2,x";
        assert_eq!(place(Kind::Accounts, windows, 0, "name"), "line 2, column name: ");
        assert_eq!(place(Kind::Accounts, windows, 1, ""), "line 5, ");
        assert_eq!(place(Kind::Plans, b"[]", 2, "tariff"), "[2].tariff: ");
        assert_eq!(place(Kind::Operator, b"{}", 0, "currency"), "currency: ");
    }

    #[test]
    fn every_file_of_the_sample_has_a_kind() {
        for file in SampleOperator::new(1).unwrap().files() {
            assert!(Kind::from_str(file.kind, false).is_ok(), "{}", file.kind);
        }
    }
}
