//! The file of alarms, as Terraform reads it too. The format is strict: what CloudWatch would refuse, or what cannot be evaluated
//! here, is an error that names the alarm and the key.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// Every alarm, and how they page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definitions {
    /// For people.
    #[serde(rename = "about")]
    _about: IgnoredAny,
    /// How groups wait for one another.
    pub silence: Silence,
    /// Alarms that page as one, by severity.
    pub groups: Vec<Group>,
    /// The metric alarms.
    pub alarms: Vec<Definition>,
}

/// How a group waits for the one that silences it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// How long a group that is in alarm waits for the one that may silence it, in seconds.
    pub wait_seconds: u64,
    /// How long it keeps quiet after that one is no longer in alarm, in seconds.
    pub extension_seconds: u64,
}

/// Alarms that page as one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The groups that may explain it: while a critical alarm of one of them is on, this one keeps quiet.
    pub silenced_by: Vec<String>,
}

/// One alarm, of which there is one for each thing that it watches.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name, and its section in the runbook.
    pub name: String,
    /// The group that it pages with.
    pub group: String,
    /// The kind of thing that it watches.
    #[serde(rename = "for")]
    pub of: String,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric.
    pub metric: String,
    /// The metric's unit.
    pub unit: String,
    /// The metric's dimensions; `{…}` stands for a name of the thing.
    pub dimensions: BTreeMap<String, String>,
    /// What is made of a period's values.
    pub statistic: Statistic,
    /// A period, in seconds: whole minutes.
    pub period_seconds: u64,
    /// How many periods are looked at.
    pub evaluation_periods: usize,
    /// How many of them must be over the threshold, or under it.
    pub datapoints_to_alarm: usize,
    /// Over or under.
    pub comparison: Comparison,
    /// The threshold, in the metric's unit.
    pub threshold: f64,
    /// What the threshold is a share of.
    #[serde(default)]
    pub threshold_of: Option<ThresholdOf>,
    /// What a period without a value counts as.
    pub missing_data: MissingData,
    /// How bad it is.
    pub severity: Severity,
    /// What it says, for people.
    pub meaning: String,
}

/// What is made of a period's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Statistic {
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// How many there are.
    SampleCount,
    /// Half are at most as great.
    #[serde(rename = "p50")]
    P50,
    /// 90 in 100 are at most as great.
    #[serde(rename = "p90")]
    P90,
    /// 95 in 100 are at most as great.
    #[serde(rename = "p95")]
    P95,
    /// 99 in 100 are at most as great.
    #[serde(rename = "p99")]
    P99,
}

impl Statistic {
    /// The percentile that it is, if it is one.
    pub fn percentile(self) -> Option<usize> {
        match self {
            Self::P50 => Some(50),
            Self::P90 => Some(90),
            Self::P95 => Some(95),
            Self::P99 => Some(99),
            Self::Sum | Self::Average | Self::Minimum | Self::Maximum | Self::SampleCount => None,
        }
    }
}

/// When a datapoint is breaching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Comparison {
    /// Above the threshold.
    #[serde(rename = "GreaterThanThreshold")]
    Greater,
    /// At it or above.
    #[serde(rename = "GreaterThanOrEqualToThreshold")]
    AtLeast,
    /// Below the threshold.
    #[serde(rename = "LessThanThreshold")]
    Less,
    /// At it or below.
    #[serde(rename = "LessThanOrEqualToThreshold")]
    AtMost,
}

impl Comparison {
    /// Whether a datapoint is breaching.
    pub fn breaches(self, datapoint: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => datapoint > threshold,
            Self::AtLeast => datapoint >= threshold,
            Self::Less => datapoint < threshold,
            Self::AtMost => datapoint <= threshold,
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Greater => "greater than",
            Self::AtLeast => "at least",
            Self::Less => "less than",
            Self::AtMost => "at most",
        }
    }
}

/// What a threshold is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdOf {
    /// The function's timeout, in milliseconds.
    TimeoutMs,
}

/// What a period without a value counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingData {
    /// As breaching.
    Breaching,
    /// As not breaching.
    NotBreaching,
    /// The alarm stays as it is.
    Ignore,
    /// As nothing: without any value the alarm has insufficient data.
    Missing,
}

/// How bad an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody should be woken.
    Critical,
    /// It can wait for the morning.
    Warning,
}

