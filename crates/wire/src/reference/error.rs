//! What is wrong with a file, and what is not.

use std::fmt;

use crate::document::Problem;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LineError {
    /// The line of a CSV file, its header being line 1; `None` in JSON.
    pub line: Option<u64>,
    /// The column of a CSV file, or the path in JSON, as `[2].tariff.rates[0].price`. Empty when it is the line or file as a whole.
    pub column: String,
    /// What was expected.
    pub reason: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        match (self.column.is_empty(), self.line) {
            (false, Some(_)) => write!(f, "column {}: ", self.column)?,
            (false, None) => write!(f, "{}: ", self.column)?,
            (true, _) => {}
        }
        f.write_str(&self.reason)
    }
}

impl LineError {
    /// Something wrong with a line of a CSV file.
    pub(super) fn at_line(line: u64, column: &str, reason: impl Into<String>) -> Self {
        Self { line: Some(line), column: column.to_owned(), reason: reason.into() }
    }
}

/// A file of which something is wrong. Its sound rows are there too, so that the store can say what it would refuse of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Faulty<T> {
    /// Everything that is wrong, in the order of the file as far as it goes.
    pub errors: Vec<LineError>,
    /// The rows that can be read: each with its line in a CSV file, or its place in a JSON list, from 0.
    pub sound: Vec<(u64, T)>,
}

impl<T> Faulty<T> {
    /// A file of which nothing can be read.
    pub(super) fn whole(error: LineError) -> Self {
        Self { errors: vec![error], sound: Vec::new() }
    }
}

impl From<Problem> for LineError {
    fn from(problem: Problem) -> Self {
        Self { line: None, column: problem.path, reason: problem.reason }
    }
}
