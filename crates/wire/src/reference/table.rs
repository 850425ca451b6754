//! CSV tables with a header, whose columns may stand in any order.

use chrono::NaiveDate;
use csv::{ByteRecord, ReaderBuilder, WriterBuilder};
use rust_decimal::Decimal;

use millrace_domain::identity::Malformed;

use super::{Faulty, LineError};
use crate::document;
use crate::number::{self, NumberError};

/// A column and whether it may be left out.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) optional: bool,
}

/// A column that must be there.
pub(super) const fn required(name: &'static str) -> Column {
    Column { name, optional: false }
}

/// A column that may be left out.
pub(super) const fn optional(name: &'static str) -> Column {
    Column { name, optional: true }
}

/// Reads every row by `read`, which answers `None` after it has told the row's errors. The answers come with their lines.
pub(super) fn read<T>(
    bytes: &[u8],
    columns: &[Column],
    mut read: impl FnMut(&mut Row<'_>) -> Option<T>,
) -> (Vec<(u64, T)>, Vec<LineError>) {
    let bytes = without_mark(bytes);
    let mut rows = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    let mut record = ByteRecord::new();
    let mut errors = Vec::new();
    let Ok(true) = rows.read_byte_record(&mut record) else {
        errors.push(LineError::at_line(1, "", "expected a header"));
        return (Vec::new(), errors);
    };
    let width = record.len();
    let places = header(&record, columns, &mut errors);
    if !errors.is_empty() {
        return (Vec::new(), errors);
    }
    let mut values = Vec::new();
    loop {
        match rows.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                errors.push(LineError::at_line(rows.position().line(), "", error.to_string()));
                break;
            }
        }
        let line = record.position().map_or(0, |at| line_at(bytes, at));
        if record.len() != width {
            errors.push(LineError::at_line(
                line,
                "",
                format!("expected {width} cells, as the header has, found {}", record.len()),
            ));
            continue;
        }
        let mut row = Row { line, record: &record, columns, places: &places, errors: &mut errors };
        if let Some(value) = read(&mut row) {
            values.push((line, value));
        }
    }
    (values, errors)
}

/// The line of a row of a CSV file, its header not counted, as errors of form name it; `None` when the file has no such row.
pub fn line_of_row(bytes: &[u8], row: usize) -> Option<u64> {
    let bytes = without_mark(bytes);
    let mut rows = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let record = rows.byte_records().nth(row)?.ok()?;
    record.position().map(|at| line_at(bytes, at))
}

/// A file without the mark that some programs put before UTF-8: a quoted first column would not be seen as quoted after it.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The line on which a row begins. The reader's own position lies before the empty lines that it skipped on the way to the row.
fn line_at(bytes: &[u8], at: &csv::Position) -> u64 {
    let from = usize::try_from(at.byte()).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    let skipped = from.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    at.line() + skipped.filter(|byte| **byte == b'\n').count() as u64
}

/// Where each column stands in the file.
fn header(record: &ByteRecord, columns: &[Column], errors: &mut Vec<LineError>) -> Vec<Option<usize>> {
    let mut places = vec![None; columns.len()];
    for (at, name) in record.iter().enumerate() {
        let name = String::from_utf8_lossy(name);
        let name = name.trim();
        match columns.iter().position(|column| column.name == name) {
            Some(known) if places[known].is_some() => errors.push(LineError::at_line(1, name, "stands twice")),
            Some(known) => places[known] = Some(at),
            None => errors.push(LineError::at_line(1, name, "is not a column of this file")),
        }
    }
    for (column, place) in columns.iter().zip(&places) {
        if place.is_none() && !column.optional {
            errors.push(LineError::at_line(1, column.name, "is missing"));
        }
    }
    places
}

/// One row of a table.
pub(super) struct Row<'r> {
    line: u64,
    record: &'r ByteRecord,
    columns: &'r [Column],
    places: &'r [Option<usize>],
    errors: &'r mut Vec<LineError>,
}

