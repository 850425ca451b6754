//! `millrace invoice`: an invoice as a document, or the usage behind it.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use millrace_domain::billing::Invoice as Document;
use millrace_invoices::ItemisedUsage;
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::billing::{self, BillingError, ItemisedError};

use super::database::Database;
use crate::CommandError;

/// The options of `invoice`.
#[derive(Debug, Args)]
pub struct Invoice {
    /// Its number, such as MR2026-00000001
    number: String,
    /// The form of the document
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// The events behind its lines instead of the document, as CSV
    #[arg(long, conflicts_with = "format")]
    usage: bool,
    /// Write to this file instead of to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

/// The forms of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON document with all that is known of it
    Json,
    /// A page to print on A4
    Html,
    /// A row for each line
    Csv,
    /// PDF/A with its fonts inside
    Pdf,
    /// UBL 2.1 XML with the fields of EN 16931
    Ubl,
}

impl Invoice {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no stack or no such invoice (bad input), a field is missing that the form requires, or the document can't be written.
    pub async fn run(self) -> Result<(), CommandError> {
        let to_terminal = self.output.is_none() && std::io::stdout().is_terminal();
        if self.format == Format::Pdf && !self.usage && to_terminal {
            return Err(CommandError::input("a PDF is not for a terminal: add --output FILE, or redirect the output"));
        }
        let pool = self.database.pool().await?;
        let invoice = billing::read(&pool, &self.number).await?;
        let invoice =
            invoice.ok_or_else(|| CommandError::input(BillingError::Unknown(self.number.clone()).to_string()))?;
        if self.usage {
            return usage(&pool, &invoice, self.output.as_deref()).await;
        }
        let document = render(&invoice, self.format)?;
        let mut to = open(self.output.as_deref())?;
        written(to.write_all(&document).and_then(|()| to.flush()), self.output.as_deref())
    }
}

fn render(invoice: &Document, format: Format) -> Result<Vec<u8>, CommandError> {
    Ok(match format {
        Format::Json => millrace_invoices::json(invoice).into_bytes(),
        Format::Html => millrace_invoices::html(invoice).into_bytes(),
        Format::Csv => millrace_invoices::csv(invoice).into_bytes(),
        Format::Ubl => millrace_invoices::ubl(invoice)?.into_bytes(),
        Format::Pdf => {
            let pdf = millrace_invoices::pdf(invoice)?;
            if !pdf.missing.is_empty() {
                let missing = String::from_iter(&pdf.missing);
                eprintln!("the PDF's fonts lack these characters, a replacement stands in their place: {missing}");
            }
            pdf.bytes
        }
    })
}

async fn usage(pool: &MySqlPool, invoice: &Document, output: Option<&Path>) -> Result<(), CommandError> {
    if let Some(cancels) = &invoice.cancels {
        return Err(
            anyhow!("{} cancels {cancels} and charges no usage of its own: ask for {cancels}", invoice.number).into()
        );
    }
    let mut rows = match ItemisedUsage::new(open(output)?, &invoice.number, invoice.timezone) {
        Ok(rows) => rows,
        Err(error) => return written(Err(error), output),
    };
    match billing::itemised(pool, invoice, |charge| rows.write(charge)).await {
        Ok(()) => written(rows.finish(), output),
        Err(ItemisedError::Write(error)) => written(Err(error), output),
        Err(ItemisedError::Store(error)) => Err(error.into()),
    }
}

fn open(output: Option<&Path>) -> Result<Box<dyn Write + Send>, CommandError> {
    match output {
        Some(file) => {
            let created = File::create(file).with_context(|| format!("can't write {}", file.display()))?;
            Ok(Box::new(BufWriter::new(created)))
        }
        None => Ok(Box::new(BufWriter::new(std::io::stdout()))),
    }
}

/// A reader that has gone away (`| head`) is no error.
fn written(result: std::io::Result<()>, output: Option<&Path>) -> Result<(), CommandError> {
    match (result, output) {
        (Err(error), None) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        (result, Some(file)) => Ok(result.with_context(|| format!("can't write {}", file.display()))?),
        (result, None) => Ok(result.context("can't write to stdout")?),
    }
}
