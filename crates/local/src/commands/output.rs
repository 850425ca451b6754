//! What commands print.

use std::io::{ErrorKind, Write};

use anyhow::Context;
use serde::Serialize;

use crate::CommandError;

/// Prints a text to stdout. A reader that has gone away (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("can't write to stdout")?,
        _ => Ok(()),
    }
}

/// Prints one JSON document.
pub(super) fn print_json(document: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(document).context("can't write the answer as JSON")?;
    print(&format!("{text}\n"))
}

/// Lines of cells, each column as wide as its widest cell but for the last.
pub(super) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut cells = row.iter().zip(widths).peekable();
        let mut line = String::new();
        while let Some((cell, width)) = cells.next() {
            match cells.peek() {
                Some(_) => line.push_str(&format!("{cell:width$}  ")),
                // As it is: it may be a record's bytes, whose last spaces are theirs.
                None if !cell.is_empty() => line.push_str(cell),
                None => line.truncate(line.trim_end().len()),
            }
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["id", "reason"].map(str::to_owned), ["1234", "é"].map(str::to_owned)];
        assert_eq!(table(&rows), "id    reason\n1234  é\n");
    }

    #[test]
    fn the_last_cell_keeps_its_spaces_and_an_empty_one_leaves_none() {
        let rows = [["payload", "{} \t"].map(str::to_owned), ["key", ""].map(str::to_owned)];
        assert_eq!(table(&rows), "payload  {} \t\nkey\n");
    }
}