impl Row<'_> {
    /// The text of a cell; empty where the column was left out.
    fn cell(&self, name: &str) -> Result<&str, String> {
        let place = self.columns.iter().position(|column| column.name == name).and_then(|known| self.places[known]);
        let cell = place.and_then(|at| self.record.get(at)).unwrap_or_default();
        std::str::from_utf8(cell).map_err(|_| "is not UTF-8".into())
    }

    /// Reads a cell; an error is noted with the row's line.
    pub(super) fn get<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match self.cell(name).and_then(read) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.wrong(name, reason);
                None
            }
        }
    }

    /// Notes an error.
    pub(super) fn wrong(&mut self, name: &str, reason: impl Into<String>) {
        self.errors.push(LineError::at_line(self.line, name, reason));
    }
}

/// A cell that one of the domain's `parse` functions reads.
pub(super) fn by<T>(parse: impl Fn(&str) -> Result<T, Malformed>) -> impl Fn(&str) -> Result<T, String> {
    move |cell| parse(cell).map_err(|Malformed(reason)| reason)
}

/// An amount of money in up to `decimals` decimals, of either sign.
pub(super) fn money(decimals: u32) -> impl Fn(&str) -> Result<Decimal, String> {
    /// What `DECIMAL(18, 2)` does not hold any more.
    const LIMIT: i64 = 10_000_000_000_000_000;
    move |cell| {
        let amount = document::decimal(cell)?;
        if amount.normalize().scale() > decimals {
            return Err(format!("expected up to {decimals} decimals"));
        }
        if amount.abs() >= Decimal::from(LIMIT) { Err(format!("expected less than {LIMIT}")) } else { Ok(amount) }
    }
}

/// `YYYY-MM-DD`.
pub(super) fn date(cell: &str) -> Result<NaiveDate, String> {
    super::tariffs::date(cell).ok_or_else(|| "expected a date, as 2026-03-01".into())
}

/// Text of up to `max` characters, which may be empty.
pub(super) fn text(max: usize) -> impl Fn(&str) -> Result<String, String> {
    move |cell| {
        if cell.chars().count() > max {
            return Err(format!("expected up to {max} characters"));
        }
        Ok(cell.to_owned())
    }
}

/// Text of 1 to `max` characters.
pub(super) fn name(max: usize) -> impl Fn(&str) -> Result<String, String> {
    move |cell| {
        if cell.is_empty() { Err("must not be empty".into()) } else { text(max)(cell) }
    }
}

/// An id of 1 to 64 characters, which are compared byte for byte.
pub(super) fn id(cell: &str) -> Result<String, String> {
    by(millrace_domain::identity::TextId::<64>::parse)(cell).map(|id| id.as_str().to_owned())
}

/// A number within a range.
pub(super) fn number(range: std::ops::RangeInclusive<f64>) -> impl Fn(&str) -> Result<f64, String> {
    move |cell| match number::float(cell) {
        Ok(value) if range.contains(&value) => Ok(value),
        Ok(_) | Err(NumberError::OutOfRange) => Err(format!("expected {} to {}", range.start(), range.end())),
        Err(_) => Err("expected a number".into()),
    }
}

/// A cell that may be empty.
pub(super) fn maybe<T>(read: impl Fn(&str) -> Result<T, String>) -> impl Fn(&str) -> Result<Option<T>, String> {
    move |cell| {
        if cell.is_empty() { Ok(None) } else { read(cell).map(Some) }
    }
}

/// Writes a table.
pub(super) fn write<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut output = WriterBuilder::new().from_writer(Vec::new());
    // Rows have the header's width and writing to memory cannot fail.
    let _ = output.write_record(header);
    for row in rows {
        let _ = output.write_record(&row);
    }
    output.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The values, when nothing was wrong.
pub(super) fn finish<T>(values: Vec<(u64, T)>, mut errors: Vec<LineError>) -> Result<Vec<T>, Faulty<T>> {
    if errors.is_empty() {
        return Ok(values.into_iter().map(|(_, value)| value).collect());
    }
    errors.sort_by_key(|error| error.line);
    Err(Faulty { errors, sound: values })
}

/// Refuses rows whose identity stood before.
pub(super) fn refuse_doubles<T, K: std::hash::Hash + Eq>(
    values: &[(u64, T)],
    column: &str,
    errors: &mut Vec<LineError>,
    identity: impl Fn(&T) -> K,
) {
    let mut seen = std::collections::HashMap::new();
    for (line, value) in values {
        if let Some(before) = seen.insert(identity(value), *line) {
            errors.push(LineError::at_line(*line, column, format!("stands on line {before} already")));
        }
    }
}
