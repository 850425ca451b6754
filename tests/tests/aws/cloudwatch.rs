//! CloudWatch of an emulator, by AWS' own client for Python; and what CloudWatch does by itself where functions run in Lambda: it
//! makes metrics of their logs and judges alarms by them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use millrace_alarms::{Board, Definition, Definitions, Measurement, Thing};
use millrace_test_support::environment::required;
use millrace_test_support::stack::project_root;
use serde_json::{Value, json};

use crate::emulator::{Moto, REGION};

/// CloudWatch at an address.
pub(crate) struct CloudWatch {
    address: String,
}

impl CloudWatch {
    pub(crate) fn at(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// The answer of an operation that must succeed.
    fn call(&self, operation: &str, parameters: &Value) -> Value {
        // moto's environment has the client; the command of its server stands beside its Python.
        let python = Path::new(&required("MILLRACE_TEST_MOTO")).with_file_name("python");
        let mut child = Command::new(python)
            .arg("-B")
            .arg(project_root().join("tests/moto/cloudwatch.py"))
            .args([&self.address, REGION, operation])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("moto's Python runs: scripts/test installs it");
        child.stdin.take().unwrap().write_all(parameters.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{operation} {parameters}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Makes metrics of a log's lines in the embedded metric format, as CloudWatch does with the log of a function in Lambda.
    pub(crate) fn take_log(&self, log: &str) {
        for line in log.lines().filter(|line| line.starts_with('{') && line.contains("\"_aws\"")) {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            for directive in list(&line["_aws"]["CloudWatchMetrics"]) {
                let data: Vec<Value> = list(&directive["Dimensions"])
                    .iter()
                    .flat_map(|names| list(&directive["Metrics"]).iter().map(move |metric| (list(names), metric)))
                    .map(|(names, metric)| datum(&line, names, metric))
                    .collect();
                self.call("put_metric_data", &json!({"Namespace": text(&directive["Namespace"]), "MetricData": data}));
            }
        }
    }
}

/// A metric of a line, as `PutMetricData` takes it.
fn datum(line: &Value, names: &[Value], metric: &Value) -> Value {
    let at = line["_aws"]["Timestamp"].as_i64().and_then(DateTime::from_timestamp_millis).expect("its time");
    let dimensions: Vec<Value> =
        names.iter().map(|name| json!({"Name": name, "Value": text(&line[text(name)])})).collect();
    let value = &line[text(&metric["Name"])];
    json!({
        "MetricName": metric["Name"], "Dimensions": dimensions, "Timestamp": iso(at), "Unit": metric["Unit"],
        "Values": value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]),
    })
}

/// An alarm of one thing, put as Terraform puts it.
pub(crate) struct Alarm<'a> {
    cloudwatch: &'a CloudWatch,
    definitions: Definitions,
    thing: Thing,
    began: DateTime<Utc>,
}

impl<'a> Alarm<'a> {
    /// Puts the alarm of this name in `terraform/alarms.json` for one function.
    pub(crate) fn put(cloudwatch: &'a CloudWatch, name: &str, function: &str) -> Self {
        let file = std::fs::read_to_string(project_root().join("terraform/alarms.json")).unwrap();
        let mut definitions = Definitions::parse(&file).unwrap();
        definitions.alarms.retain(|definition| definition.name == name);
        let thing = Thing {
            kinds: vec![format!("function:{function}")],
            key: function.to_owned(),
            names: [("function".to_owned(), function.to_owned())].into(),
            ..Thing::default()
        };
        let alarm = Self { cloudwatch, definitions, thing, began: Utc::now() - TimeDelta::minutes(1) };
        let raw: Value = serde_json::from_str(&file).unwrap();
        let said = list(&raw["alarms"]).iter().find(|alarm| alarm["name"] == name).expect("it is in the list");
        cloudwatch.call(
            "put_metric_alarm",
            &json!({
                "AlarmName": name, "Namespace": said["namespace"], "MetricName": said["metric"],
                "Dimensions": alarm.dimensions(), "Statistic": said["statistic"], "Period": said["period_seconds"],
                "EvaluationPeriods": said["evaluation_periods"], "DatapointsToAlarm": said["datapoints_to_alarm"],
                "ComparisonOperator": said["comparison"], "Threshold": said["threshold"],
                "TreatMissingData": said["missing_data"],
            }),
        );
        alarm
    }

