//! `millrace forecast`: one hourly series of a file. It needs no stack.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use clap::Args;
use csv::StringRecord;
use millrace_forecasting::{Forecast as Outcome, ForecastError, Series, forecast};
use serde_json::{Value, json};

use super::arguments;
use super::output::{print, print_json, table};
use crate::CommandError;

/// The columns of the file.
const COLUMNS: [&str; 2] = ["time", "value"];
/// How a time without its zone is written; it is in UTC.
const PLAIN_TIMES: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

/// The options of `forecast`.
#[derive(Debug, Args)]
pub struct Forecast {
    /// The series: CSV with the header time,value and a row for each hour; an hour that is missing, or has no value, is filled in
    #[arg(long, value_name = "FILE.csv")]
    input: PathBuf,
    /// Hours ahead (1 to 672)
    #[arg(long, value_name = "H")]
    horizon: usize,
    /// Whose days and weekends the series follows
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = arguments::timezone)]
    timezone: Tz,
    /// One JSON document instead of a table
    #[arg(long)]
    json: bool,
}

impl Forecast {
    /// Runs the command.
    ///
    /// # Errors
    /// When the file or the horizon is bad, or the series too short, which all are bad input.
    pub async fn run(self) -> Result<(), CommandError> {
        let series = read(&self.input, self.timezone)?;
        let file = self.input.display().to_string();
        for gap in series.gaps() {
            eprintln!("{file}: {} hours from {} are missing and were filled in", gap.hours, text(gap.from));
        }
        let horizon = self.horizon;
        let outcome = tokio::task::spawn_blocking(move || forecast(&series, horizon)).await?;
        let outcome = outcome.map_err(|error| match error {
            ForecastError::Horizon { .. } => CommandError::input(format!("--{error}")),
            error => CommandError::input(format!("{file}: {error}")),
        })?;
        if self.json { print_json(&to_json(&outcome)) } else { print(&to_text(&outcome)) }
    }
}

fn read(path: &Path, timezone: Tz) -> Result<Series, CommandError> {
    let file = path.display();
    let bytes =
        std::fs::read(path).map_err(|error| CommandError::input(format!("--input: {file} can't be read: {error}")))?;
    let observations = parse(&bytes).map_err(|problem| CommandError::input(format!("{file}: {problem}")))?;
    Series::new(&observations, timezone).map_err(|error| {
        let place = match error {
            ForecastError::Twice(time) | ForecastError::OffTheHour(time) | ForecastError::NotFinite(time) => {
                line_of(&bytes, time)
            }
            _ => String::new(),
        };
        CommandError::input(format!("{file}: {place}{error}"))
    })
}

/// The rows that have a value. An error names line and column, and what was expected.
fn parse(bytes: &[u8]) -> Result<Vec<(DateTime<Utc>, f64)>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| format!("line 1: {error}"))?;
    if header.iter().ne(COLUMNS) {
        let found: Vec<&str> = header.iter().collect();
        return Err(format!("line 1: expected the header {}, not {:?}", COLUMNS.join(","), found.join(",")));
    }
    let mut observations = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| match error.position() {
            Some(position) => format!("line {}: expected UTF-8 text in two columns: {error}", position.line()),
            None => error.to_string(),
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        observations.extend(row(&record, line)?);
    }
    Ok(observations)
}

fn row(record: &StringRecord, line: u64) -> Result<Option<(DateTime<Utc>, f64)>, String> {
    let (Some(time), Some(value), 2) = (record.get(0), record.get(1), record.len()) else {
        return Err(format!("line {line}: expected two columns, time and value, not {}", record.len()));
    };
    let at = time_of(time).ok_or_else(|| {
        format!("line {line}, column time: expected a time such as 2026-11-21T08:00:00Z, not {time:?}")
    })?;
    if value.is_empty() {
        return Ok(None);
    }
    let number = value.parse().ok().filter(|number: &f64| number.is_finite());
    let number = number.ok_or_else(|| format!("line {line}, column value: expected a number, not {value:?}"))?;
    Ok(Some((at, number)))
}

