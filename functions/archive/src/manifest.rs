//! The manifest of an archived day: what its files hold, and by which checksums they are known again.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use millrace_store_mysql::archive::{Dataset, Month, MonthCounts, Part};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The form of the files; raised when a column changes its meaning or goes.
const FORMAT: u32 = 1;

/// The folder of a day.
pub(crate) fn folder(dataset: Dataset, day: NaiveDate) -> String {
    format!("archive/{}/stored={day}", dataset.name())
}

/// The key of a day's manifest. Spark, Hive and Athena pass over names that begin with an underscore.
#[must_use]
pub fn key(dataset: Dataset, day: NaiveDate) -> String {
    format!("{}/_manifest.json", folder(dataset, day))
}

/// The key of one of a day's files.
#[must_use]
pub fn part_key(dataset: Dataset, day: NaiveDate, part_no: u32) -> String {
    format!("{}/{}", folder(dataset, day), part_name(part_no))
}

fn part_name(part_no: u32) -> String {
    format!("part-{part_no:05}.parquet")
}

/// The SHA-256 of bytes, in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a day of the archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the files.
    pub format: u32,
    /// What they hold.
    pub dataset: String,
    /// The day (UTC) on which the rows were stored.
    pub stored: NaiveDate,
    /// How many there are.
    pub rows: u64,
    /// Rows by the month (UTC) in which they happened.
    pub months: BTreeMap<String, u64>,
    /// The files.
    pub parts: Vec<ManifestPart>,
}

/// A file of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestPart {
    /// Its name, beside the manifest.
    pub file: String,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// The first sequence number in it.
    pub first_seq: u64,
    /// The last sequence number in it.
    pub last_seq: u64,
    /// Adjustments up to this sequence number are in its charges.
    pub adjustments_seq: u64,
    /// Its rows by month.
    pub months: BTreeMap<String, u64>,
}

impl Manifest {
    /// The manifest of a day with these parts.
    pub(crate) fn new(dataset: Dataset, stored: NaiveDate, parts: &[Part], months: &MonthCounts) -> Self {
        Self {
            format: FORMAT,
            dataset: dataset.name().into(),
            stored,
            rows: months.values().sum(),
            months: named(months),
            parts: parts
                .iter()
                .map(|part| ManifestPart {
                    file: part_name(part.part_no),
                    rows: part.rows(),
                    bytes: part.bytes,
                    sha256: part.sha256.clone(),
                    first_seq: part.first_seq,
                    last_seq: part.last_seq,
                    adjustments_seq: part.adjustments_seq,
                    months: named(&part.months),
                })
                .collect(),
        }
    }

    /// Its bytes: the same for the same parts.
    ///
    /// # Errors
    /// None that a manifest can cause.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Its rows of a month, as its parts have them.
    pub(crate) fn rows_of(&self, month: Month) -> u64 {
        let month = month.to_string();
        self.parts.iter().filter_map(|part| part.months.get(&month)).sum()
    }
}

fn named(months: &MonthCounts) -> BTreeMap<String, u64> {
    months.iter().map(|(month, rows)| (month.to_string(), *rows)).collect()
}
