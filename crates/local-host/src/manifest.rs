//! `functions/<name>/function.json`: what a function is, said once for the local host, Terraform and SAM.
//!
//! The format is strict: an unknown key, a missing one or a value that AWS would refuse is an error that names the file,
//! the key and what was expected.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use serde::Deserialize;

use crate::schedule::Expression;

/// One function, as its `function.json` describes it. The name is the folder's.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The function's name: its folder, its package and its binary.
    pub name: String,
    /// One sentence on what it does.
    pub description: String,
    /// How long an invocation may take, in seconds (1 to 900).
    pub timeout_seconds: u32,
    /// How much memory an instance may use, in MiB (128 to 10,240).
    pub memory_mb: u32,
    /// How many instances may run at once (at least 1).
    pub concurrency: u32,
    /// The groups of environment variables that the function is given.
    pub needs: Vec<String>,
    /// Where in the bucket the function may read and write; nowhere without the need `objects`.
    pub objects: Objects,
    /// Variables of the function's own.
    pub environment: BTreeMap<String, String>,
    /// What invokes it. None: it is only invoked by name.
    pub triggers: Vec<Trigger>,
}

/// The prefixes of the objects that a function works on, such as `models/`. Its role on AWS is given these and no others.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objects {
    /// What it reads and lists.
    #[serde(default)]
    pub reads: Vec<String>,
    /// What it writes.
    #[serde(default)]
    pub writes: Vec<String>,
}

/// What invokes a function.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Batches of a Kafka topic (Lambda's event source mapping).
    Kafka(KafkaTrigger),
    /// A point in time or an interval (EventBridge Scheduler).
    Schedule(ScheduleTrigger),
    /// Requests (API Gateway HTTP API, payload 2.0).
    Http(HttpTrigger),
}

/// A Kafka event source mapping, in Lambda's terms.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaTrigger {
    /// The topic that is read.
    pub topic: String,
    /// The consumer group whose offsets tell how far the function is.
    pub consumer_group: String,
    /// The most records in one batch (1 to 10,000).
    #[serde(default = "default_batch_size")]
    pub batch_size: usize,
    /// How long records are gathered before a batch that is not full is sent, in milliseconds (0 to 300,000).
    #[serde(default = "default_batch_window_ms")]
    pub batch_window_ms: u64,
    /// Where reading starts when the group has no offset yet.
    pub starting_position: StartingPosition,
    /// Whether the function's answer names what failed (`ReportBatchItemFailures`).
    #[serde(default)]
    pub report_batch_item_failures: bool,
    /// Whether a batch that failed is halved (`BisectBatchOnFunctionError`).
    #[serde(default)]
    pub bisect_on_error: bool,
    /// How often a batch is retried (0 to 10,000), or -1 for ever.
    #[serde(default = "without_limit")]
    pub maximum_retry_attempts: i64,
    /// How old a record may get before it is given up on, in seconds (60 to 604,800), or -1 for ever.
    #[serde(default = "without_limit")]
    pub maximum_record_age_seconds: i64,
    /// The prefix in the objects bucket under which a batch that was given up on is kept.
    pub on_failure: Option<String>,
}

/// Where a mapping starts to read when its group has no offset yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum StartingPosition {
    /// At the oldest record.
    #[serde(rename = "TRIM_HORIZON")]
    TrimHorizon,
    /// At the next record to come.
    #[serde(rename = "LATEST")]
    Latest,
}

/// One schedule of EventBridge Scheduler.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleTrigger {
    /// The schedule's name, unique within the function.
    pub name: String,
    /// `rate(...)`, `cron(...)` or `at(...)`.
    #[serde(deserialize_with = "expression")]
    pub expression: Expression,
    /// The IANA time zone in which `cron` and `at` are read.
    #[serde(default = "utc", deserialize_with = "timezone")]
    pub timezone: Tz,
    /// The event that the function receives.
    #[serde(default = "empty_input")]
    pub input: serde_json::Value,
    /// How often a failed run is tried again: 0 to 2, as often as Lambda does (its own default is 2, ours is 0).
    #[serde(default)]
    pub maximum_retry_attempts: u32,
    /// Whether it also runs on a stack that was started for somebody's own data (`up --empty`), who may want to say when.
    #[serde(default = "yes")]
    pub on_empty_stack: bool,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// An exact path, a path that ends in `{proxy+}`, or `$default`.
    pub path: String,
}

