//! Metrics in CloudWatch's embedded metric format: one JSON line on stdout for each emission, of which CloudWatch makes metrics.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a metric's values are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimensions {
    /// The function alone.
    Function,
    /// The function and the topic that it reads.
    Topic,
    /// The function, the topic and the field that was wrong: `value` is the record as a whole, `store` what the database
    /// refused.
    Field,
}

impl Dimensions {
    /// Their names in CloudWatch.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Function => &["Function"],
            Self::Topic => &["Function", "Topic"],
            Self::Field => &["Function", "Topic", "Field"],
        }
    }
}

macro_rules! metrics {
    ($($metric:ident in $unit:ident by $dimensions:ident: $meaning:literal;)*) => {
        /// Every metric that a function emits: a closed list, which docs/metrics.md repeats. Alarms and graphs rely on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric {
            $(#[doc = $meaning] $metric,)*
        }

        impl Metric {
            /// The list.
            pub const ALL: &'static [Self] = &[$(Self::$metric,)*];

            /// Its name in CloudWatch.
            pub fn name(self) -> &'static str {
                match self { $(Self::$metric => stringify!($metric),)* }
            }

            /// Its unit in CloudWatch.
            pub fn unit(self) -> &'static str {
                match self { $(Self::$metric => stringify!($unit),)* }
            }

            /// What its values are told apart by.
            pub fn dimensions(self) -> Dimensions {
                match self { $(Self::$metric => Dimensions::$dimensions,)* }
            }

            /// What it says.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$metric => $meaning,)* }
            }
        }
    };
}

metrics! {
    RecordsStored in Count by Topic: "Records stored.";
    RecordsDuplicate in Count by Topic: "Records whose identity was stored before.";
    RecordsRejected in Count by Topic: "Records refused.";
    RejectsByField in Count by Field: "Records refused, by the field that was wrong.";
    RecordsRedelivered in Count by Topic: "Records delivered once more, which do not count.";
    EventsUnrated in Count by Topic: "Usage events stored without a price.";
    LagAge in Seconds by Topic:
        "How long the oldest record of a partition's batch had waited when the batch was done or failed.";
    BatchesFailed in Count by Topic:
        "Partitions of a batch for which a retry was asked; 0 when the batch was done.";
    BatchDuration in Milliseconds by Topic: "How long a partition's batch took.";
    TemperatureAlarmsOpened in Count by Function: "Alarms opened because a sensor measured too much.";
    SilentAlarmsOpened in Count by Function: "Alarms opened because a sensor fell silent.";
    SensorsHot in Count by Function: "Sensors with an open temperature alarm.";
    SensorsSilent in Count by Function: "Sensors that are silent.";
    DocumentsWritten in Count by Function: "Documents written by the cache.";
    CacheAge in Seconds by Function: "How old what the documents say is.";
    CacheIncomplete in Count by Function:
        "Runs of the cache that ended before the documents had caught up; 0 when they had.";
    ConservationDifference in Count by Function:
        "Records that the ledger passed and counts nowhere, or counts twice. Must be 0.";
    BillingDifference in None by Function:
        "Exact charges less what invoices carry of them (nets and kept rounding), in the operator's currency, \
         whatever the sign. Must be 0.";
    InvoicesIssued in Count by Function: "Invoices and credit notes issued.";
    RowsArchived in Count by Function: "Rows written to the archive.";
    CustomersScored in Count by Function: "Snapshots that got a churn score.";
    CustomersUnscored in Count by Function:
        "Snapshots that were stored without a score, for want of a champion.";
    ChurnAlertsOpened in Count by Function: "Customers whose score crossed the threshold.";
    ChampionLoadFailures in Count by Function: "Times that the champion's artefact could not be used.";
    DocumentsFailed in Count by Function: "Times that scoring went on without the documents.";
    TrainingRows in Count by Function: "Labelled examples that a model was trained on.";
    TrainingRowsLeftOut in Count by Function:
        "Labelled examples that a training left out, because its memory holds no more: time for the Spark job.";
    ModelsPromoted in Count by Function: "Models that became champion.";
    ChampionAge in Seconds by Function:
        "How old the champion is: the time since its newest training observation.";
    ChampionLogLoss in None by Function: "The champion's log loss on the part that no model is trained on.";
    FeatureDrift in None by Function:
        "The population stability index of the feature that moved furthest since the champion's training.";
    ScoreDrift in None by Function: "The population stability index of the champion's score.";
    LivePrecision in None by Function:
        "Of the customers that the champion said would leave and whose label came since, the share that left. From 100 labels on.";
    LiveRecall in None by Function:
        "Of the customers that left by the labels that came since, the share that the champion said would. From 100 labels on.";
    MonitoringFailed in Count by Function:
        "Trainings after which the champion could not be compared with the present; 0 when it could.";
    ForecastsMade in Count by Function: "Series that were forecast.";
    ForecastsNotMade in Count by Function:
        "Series that could not be forecast: most have too little history yet.";
    ForecastsLeft in Count by Function: "Series that a run had no time for, which are the next run's first.";
    ForecastAlertsOpened in Count by Function: "Thresholds that a forecast newly expects to be crossed.";
    CrossingsExpected in Count by Function: "Thresholds that forecasts expect to be crossed.";
    ForecastCoverage in Percent by Function:
        "The share of what came that lay in the 80 % bands of forecasts.";
    DashboardErrors in Count by Function:
        "Answers of the page with a status of 500 or more; 0 for any other.";
    DashboardLatency in Milliseconds by Function: "How long the page took for an answer.";
    RunDuration in Milliseconds by Function: "How long a run of a scheduled task took.";
}

