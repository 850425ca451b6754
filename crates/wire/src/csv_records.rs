//! Records from the rows of a CSV file, for `replay`.
//!
//! A column is a field: its header in lower case with `_` for spaces, so that the public churn files are read as they are. An
//! empty cell is an absent field. What a cell means is the decoder's business: a wrong one goes out and becomes a reject.

use std::io::Read;

use chrono::{DateTime, Utc};
use csv::ByteRecord;

use crate::{Topic, number, times};

/// Why a CSV file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// The file cannot be read, or a row has another number of cells than the header.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// Two columns are one field.
    #[error("line 1: column {0} stands twice")]
    ColumnTwice(String),
}

/// A record to produce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvRecord {
    /// The text of the topic's key field; `None` when the row has none.
    pub key: Option<String>,
    /// The record's value.
    pub json: Vec<u8>,
}

/// What the rows of a `customers` file are given where it lacks the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerDefaults {
    /// `customer_id` becomes `<stem>-<row>`; rows count from 1.
    pub stem: String,
    /// One time for the whole file.
    pub observed_at: DateTime<Utc>,
}

/// The rows of a CSV file as records of a topic.
pub struct CsvRecords<R> {
    rows: csv::Reader<R>,
    row: ByteRecord,
    columns: Vec<Column>,
    key: Option<usize>,
    defaults: Option<CustomerDefaults>,
    rows_read: u64,
}

struct Column {
    name: String,
    form: Form,
}

/// How a cell is written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Text,
    Number,
    Boolean,
}

impl<R: Read> CsvRecords<R> {
    /// Reads the header. `defaults` counts for `customers` only, and there for the columns that are missing.
    ///
    /// # Errors
    /// When the header cannot be read, or names a field twice.
    pub fn new(input: R, topic: Topic, defaults: CustomerDefaults) -> Result<Self, CsvError> {
        let mut rows = csv::ReaderBuilder::new().from_reader(input);
        let header = rows.byte_headers()?;
        let mut columns: Vec<Column> = Vec::with_capacity(header.len());
        for name in header {
            let name =
                String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_lowercase().replace(' ', "_");
            if columns.iter().any(|column| column.name == name) {
                return Err(CsvError::ColumnTwice(name));
            }
            columns.push(Column { form: form(topic, &name), name });
        }
        let key = columns.iter().position(|column| column.name == topic.key_field());
        let defaults = (topic == Topic::Customers).then_some(defaults);
        Ok(Self { rows, row: ByteRecord::new(), columns, key, defaults, rows_read: 0 })
    }

    /// The line on which the record read last begins; the header is line 1. Empty lines right before a record count as its own.
    pub fn line(&self) -> u64 {
        self.row.position().map_or(1, csv::Position::line)
    }

    fn record(&self) -> CsvRecord {
        let mut json = Vec::with_capacity(64 + self.row.as_slice().len() * 3);
        let mut key = self.key.and_then(|at| self.row.get(at)).map(|cell| String::from_utf8_lossy(cell).into_owned());
        if let Some(defaults) = &self.defaults {
            if !self.has_column("customer_id") {
                let id = format!("{}-{}", defaults.stem, self.rows_read);
                field(&mut json, "customer_id", id.as_bytes(), Form::Text);
                key = Some(id);
            }
            if !self.has_column("observed_at") {
                field(&mut json, "observed_at", times::format(defaults.observed_at).as_bytes(), Form::Text);
            }
        }
        for (column, cell) in self.columns.iter().zip(&self.row) {
            if !cell.is_empty() {
                field(&mut json, &column.name, cell, column.form);
            }
        }
        if json.is_empty() {
            json.push(b'{');
        }
        json.push(b'}');
        CsvRecord { key: key.filter(|key| !key.is_empty()), json }
    }

    fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
    }
}

impl<R: Read> Iterator for CsvRecords<R> {
    type Item = Result<CsvRecord, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.read_byte_record(&mut self.row) {
            Ok(false) => None,
            Ok(true) => {
                self.rows_read += 1;
                Some(Ok(self.record()))
            }
            Err(error) => Some(Err(error.into())),
        }
    }
}

fn form(topic: Topic, name: &str) -> Form {
    match (topic, name) {
        (Topic::UsageEvents, "roaming") => Form::Boolean,
        (Topic::UsageEvents, "usage") => Form::Number,
        (Topic::SensorReadings, "temperature_c" | "humidity_pct" | "latitude" | "longitude") => Form::Number,
        (Topic::Customers, "international_plan" | "voice_mail_plan" | "churn") => Form::Boolean,
        (Topic::Customers, "customer_id" | "observed_at" | "state") => Form::Text,
        (Topic::Customers, _) => Form::Number,
        _ => Form::Text,
    }
}