fn time_of(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let plain = PLAIN_TIMES.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    // As RFC 3339 has years: from a year at the calendar's end no hour could be forecast.
    plain.filter(|time| (0..=9999).contains(&time.year())).map(|time| time.and_utc())
}

/// Where a time stands last in the file, as the beginning of a message.
fn line_of(bytes: &[u8], time: DateTime<Utc>) -> String {
    let lines = String::from_utf8_lossy(bytes);
    let of_line = |line: &str| line.split(',').next().and_then(|cell| time_of(cell.trim().trim_matches('"')));
    let found = lines.lines().enumerate().filter(|(_, line)| of_line(line) == Some(time)).last();
    found.map_or_else(String::new, |(place, _)| format!("line {}, column time: ", place + 1))
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn to_json(outcome: &Outcome) -> Value {
    let candidate = |one: &millrace_forecasting::Candidate| json!({"method": one.method.name(), "mae": one.mae});
    let point = |point: &millrace_forecasting::Point| json!({"time": text(point.time), "value": point.value, "low": point.low, "high": point.high});
    json!({
        "method": outcome.method.name(),
        "candidates": outcome.candidates.iter().map(candidate).collect::<Vec<_>>(),
        "coverage": outcome.coverage,
        "forecast": outcome.points.iter().map(point).collect::<Vec<_>>(),
    })
}

fn to_text(outcome: &Outcome) -> String {
    let mut methods = vec![["method", "mean absolute error"].map(str::to_owned)];
    methods.extend(outcome.candidates.iter().map(|one| [one.method.name().to_owned(), number(one.mae)]));
    let mut hours = vec![["time", "value", "low", "high"].map(str::to_owned)];
    hours.extend(outcome.points.iter().map(|p| [text(p.time), number(p.value), number(p.low), number(p.high)]));
    let held = match outcome.coverage {
        Some(share) => format!("Bands of such forecasts held {:.0} % of outcomes in the past.", 100.0 * share),
        None => "The series is too short to measure what its bands hold.".to_owned(),
    };
    format!("{}\n{}\n{held}\n", table(&methods), table(&hours))
}

/// Four digits at least, as many as the whole number has otherwise.
fn number(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    format!("{value:.*}", (3 - digits).clamp(0, 9) as usize)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn times_with_and_without_a_zone_are_read_and_empty_values_left_out() {
        let rows = parse(b"time,value\n2026-11-21T08:00:00Z,1\n2026-11-21 09:00:00,2.5\n2026-11-21T11:00:00+01:00,\n")
            .unwrap();
        let nine: DateTime<Utc> = "2026-11-21T09:00:00Z".parse().unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1], (nine, 2.5));
    }

    #[test]
    fn a_bad_file_is_told_by_line_and_column_with_what_was_expected() {
        for (file, expected) in [
            ("hour,value\n", "line 1: expected the header time,value, not \"hour,value\""),
            ("", "line 1: expected the header time,value"),
            ("time,value\nnoon,1\n", "line 2, column time: expected a time such as 2026-11-21T08:00:00Z, not \"noon\""),
            (
                "time,value\n+262142-12-31 23:00,1\n",
                "line 2, column time: expected a time such as 2026-11-21T08:00:00Z",
            ),
            ("time,value\n2026-11-21T08:00:00Z,many\n", "line 2, column value: expected a number, not \"many\""),
            ("time,value\n2026-11-21T08:00:00Z,inf\n", "line 2, column value: expected a number"),
            ("time,value\n2026-11-21T08:00:00Z,1,2\n", "line 2: expected two columns, time and value, not 3"),
        ] {
            let error = parse(file.as_bytes()).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_told_by_its_line() {
        let bytes = b"time,value\n2026-11-21T08:00:00Z,1\n2026-11-21T08:00:00Z,2\n";
        assert_eq!(line_of(bytes, time_of("2026-11-21 08:00").unwrap()), "line 3, column time: ");
    }

    #[test]
    fn numbers_have_four_digits_at_least() {
        assert_eq!([0.0, 0.012346, 4.56789, 123456.7].map(number), ["0.000", "0.01235", "4.568", "123457"]);
    }
}