/// A manifest that cannot be used: which file, which key, and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file or folder cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not be.
        source: std::io::Error,
    },
    /// A key is unknown, missing, or has a value that does not fit.
    #[error("{path}: `{key}` {expected}")]
    Invalid {
        /// The manifest.
        path: PathBuf,
        /// The key within it, dotted.
        key: String,
        /// What was expected of it.
        expected: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    description: String,
    timeout_seconds: u32,
    memory_mb: u32,
    #[serde(default = "one")]
    concurrency: u32,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    objects: Objects,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    triggers: Vec<Trigger>,
}

impl Manifest {
    /// Reads the manifest of every function under `functions`, in the order of their names. A folder counts as a function
    /// when it has a `Cargo.toml` or a `function.json`.
    ///
    /// # Errors
    /// [`ManifestError`] names the first file that is missing or wrong.
    pub fn load_all(functions: &Path) -> Result<Vec<Manifest>, ManifestError> {
        let unreadable = |source| ManifestError::Unreadable { path: functions.to_owned(), source };
        let mut folders: Vec<PathBuf> = std::fs::read_dir(functions)
            .map_err(unreadable)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        folders.retain(|folder| folder.join("Cargo.toml").is_file() || folder.join("function.json").is_file());
        folders.sort();
        folders.iter().map(|folder| Manifest::load(folder)).collect()
    }