/// Appends `,"name":cell`, or `{"name":cell` when it is the first.
fn field(json: &mut Vec<u8>, name: &str, cell: &[u8], form: Form) {
    json.push(if json.is_empty() { b'{' } else { b',' });
    quoted(json, name.as_bytes());
    json.push(b':');
    match (form, cell) {
        (Form::Boolean, b"true" | b"True") => json.extend_from_slice(b"true"),
        (Form::Boolean, b"false" | b"False") => json.extend_from_slice(b"false"),
        (Form::Number, cell) if number::is_json(cell) => json.extend_from_slice(cell),
        (_, cell) => quoted(json, cell),
    }
}

/// Writes a JSON string. Bytes that are not UTF-8 stay as they are, so that the decoder refuses them and the reject shows them.
fn quoted(json: &mut Vec<u8>, text: &[u8]) {
    json.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => json.extend_from_slice(&[b'\\', byte]),
            0..0x20 => json.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => json.push(byte),
        }
    }
    json.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rows(topic: Topic, csv: &str) -> Vec<(Option<String>, String)> {
        let defaults =
            CustomerDefaults { stem: "churn-80".into(), observed_at: "2026-03-01T00:00:00Z".parse().unwrap() };
        let rows = CsvRecords::new(csv.as_bytes(), topic, defaults).unwrap();
        rows.map(Result::unwrap).map(|row| (row.key, String::from_utf8(row.json).unwrap())).collect()
    }

    #[test]
    fn a_public_churn_file_is_read_as_it_is() {
        let rows = rows(
            Topic::Customers,
            "State,Account length,International plan,Total day minutes,Churn\nKS,128,No,265.1,False\nOH,,Yes,07,\n",
        );
        assert_eq!(rows[0].0.as_deref(), Some("churn-80-1"));
        assert_eq!(
            rows[0].1,
            r#"{"customer_id":"churn-80-1","observed_at":"2026-03-01T00:00:00.000Z","state":"KS","account_length":128,"international_plan":"No","total_day_minutes":265.1,"churn":false}"#
        );
        assert_eq!(
            rows[1].1,
            r#"{"customer_id":"churn-80-2","observed_at":"2026-03-01T00:00:00.000Z","state":"OH","international_plan":"Yes","total_day_minutes":"07"}"#
        );
    }

    #[test]
    fn a_customers_own_columns_win_over_the_defaults() {
        let rows = rows(Topic::Customers, "customer_id,observed_at,state\nc-1,2026-01-01T00:00:00Z,KS\n");
        assert_eq!(rows[0].0.as_deref(), Some("c-1"));
        assert_eq!(rows[0].1, r#"{"customer_id":"c-1","observed_at":"2026-01-01T00:00:00Z","state":"KS"}"#);
    }

    #[test]
    fn a_record_knows_its_line_though_a_cell_spans_several() {
        let defaults = CustomerDefaults { stem: "x".into(), observed_at: DateTime::default() };
        let mut rows = CsvRecords::new("a,b\n\"1\n1\",2\n3,4\n".as_bytes(), Topic::UsageEvents, defaults).unwrap();
        rows.next().unwrap().unwrap();
        assert_eq!(rows.line(), 2);
        rows.next().unwrap().unwrap();
        assert_eq!(rows.line(), 4);
    }

    #[test]
    fn digits_of_a_number_stay_text_and_an_empty_cell_is_absent() {
        let rows = rows(Topic::UsageEvents, "subscriber,usage,roaming,cell\n0612345678,12,true,\n,x\"y,maybe,c\n");
        assert_eq!(rows[0].0.as_deref(), Some("0612345678"));
        assert_eq!(rows[0].1, r#"{"subscriber":"0612345678","usage":12,"roaming":true}"#);
        assert_eq!(rows[1], (None, r#"{"usage":"x\"y","roaming":"maybe","cell":"c"}"#.into()));
    }

    #[test]
    fn a_row_of_another_length_is_an_error_that_names_its_line() {
        let defaults = CustomerDefaults { stem: "x".into(), observed_at: DateTime::default() };
        let mut rows = CsvRecords::new("a,b\n1,2\n1,2,3\n".as_bytes(), Topic::UsageEvents, defaults).unwrap();
        assert!(rows.next().unwrap().is_ok());
        assert!(rows.next().unwrap().unwrap_err().to_string().contains("line: 3"));
    }
}
