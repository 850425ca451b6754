//! The records of a file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use millrace_wire::Topic;
use millrace_wire::csv_records::{CsvRecords, CustomerDefaults};

use crate::CommandError;

/// What is read from the file at once.
const BUFFER: usize = 1 << 20;

/// A file's records, one after another.
pub(super) enum Source {
    /// Comma-separated rows, which become JSON.
    Csv(Box<CsvRecords<BufReader<Counted>>>),
    /// JSON lines, which go as they are.
    Lines(Lines),
}

/// The lines of a file.
pub(super) struct Lines {
    topic: Topic,
    input: BufReader<Counted>,
    line: Vec<u8>,
}

/// A file that counts what was read of it.
pub(super) struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

/// One record of a file, borrowed from its source.
pub(super) struct FileRecord<'a> {
    /// The text of its key field, when that can be read.
    pub(super) key: Option<String>,
    /// Its bytes.
    pub(super) value: &'a [u8],
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Whether a file is read as CSV.
pub(super) fn is_csv(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

impl Source {
    /// Opens a file; `read` counts its bytes as they are read.
    pub(super) fn open(
        path: &Path,
        topic: Topic,
        observed_at: DateTime<Utc>,
        read: Arc<AtomicU64>,
    ) -> Result<Self, CommandError> {
        let wrong = |error: &dyn std::fmt::Display| CommandError::input(format!("{}: {error}", path.display()));
        let open = || File::open(path).map_err(|error| wrong(&error));
        let input = BufReader::with_capacity(BUFFER, Counted { file: open()?, read });
        if !is_csv(path) {
            return Ok(Self::Lines(Lines { topic, input, line: Vec::new() }));
        }
        check_rows(open()?).map_err(|error| wrong(&error))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let rows =
            CsvRecords::new(input, topic, CustomerDefaults { stem, observed_at }).map_err(|error| wrong(&error))?;
        Ok(Self::Csv(Box::new(rows)))
    }

    /// Hands each record to `take`, until it fails.
    pub(super) fn for_each(
        self,
        path: &Path,
        mut take: impl FnMut(FileRecord<'_>) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let wrong = |error: &dyn std::fmt::Display| CommandError::input(format!("{}: {error}", path.display()));
        match self {
            Self::Csv(rows) => {
                for row in *rows {
                    let row = row.map_err(|error| wrong(&error))?;
                    take(FileRecord { key: row.key, value: &row.json })?;
                }
            }
            Self::Lines(mut lines) => {
                while lines.advance().map_err(|error| wrong(&error))? {
                    let key = lines.topic.key_of(&lines.line);
                    take(FileRecord { key, value: &lines.line })?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a CSV file once without sending it: a row of another length than the header, which is no table's, is told of before half
/// of the file is on the topic.
fn check_rows(file: File) -> Result<(), csv::Error> {
    let mut rows = csv::Reader::from_reader(BufReader::with_capacity(BUFFER, file));
    let mut row = csv::ByteRecord::new();
    while rows.read_byte_record(&mut row)? {}
    Ok(())
}

impl Lines {
    /// Moves to the next line that is not empty; `false` at the end. A line's end (`\n` or `\r\n`) is not part of it.
    fn advance(&mut self) -> std::io::Result<bool> {
        loop {
            self.line.clear();
            if self.input.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(false);
            }
            if self.line.ends_with(b"\n") {
                self.line.pop();
                if self.line.ends_with(b"\r") {
                    self.line.pop();
                }
            }
            if !self.line.is_empty() {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    /// A record's key and value.
    type Read = (Option<String>, Vec<u8>);

    fn records(name: &str, topic: Topic, content: &[u8]) -> (Vec<Read>, u64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let read = Arc::default();
        let mut records = Vec::new();
        Source::open(&path, topic, DateTime::UNIX_EPOCH, Arc::clone(&read))
            .unwrap()
            .for_each(&path, |record| {
                records.push((record.key, record.value.to_vec()));
                Ok(())
            })
            .unwrap();
        (records, read.load(Ordering::Relaxed))
    }

    #[test]
    fn lines_go_unchanged_whether_or_not_they_parse() {
        let content = b"{\"subscriber\":\"212600000001\" , \"x\":1}\n\n  not json \xff\r\n{\"subscriber\":\"2126";
        let (records, read) = records("events.jsonl", Topic::UsageEvents, content);
        assert_eq!(
            records,
            [
                (Some("212600000001".to_owned()), b"{\"subscriber\":\"212600000001\" , \"x\":1}".to_vec()),
                (None, b"  not json \xff".to_vec()),
                (None, b"{\"subscriber\":\"2126".to_vec()),
            ]
        );
        assert_eq!(read, content.len() as u64);
    }

    #[test]
    fn rows_of_a_churn_file_become_customers_named_after_it() {
        let (records, _) =
            records("churn-80.CSV", Topic::Customers, b"State,Account length,Churn\nKS,128,False\nOH,,\n");
        assert_eq!(records[1].0.as_deref(), Some("churn-80-2"));
        let first: serde_json::Value = serde_json::from_slice(&records[0].1).unwrap();
        assert_eq!(first["customer_id"], "churn-80-1");
        assert_eq!(first["observed_at"], "1970-01-01T00:00:00.000Z");
        let second: serde_json::Value = serde_json::from_slice(&records[1].1).unwrap();
        assert!(
            second.get("account_length").is_none() && second.get("churn").is_none(),
            "an empty cell is an absent field"
        );
    }

    #[test]
    fn a_row_of_another_length_is_told_of_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.csv");
        std::fs::write(&path, "subscriber,usage\n212600000001,1\n212600000001,1,2\n").unwrap();
        let error = Source::open(&path, Topic::UsageEvents, DateTime::UNIX_EPOCH, Arc::default()).err().unwrap();
        assert_eq!(error.exit_status(), 2);
        assert!(error.to_string().contains("line: 3"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_bad_input_by_its_name() {
        let error =
            Source::open(Path::new("/nowhere/events.jsonl"), Topic::UsageEvents, DateTime::UNIX_EPOCH, Arc::default());
        let error = error.err().unwrap();
        assert_eq!(error.exit_status(), 2);
        assert!(error.to_string().contains("/nowhere/events.jsonl"), "{error}");
    }
}
