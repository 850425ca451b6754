//! A peer: a Python consumer, in `python-consumer/`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::producer::TOPIC;
use crate::stacks::Measured;

/// The packages that the consumer stands on, as its requirements pin them.
pub(crate) const VERSIONS: &str = "confluent-kafka 2.16.1 and PyMySQL 1.2.4";

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python-consumer/consumer.py");
const TABLE: &str = "peer_python";

/// What one run came to.
pub(crate) struct Run {
    pub(crate) rows_per_second: f64,
    pub(crate) cpu_per_million: f64,
    /// In bytes.
    pub(crate) peak_memory: u64,
}

/// Has the consumer store the topic's first `count` records.
pub(crate) fn run(python: &Path, measured: &Measured, count: u64) -> anyhow::Result<Run> {
    let database = &measured.database;
    database.execute(&format!("DROP TABLE IF EXISTS {TABLE}"))?;
    database.execute(&format!("CREATE TABLE {TABLE} LIKE usage_events"))?;
    let output = Command::new(python)
        .arg(PROGRAM)
        .args([&measured.brokers, TOPIC, &count.to_string(), &database.port.to_string(), TABLE])
        .env("MYSQL_PWD", &database.password)
        .output()
        .with_context(|| format!("can't run {}", python.display()))?;
    if !output.status.success() {
        bail!("the Python consumer: {}", String::from_utf8_lossy(&output.stderr));
    }
    let stored = database.integer(&format!("SELECT COUNT(*) FROM {TABLE}"))?;
    if u64::try_from(stored)? != count {
        bail!("the Python consumer stored {stored} of {count} records");
    }
    database.execute(&format!("DROP TABLE {TABLE}"))?;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).context("the Python consumer's answer")?;
    let figure =
        |name: &str| answer[name].as_f64().with_context(|| format!("{name} is not in the Python consumer's answer"));
    Ok(Run {
        rows_per_second: count as f64 / figure("seconds")?,
        cpu_per_million: figure("cpu_seconds")? / (count as f64 / 1e6),
        peak_memory: figure("peak_memory")? as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_that_are_reported_are_the_pinned_ones() {
        let pinned = include_str!("../../python-consumer/requirements.txt");
        let words: Vec<String> =
            pinned.lines().filter(|line| line.contains("==")).map(|line| line.replace("==", " ")).collect();
        assert_eq!(words.join(" and "), VERSIONS);
    }
}