    /// Reads `function.json` in a function's folder.
    ///
    /// # Errors
    /// [`ManifestError`] when the file is missing or wrong.
    pub fn load(folder: &Path) -> Result<Manifest, ManifestError> {
        let path = folder.join("function.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ManifestError::Unreadable { path: path.clone(), source })?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Manifest::parse(&name, &path, &text)
    }

    /// Parses the text of one manifest; `path` is only named in errors.
    ///
    /// # Errors
    /// [`ManifestError::Invalid`] names the key and what was expected of it.
    pub fn parse(name: &str, path: &Path, text: &str) -> Result<Manifest, ManifestError> {
        let invalid = |key: String, expected: String| ManifestError::Invalid { path: path.to_owned(), key, expected };
        let mut json = serde_json::Deserializer::from_str(text);
        let file: File = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| invalid(error.path().to_string(), error.inner().to_string()))?;
        json.end().map_err(|error| invalid(".".to_owned(), error.to_string()))?;
        let manifest = Manifest {
            name: name.to_owned(),
            description: file.description,
            timeout_seconds: file.timeout_seconds,
            memory_mb: file.memory_mb,
            concurrency: file.concurrency,
            needs: file.needs,
            objects: file.objects,
            environment: file.environment,
            triggers: file.triggers,
        };
        manifest.check().map_err(|(key, expected)| invalid(key, expected))?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), (String, String)> {
        within("timeout_seconds", i64::from(self.timeout_seconds), 1, 900)?;
        within("memory_mb", i64::from(self.memory_mb), 128, 10_240)?;
        within("concurrency", i64::from(self.concurrency), 1, 1_000)?;
        self.objects.check(self.needs.iter().any(|need| need == "objects"))?;
        for key in self.environment.keys() {
            let named_well = key.chars().next().is_some_and(|first| first.is_ascii_alphabetic())
                && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !named_well || key.starts_with("AWS_") || key.starts_with("LAMBDA_") {
                return Err((
                    format!("environment.{key}"),
                    "must be letters, digits and underscores, begin with a letter, and not with AWS_ or LAMBDA_, which are Lambda's own".to_owned(),
                ));
            }
        }
        let mut schedules = Vec::new();
        for (index, trigger) in self.triggers.iter().enumerate() {
            match trigger {
                Trigger::Kafka(kafka) => kafka.check(&format!("triggers[{index}].kafka"))?,
                Trigger::Schedule(schedule) => {
                    let at = format!("triggers[{index}].schedule");
                    filled(&format!("{at}.name"), &schedule.name)?;
                    within(&format!("{at}.maximum_retry_attempts"), i64::from(schedule.maximum_retry_attempts), 0, 2)?;
                    if schedules.contains(&&schedule.name) {
                        return Err((
                            format!("{at}.name"),
                            format!("must be unique, but `{}` is named twice", schedule.name),
                        ));
                    }
                    schedules.push(&schedule.name);
                }
                Trigger::Http(http) => {
                    if http.path != "$default" && !http.path.starts_with('/') {
                        return Err((
                            format!("triggers[{index}].http.path"),
                            "must begin with `/` or be `$default`".to_owned(),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Objects {
    fn check(&self, needed: bool) -> Result<(), (String, String)> {
        let given = !self.reads.is_empty() || !self.writes.is_empty();
        if given != needed {
            let expected = "must name the prefixes that it reads or writes where it needs `objects`, and only there";
            return Err(("objects".to_owned(), expected.to_owned()));
        }
        for (key, prefixes) in [("objects.reads", &self.reads), ("objects.writes", &self.writes)] {
            if let Some(prefix) = prefixes.iter().find(|prefix| !is_prefix(prefix)) {
                let expected = "must be lower-case letters, digits, `-` and `/`, not begin with `/` and end with it";
                return Err((key.to_owned(), format!("{expected}, such as models/, but is `{prefix}`")));
            }
        }
        Ok(())
    }
}

/// Whether it is a folder: without the `/` at its end `models` would be `models-of-others/`, too, and `*` is IAM's own.
fn is_prefix(text: &str) -> bool {
    text.ends_with('/')
        && !text.starts_with('/')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '/')
}

impl KafkaTrigger {
    fn check(&self, at: &str) -> Result<(), (String, String)> {
        filled(&format!("{at}.topic"), &self.topic)?;
        filled(&format!("{at}.consumer_group"), &self.consumer_group)?;
        within(&format!("{at}.batch_size"), i64::try_from(self.batch_size).unwrap_or(i64::MAX), 1, 10_000)?;
        within(&format!("{at}.batch_window_ms"), i64::try_from(self.batch_window_ms).unwrap_or(i64::MAX), 0, 300_000)?;
        within(&format!("{at}.maximum_retry_attempts"), self.maximum_retry_attempts, -1, 10_000)?;
        if self.maximum_record_age_seconds != -1 {
            within(&format!("{at}.maximum_record_age_seconds"), self.maximum_record_age_seconds, 60, 604_800)
                .map_err(|(key, expected)| (key, format!("{expected}, or -1 for no limit")))?;
        }
        if let Some(prefix) = &self.on_failure {
            filled(&format!("{at}.on_failure"), prefix)?;
        }
        Ok(())
    }
}

fn within(key: &str, value: i64, least: i64, most: i64) -> Result<(), (String, String)> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err((key.to_owned(), format!("must be {least} to {most}, but is {value}")))
}

fn filled(key: &str, value: &str) -> Result<(), (String, String)> {
    if value.is_empty() { Err((key.to_owned(), "must not be empty".to_owned())) } else { Ok(()) }
}

fn default_batch_size() -> usize {
    100
}

fn default_batch_window_ms() -> u64 {
    500
}

fn without_limit() -> i64 {
    -1
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

fn utc() -> Tz {
    Tz::UTC
}

fn empty_input() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

fn expression<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Expression, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn timezone<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Tz, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| {
        serde::de::Error::custom(format!("must be an IANA time zone such as Europe/Paris, but is `{text}`"))
    })
}

#[cfg(test)]
mod tests;
