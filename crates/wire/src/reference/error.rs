//! What is wrong with a file.

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

impl From<Problem> for LineError {
    fn from(problem: Problem) -> Self {
        Self { line: None, column: problem.path, reason: problem.reason }
    }
}
