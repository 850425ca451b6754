//! `docs/benchmarks.md`: one section for each benchmark, replaced on its own.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;

use crate::options::Benchmark;

const INTRODUCTION: &str = "# Benchmarks

`scripts/bench [NAME…]` runs these on stacks of its own and replaces the sections below; each says where and when it was \
measured. The ratios count: both sides of each were measured in the same run, on the same machine, against the same database. \
Absolute figures of a small shared machine are orders of magnitude.
";

/// A table of Markdown.
pub(crate) struct Table {
    columns: usize,
    text: String,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let mut table = Self { columns: headings.len(), text: String::new() };
        table.row(headings);
        table.row(&vec!["---"; headings.len()]);
        table
    }

    /// Adds a row; missing cells at its end are empty.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        self.text.push('|');
        for index in 0..self.columns {
            let _ = write!(self.text, " {} |", cells.get(index).map_or("", AsRef::as_ref));
        }
        self.text.push('\n');
    }

    /// The table as text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Replaces a benchmark's section in the file, or adds it; the other sections stay.
pub(crate) fn write(path: &Path, benchmark: Benchmark, section: &str) -> anyhow::Result<()> {
    let old = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("can't read {}", path.display())),
    };
    std::fs::write(path, with_section(&old, benchmark, section))
        .with_context(|| format!("can't write {}", path.display()))
}

fn with_section(old: &str, benchmark: Benchmark, section: &str) -> String {
    let mut text = INTRODUCTION.to_owned();
    for other in Benchmark::ALL {
        let section = if other == benchmark { Some(section) } else { section_of(old, other) };
        if let Some(section) = section {
            let _ = write!(text, "\n{}\n{}\n{}\n", opening(other), section.trim(), closing(other));
        }
    }
    text
}

fn section_of(text: &str, benchmark: Benchmark) -> Option<&str> {
    let (_, rest) = text.split_once(&opening(benchmark))?;
    Some(rest.split_once(&closing(benchmark))?.0)
}

fn opening(benchmark: Benchmark) -> String {
    format!("<!-- {} -->", benchmark.name())
}

fn closing(benchmark: Benchmark) -> String {
    format!("<!-- end of {} -->", benchmark.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_older_self_and_leaves_the_others() {
        let one = with_section("", Benchmark::Latency, "## Latency\nold");
        let two = with_section(&one, Benchmark::Ingest, "## Ingest\n");
        let three = with_section(&two, Benchmark::Latency, "## Latency\nnew");
        assert!(three.starts_with("# Benchmarks") && !three.contains("old"), "{three}");
        assert_eq!(three.matches("## Ingest").count(), 1);
        assert!(three.find("## Ingest") < three.find("## Latency\nnew"), "{three}");
        assert_eq!(with_section(&three, Benchmark::Latency, "## Latency\nnew"), three);
    }

    #[test]
    fn a_table_has_a_rule_under_its_headings_and_fills_short_rows() {
        let mut table = Table::new(&["what", "rows/s"]);
        table.row(&["rate"]);
        assert_eq!(table.text(), "| what | rows/s |\n| --- | --- |\n| rate |  |\n");
    }
}