/// Emits some metrics of this function. `topic` is a second dimension where records are counted.
pub fn emit(topic: Option<&str>, values: &[(Metric, f64)]) {
    let topic = topic.map(|topic| ("Topic", topic));
    print(topic.as_slice(), values);
}

/// Emits a metric of this function by the fields of a topic's records.
pub fn emit_by_field<'a>(topic: &str, metric: Metric, values: impl IntoIterator<Item = (&'a str, f64)>) {
    for (field, value) in values {
        print(&[("Topic", topic), ("Field", field)], &[(metric, value)]);
    }
}

fn print(dimensions: &[(&str, &str)], values: &[(Metric, f64)]) {
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "local".into());
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let line = line(millis, &function, dimensions, values);
    // A closed stdout ends the process's log, not its work.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Names and dimensions come from code and settings; only letters, digits and `-_.` of them are kept, so nothing needs escaping.
fn line(millis: u128, function: &str, dimensions: &[(&str, &str)], values: &[(Metric, f64)]) -> String {
    let plain =
        |text: &str| -> String { text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect() };
    let definitions: Vec<String> = values
        .iter()
        .map(|(metric, _)| format!(r#"{{"Name":"{}","Unit":"{}"}}"#, metric.name(), metric.unit()))
        .collect();
    let names: String = dimensions.iter().map(|(name, _)| format!(r#","{name}""#)).collect();
    let mut line = format!(
        r#"{{"_aws":{{"Timestamp":{millis},"CloudWatchMetrics":[{{"Namespace":"Millrace","Dimensions":[["Function"{names}]],"Metrics":[{}]}}]}},"Function":"{}""#,
        definitions.join(","),
        plain(function)
    );
    for (name, value) in dimensions {
        let _ = write!(line, r#","{name}":"{}""#, plain(value));
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
        let values = [(Metric::RecordsStored, 3.0), (Metric::BatchDuration, 1.5)];
        let line = line(7, "rate", &[("Topic", "usage-events")], &values);
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["RecordsStored"], 3.0);
        assert_eq!(json["Topic"], "usage-events");
        let directive = &json["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], serde_json::json!([["Function", "Topic"]]));
        assert_eq!(directive["Metrics"][1], serde_json::json!({"Name": "BatchDuration", "Unit": "Milliseconds"}));
    }

    #[test]
    fn a_line_has_the_dimensions_of_what_it_is_about() {
        let of = |dimensions: &[(&str, &str)]| {
            let line = line(7, "rate", dimensions, &[(Metric::RejectsByField, 1.0)]);
            let json: serde_json::Value = serde_json::from_str(&line).unwrap();
            json["_aws"]["CloudWatchMetrics"][0]["Dimensions"].clone()
        };
        assert_eq!(of(&[]), serde_json::json!([Dimensions::Function.names()]));
        assert_eq!(of(&[("Topic", "t")]), serde_json::json!([Dimensions::Topic.names()]));
        assert_eq!(of(&[("Topic", "t"), ("Field", "f")]), serde_json::json!([Dimensions::Field.names()]));
    }

    #[test]
    fn the_documented_list_is_this_one() {
        let row = |metric: &Metric| {
            let dimensions = metric.dimensions().names().join(", ");
            format!("| `{}` | {} | {dimensions} | {} |", metric.name(), metric.unit(), metric.meaning())
        };
        // The last column, which names alarms, is compared with terraform/alarms.json by terraform/tests/alarms.py.
        let rows = include_str!("../../../docs/metrics.md").lines().filter(|line| line.starts_with("| `"));
        let documented: Vec<String> =
            rows.map(|row| row.rsplitn(3, '|').nth(2).map(|rest| format!("{rest}|")).unwrap_or_default()).collect();
        assert_eq!(documented, Metric::ALL.iter().map(row).collect::<Vec<_>>());
    }
}