    fn definition(&self) -> &Definition {
        &self.definitions.alarms[0]
    }

    fn dimensions(&self) -> Vec<Value> {
        let named = |value: &str| match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
            Some(name) => self.thing.names[name].clone(),
            None => value.to_owned(),
        };
        let dimensions = &self.definition().dimensions;
        dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": named(value)})).collect()
    }

    /// Judges by what the emulator says was measured and by the rules of a laptop's alarms, and tells the emulator; the state that
    /// it then says.
    pub(crate) fn judge(&self) -> String {
        let name = &self.definition().name;
        let mut board = Board::new(&self.definitions, std::slice::from_ref(&self.thing)).unwrap();
        for value in self.datapoints() {
            let (dimensions, definition) = (self.dimensions(), self.definition());
            let dimensions: Vec<(&str, &str)> =
                dimensions.iter().map(|it| (text(&it["Name"]), text(&it["Value"]))).collect();
            let Definition { namespace, metric, .. } = definition;
            board.measure(&Measurement { namespace, metric, dimensions: &dimensions, value });
            board.step(Utc::now());
        }
        let judged = &board.report().alarms[0];
        let told = json!({"AlarmName": name, "StateValue": judged.state.as_str(), "StateReason": judged.reason});
        self.cloudwatch.call("set_alarm_state", &told);
        let said = self.cloudwatch.call("describe_alarms", &json!({"AlarmNames": [name]}));
        text(&said["MetricAlarms"][0]["StateValue"]).to_owned()
    }

    /// What the emulator makes of the values in each of the alarm's periods, the oldest first; of values in another unit or with
    /// other dimensions nothing.
    fn datapoints(&self) -> Vec<f64> {
        let Definition { namespace, metric, unit, statistic, period_seconds, .. } = self.definition();
        assert_eq!(*period_seconds, 60, "a laptop's alarms take values by the minute");
        let metric = json!({"Namespace": namespace, "MetricName": metric, "Dimensions": self.dimensions()});
        let statistic =
            json!({"Metric": metric, "Period": period_seconds, "Stat": format!("{statistic:?}"), "Unit": unit});
        // Unlike GetMetricStatistics, moto takes the dimensions of this as AWS does: all of them, and no others.
        let asked = json!({
            "MetricDataQueries": [{"Id": "asked", "MetricStat": statistic}], "ScanBy": "TimestampAscending",
            "StartTime": iso(self.began), "EndTime": iso(Utc::now() + TimeDelta::minutes(1)),
        });
        let answer = self.cloudwatch.call("get_metric_data", &asked);
        list(&answer["MetricDataResults"][0]["Values"]).iter().map(|value| value.as_f64().expect("a number")).collect()
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[test]
fn what_is_emitted_otherwise_than_the_alarm_says_raises_nothing() {
    let moto = Moto::start();
    let cloudwatch = CloudWatch::at(moto.address());
    let alarm = Alarm::put(&cloudwatch, "conservation-broken", "cache");
    let line = |metric: &str, unit: &str, function: &str, dimensions: &[&str]| {
        let directive =
            json!({"Namespace": "Millrace", "Dimensions": [dimensions], "Metrics": [{"Name": metric, "Unit": unit}]});
        let about = json!({"Timestamp": Utc::now().timestamp_millis(), "CloudWatchMetrics": [directive]});
        json!({"_aws": about, "Function": function, "Topic": "usage-events", metric: 1}).to_string()
    };
    for other in [
        line("BillingDifference", "Count", "cache", &["Function"]),
        line("ConservationDifference", "None", "cache", &["Function"]),
        line("ConservationDifference", "Count", "rate", &["Function"]),
        line("ConservationDifference", "Count", "cache", &["Function", "Topic"]),
        line("ConservationDifference", "Count", "cache", &["Topic"]),
    ] {
        cloudwatch.take_log(&format!("START\n{other}\n"));
        assert_eq!(alarm.judge(), "INSUFFICIENT_DATA", "{other}");
    }
    cloudwatch.take_log(&line("ConservationDifference", "Count", "cache", &["Function"]));
    assert_eq!(alarm.judge(), "ALARM");
}