impl Severity {
    /// Both, the worse first.
    pub const ALL: [Self; 2] = [Self::Critical, Self::Warning];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

/// A file of alarms that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// A key is unknown, missing, or of another kind.
    #[error("`{key}`: {problem}")]
    Malformed {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// A group is wrong.
    #[error("group {group}: {problem}")]
    Group {
        /// Which one.
        group: String,
        /// What is wrong.
        problem: String,
    },
    /// An alarm is wrong.
    #[error("alarm {alarm}: `{key}` {expected}")]
    Alarm {
        /// Which one.
        alarm: String,
        /// The key.
        key: &'static str,
        /// What was expected of it.
        expected: String,
    },
}

impl Definitions {
    /// Reads the file's text.
    ///
    /// # Errors
    /// Names the first key, group or alarm that is wrong.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let definitions: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            DefinitionError::Malformed { key: error.path().to_string(), problem: error.inner().to_string() }
        })?;
        json.end().map_err(|error| DefinitionError::Malformed { key: ".".into(), problem: error.to_string() })?;
        definitions.check()?;
        Ok(definitions)
    }

    fn check(&self) -> Result<(), DefinitionError> {
        let groups: BTreeSet<&str> = self.groups.iter().map(|group| group.name.as_str()).collect();
        for group in &self.groups {
            let is_another = |by: &str| groups.contains(by) && by != group.name;
            if let Some(by) = group.silenced_by.iter().find(|by| !is_another(by)) {
                let problem = format!("silenced_by: there is no other group {by}");
                return Err(DefinitionError::Group { group: group.name.clone(), problem });
            }
        }
        let mut names = BTreeSet::new();
        for alarm in &self.alarms {
            let wrong = |key, expected: &str| {
                Err(DefinitionError::Alarm { alarm: alarm.name.clone(), key, expected: expected.into() })
            };
            if !names.insert(&alarm.name) {
                return wrong("name", "is another alarm's, too");
            }
            if !groups.contains(alarm.group.as_str()) {
                return wrong("group", "is none of the groups");
            }
            if alarm.period_seconds == 0 || !alarm.period_seconds.is_multiple_of(60) {
                return wrong("period_seconds", "must be whole minutes");
            }
            if alarm.evaluation_periods == 0 || alarm.evaluation_periods as u64 > 86_400 / alarm.period_seconds {
                return wrong("evaluation_periods", "must be at least 1, and reach back a day at most");
            }
            if alarm.datapoints_to_alarm == 0 || alarm.datapoints_to_alarm > alarm.evaluation_periods {
                return wrong("datapoints_to_alarm", "must be at least 1, and at most evaluation_periods");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file(change: &str, to: &str) -> String {
        let file = r#"{"about": "", "silence": {"wait_seconds": 120, "extension_seconds": 300},
            "groups": [{"name": "database", "silenced_by": []}, {"name": "ingest", "silenced_by": ["database"]}],
            "alarms": [{"name": "batch-slow", "group": "ingest", "for": "each-mapping", "namespace": "Millrace",
                "metric": "BatchDuration", "unit": "Milliseconds", "dimensions": {"Topic": "{topic}"}, "statistic": "p99",
                "period_seconds": 300, "evaluation_periods": 3, "datapoints_to_alarm": 3,
                "comparison": "GreaterThanThreshold", "threshold": 20000, "missing_data": "notBreaching",
                "severity": "warning", "meaning": "batches take long"}]}"#;
        assert!(file.contains(change));
        file.replace(change, to)
    }

    #[test]
    fn the_project_s_file_is_understood() {
        let definitions = Definitions::parse(include_str!("../../../terraform/alarms.json")).unwrap();
        assert!(definitions.alarms.iter().any(|alarm| alarm.statistic == Statistic::P99));
        assert!(definitions.alarms.iter().any(|alarm| alarm.missing_data == MissingData::Ignore));
        assert!(definitions.alarms.iter().any(|alarm| alarm.threshold_of == Some(ThresholdOf::TimeoutMs)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |change: &str, to: &str| Definitions::parse(&file(change, to)).unwrap_err().to_string();
        assert!(error("threshold\"", "treshold\"").starts_with("`alarms[0]"), "{}", error("threshold\"", "treshold\""));
        assert!(error("\"p99\"", "\"p42\"").contains("p42"));
        for other in ["nobody", "ingest"] {
            assert_eq!(
                error("[\"database\"]}", &format!("[\"database\", \"{other}\"]}}")),
                format!("group ingest: silenced_by: there is no other group {other}")
            );
        }
        assert_eq!(error("\"ingest\", \"for\"", "\"x\", \"for\""), "alarm batch-slow: `group` is none of the groups");
        assert_eq!(
            error(": 300, \"evaluation", ": 90, \"evaluation"),
            "alarm batch-slow: `period_seconds` must be whole minutes"
        );
        assert!(error("\"evaluation_periods\": 3", "\"evaluation_periods\": 289").contains("a day at most"));
        assert!(
            error("\"datapoints_to_alarm\": 3", "\"datapoints_to_alarm\": 4").contains("at most evaluation_periods")
        );
    }
}
