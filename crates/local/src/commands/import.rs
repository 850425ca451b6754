//! `millrace import`: reference data and payments from files, checked whole and applied in one transaction.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use chrono::Utc;
use clap::{Args, ValueEnum};
use millrace_simulation::SampleOperator;
use millrace_store_mysql::import::{self, ImportError, Imported, RowError, Target};
use millrace_store_mysql::{MySqlPool, world};
use millrace_wire::reference::{self, Faulty, LineError};
use millrace_wire::tariff;

use super::database::{self, Database};
use super::output::print;
use super::simulate;
use crate::CommandError;
use crate::stack::Stack;

/// The options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// What the file holds, which decides its form
    kind: Kind,
    /// The file
    file: PathBuf,
    #[command(flatten)]
    database: Database,
}

/// What a file holds.
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
    /// Payments of invoices (CSV)
    Payments,
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
        let pool = self.database.pool().await?;
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
    let pool = database::of_stack(stack)?;
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
    let file = File { pool, kind, bytes };
    match kind {
        Kind::Operator => {
            let operator = reference::parse_operator(bytes)
                .map_err(|errors| Failure::Wrong(errors.iter().map(ToString::to_string).collect()))?;
            import::operator(pool, &operator).await.map_err(|error| file.refused(error))
        }
        Kind::Tariffs => {
            let operator = import::stored_operator(pool).await.map_err(|error| Failure::Work(error.into()))?;
            let operator = operator.ok_or_else(|| {
                Failure::Wrong(vec![
                    "tariffs are in the operator's currency and time zone: import the operator first".into(),
                ])
            })?;
            let parsed = reference::parse_tariffs(bytes, operator.timezone);
            file.import(parsed, async |target, rows| import::tariffs(target, rows, tariff::write).await).await
        }
        Kind::Plans => file.import(reference::parse_plans(bytes), import::plans).await,
        Kind::Accounts => file.import(reference::parse_accounts(bytes), import::accounts).await,
        Kind::Subscriptions => file.import(reference::parse_subscriptions(bytes), import::subscriptions).await,
        Kind::Cells => file.import(reference::parse_cells(bytes), import::cells).await,
        Kind::Sensors => file.import(reference::parse_sensors(bytes), import::sensors).await,
        Kind::Payments => file.import(reference::parse_payments(bytes), import::payments).await,
    }
}

/// A file that is being imported.
struct File<'a> {
    pool: &'a MySqlPool,
    kind: Kind,
    bytes: &'a [u8],
}

impl<'p> File<'p> {
    /// Applies the rows of a file. Of a faulty one, the sound rows are checked against the store too, so that everything that is
    /// wrong with it is told at once.
    async fn import<T>(
        &self,
        parsed: Result<Vec<T>, Faulty<T>>,
        import: impl AsyncFn(Target<'p>, &[T]) -> Result<Imported, ImportError>,
    ) -> Result<Imported, Failure> {
        let Faulty { mut errors, sound } = match parsed {
            Ok(rows) => return import(self.pool.into(), &rows).await.map_err(|error| self.refused(error)),
            Err(faulty) => faulty,
        };
        let (places, rows): (Vec<u64>, Vec<T>) = sound.into_iter().unzip();
        match import(Target::check_only(self.pool), &rows).await {
            Ok(_) => {}
            Err(ImportError::Store(error)) => return Err(Failure::Work(error.into())),
            Err(ImportError::Refused(refused)) => {
                for row in refused {
                    let error = self.error_at(places.get(row.row).copied().unwrap_or_default(), &row);
                    // What contradicts another row of the file was told of it already.
                    if !errors.iter().any(|told| (told.line, &told.column) == (error.line, &error.column)) {
                        errors.push(error);
                    }
                }
            }
        }
        errors.sort_by_key(|error| error.line);
        Err(Failure::Wrong(errors.iter().map(ToString::to_string).collect()))
    }

    /// What the store refused of a file that could be read.
    fn refused(&self, error: ImportError) -> Failure {
        match error {
            ImportError::Refused(rows) => {
                Failure::Wrong(rows.iter().map(|row| self.error_at(self.place_of(row.row), row).to_string()).collect())
            }
            ImportError::Store(error) => Failure::Work(error.into()),
        }
    }

    /// A row's line in a CSV file, its place in a JSON list.
    fn place_of(&self, row: usize) -> u64 {
        if self.kind.is_csv() { reference::line_of_row(self.bytes, row).unwrap_or_default() } else { row as u64 }
    }

    /// What is wrong with a row at a place, named as errors of form are.
    fn error_at(&self, place: u64, row: &RowError) -> LineError {
        let line = self.kind.is_csv().then_some(place);
        let column = match (self.kind, row.field) {
            (kind, field) if kind.is_csv() || kind == Kind::Operator => field.to_owned(),
            (_, "") => format!("[{place}]"),
            (_, field) => format!("[{place}].{field}"),
        };
        LineError { line, column, reason: row.reason.clone() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use millrace_store_mysql::pool;

    use super::*;

    #[tokio::test]
    async fn a_refused_row_is_named_by_its_line_also_after_lines_that_a_cell_spans() {
        let pool = pool::connect("mysql://user@127.0.0.1:1/never", None).unwrap();
        let told = |kind, bytes: &[u8], row, field| {
            let file = File { pool: &pool, kind, bytes };
            file.error_at(file.place_of(row), &RowError { row, field, reason: "is wrong".into() }).to_string()
        };
        let csv = b"account_id,name\nA1,\"two\nlines\"\n\nA2,x\n";
        assert_eq!(told(Kind::Accounts, csv, 0, "name"), "line 2, column name: is wrong");
        assert_eq!(told(Kind::Accounts, csv, 1, "name"), "line 5, column name: is wrong");
        let windows = b"\xef\xbb\xbfaccount_id,name\r\nA1,a\r\n\r\n\r\nA2,x";
        assert_eq!(told(Kind::Payments, windows, 0, "name"), "line 2, column name: is wrong");
        assert_eq!(told(Kind::Accounts, windows, 1, ""), "line 5, is wrong");
        assert_eq!(told(Kind::Plans, b"[]", 2, "tariff"), "[2].tariff: is wrong");
        assert_eq!(told(Kind::Plans, b"[]", 2, ""), "[2]: is wrong");
        assert_eq!(told(Kind::Operator, b"{}", 0, "currency"), "currency: is wrong");
    }

    #[test]
    fn every_file_of_the_sample_has_a_kind() {
        for file in SampleOperator::new(1).unwrap().files() {
            assert!(Kind::from_str(file.kind, false).is_ok(), "{}", file.kind);
        }
    }
}
