//! Metrics in CloudWatch's embedded metric format: one JSON line on stdout for each emission, of which CloudWatch makes metrics.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// Every metric that a function emits. Alarms and dashboards rely on the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Records stored.
    RecordsStored,
    /// Records whose identity was stored before.
    RecordsDuplicate,
    /// Records refused.
    RecordsRejected,
    /// Records delivered once more, which do not count.
    RecordsRedelivered,
    /// Partitions of a batch for which a retry was asked.
    BatchesFailed,
    /// How long a partition's batch took.
    BatchDuration,
    /// Alarms opened because a sensor measured too much.
    TemperatureAlarmsOpened,
    /// Alarms opened because a sensor fell silent.
    SilentAlarmsOpened,
    /// Sensors that are silent.
    SensorsSilent,
    /// Documents written by the cache.
    DocumentsWritten,
    /// How old what the documents say is.
    CacheAge,
    /// Invoices and credit notes issued.
    InvoicesIssued,
    /// Rows written to the archive.
    RowsArchived,
    /// Snapshots that got a churn score.
    CustomersScored,
    /// Snapshots that were stored without a score, for want of a champion.
    CustomersUnscored,
    /// Customers whose score crossed the threshold.
    ChurnAlertsOpened,
    /// Times that the champion's artefact could not be used.
    ChampionLoadFailures,
    /// Times that scoring went on without the documents.
    DocumentsFailed,
    /// Labelled examples that a model was trained on.
    TrainingRows,
    /// Labelled examples that a training left out, because its memory holds no more: time for the Spark job.
    TrainingRowsLeftOut,
    /// Models that became champion.
    ModelsPromoted,
    /// How old the champion is: the time since its newest training observation.
    ChampionAge,
    /// The champion's log loss on the part that no model is trained on.
    ChampionLogLoss,
    /// The population stability index of the feature that moved furthest since the champion's training.
    FeatureDrift,
    /// The population stability index of the champion's score.
    ScoreDrift,
    /// Of the customers that the champion said would leave and whose label came since, the share that left.
    LivePrecision,
    /// Of the customers that left by the labels that came since, the share that the champion said would.
    LiveRecall,
    /// Series that were forecast.
    ForecastsMade,
    /// Series that could not be forecast: most have too little history yet.
    ForecastsNotMade,
    /// Series that a run had no time for, which are the next run's first.
    ForecastsLeft,
    /// Thresholds that a forecast newly expects to be crossed.
    ForecastAlertsOpened,
    /// Thresholds that forecasts expect to be crossed.
    CrossingsExpected,
    /// The share of what came that lay in the 80 % bands of forecasts, in percent.
    ForecastCoverage,
    /// How long a run of a scheduled task took.
    RunDuration,
}

impl Metric {
    /// Its name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordsStored => "RecordsStored",
            Self::RecordsDuplicate => "RecordsDuplicate",
            Self::RecordsRejected => "RecordsRejected",
            Self::RecordsRedelivered => "RecordsRedelivered",
            Self::BatchesFailed => "BatchesFailed",
            Self::BatchDuration => "BatchDuration",
            Self::TemperatureAlarmsOpened => "TemperatureAlarmsOpened",
            Self::SilentAlarmsOpened => "SilentAlarmsOpened",
            Self::SensorsSilent => "SensorsSilent",
            Self::DocumentsWritten => "DocumentsWritten",
            Self::CacheAge => "CacheAge",
            Self::InvoicesIssued => "InvoicesIssued",
            Self::RowsArchived => "RowsArchived",
            Self::CustomersScored => "CustomersScored",
            Self::CustomersUnscored => "CustomersUnscored",
            Self::ChurnAlertsOpened => "ChurnAlertsOpened",
            Self::ChampionLoadFailures => "ChampionLoadFailures",
            Self::DocumentsFailed => "DocumentsFailed",
            Self::TrainingRows => "TrainingRows",
            Self::TrainingRowsLeftOut => "TrainingRowsLeftOut",
            Self::ModelsPromoted => "ModelsPromoted",
            Self::ChampionAge => "ChampionAge",
            Self::ChampionLogLoss => "ChampionLogLoss",
            Self::FeatureDrift => "FeatureDrift",
            Self::ScoreDrift => "ScoreDrift",
            Self::LivePrecision => "LivePrecision",
            Self::LiveRecall => "LiveRecall",
            Self::ForecastsMade => "ForecastsMade",
            Self::ForecastsNotMade => "ForecastsNotMade",
            Self::ForecastsLeft => "ForecastsLeft",
            Self::ForecastAlertsOpened => "ForecastAlertsOpened",
            Self::CrossingsExpected => "CrossingsExpected",
            Self::ForecastCoverage => "ForecastCoverage",
            Self::RunDuration => "RunDuration",
        }
    }

    /// Its unit in CloudWatch.
    pub fn unit(self) -> &'static str {
        match self {
            Self::BatchDuration | Self::RunDuration => "Milliseconds",
            Self::CacheAge | Self::ChampionAge => "Seconds",
            Self::ChampionLogLoss | Self::FeatureDrift | Self::ScoreDrift | Self::LivePrecision | Self::LiveRecall => {
                "None"
            }
            Self::ForecastCoverage => "Percent",
            _ => "Count",
        }
    }
}

/// Emits some metrics of this function. `topic` is a second dimension where records are counted.
pub fn emit(topic: Option<&str>, values: &[(Metric, f64)]) {
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "local".into());
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let line = line(millis, &function, topic, values);
    // A closed stdout ends the process's log, not its work.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Names and dimensions come from code and settings; only letters, digits and `-_.` of them are kept, so nothing needs escaping.
fn line(millis: u128, function: &str, topic: Option<&str>, values: &[(Metric, f64)]) -> String {
    let plain =
        |text: &str| -> String { text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect() };
    let definitions: Vec<String> = values
        .iter()
        .map(|(metric, _)| format!(r#"{{"Name":"{}","Unit":"{}"}}"#, metric.name(), metric.unit()))
        .collect();
    let dimensions = if topic.is_some() { r#"["Function","Topic"]"# } else { r#"["Function"]"# };
    let mut line = format!(
        r#"{{"_aws":{{"Timestamp":{millis},"CloudWatchMetrics":[{{"Namespace":"Millrace","Dimensions":[{dimensions}],"Metrics":[{}]}}]}},"Function":"{}""#,
        definitions.join(","),
        plain(function)
    );
    if let Some(topic) = topic {
        let _ = write!(line, r#","Topic":"{}""#, plain(topic));
    }
    for (metric, value) in values {
        let _ = write!(line, r#","{}":{value}"#, metric.name());
    }
    line.push('}');
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_is_json_that_names_each_metric_once() {
        let line = line(7, "rate", Some("usage-events"), &[(Metric::RecordsStored, 3.0), (Metric::BatchDuration, 1.5)]);
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["RecordsStored"], 3.0);
        assert_eq!(json["Topic"], "usage-events");
        let directive = &json["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], serde_json::json!([["Function", "Topic"]]));
        assert_eq!(directive["Metrics"][1], serde_json::json!({"Name": "BatchDuration", "Unit": "Milliseconds"}));
    }
}
