//! CloudWatch's embedded metric format: what a line of a function's log measures.

use serde_json::Value;

use crate::measurement::Measurement;

/// Hands over each measurement of a line; most lines have none. What the format does not allow is passed over, as CloudWatch does.
pub fn read(line: &str, mut take: impl FnMut(&Measurement<'_>)) {
    // Told by a glance, as most lines of a log are no metrics.
    if !line.starts_with('{') || !line.contains(r#""_aws""#) {
        return;
    }
    let Ok(line) = serde_json::from_str::<Value>(line) else { return };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for directive in list(&line["_aws"]["CloudWatchMetrics"]) {
        let Some(namespace) = directive["Namespace"].as_str() else { continue };
        for names in list(&directive["Dimensions"]) {
            let names = list(&names);
            let named = names.iter().map(|name| Some((name.as_str()?, line.get(name.as_str()?)?.as_str()?)));
            let Some(dimensions) = named.collect::<Option<Vec<(&str, &str)>>>() else { continue };
            for metric in list(&directive["Metrics"]) {
                let Some(metric) = metric["Name"].as_str() else { continue };
                let values = match &line[metric] {
                    Value::Array(values) => values.iter().filter_map(Value::as_f64).collect(),
                    value => Vec::from_iter(value.as_f64()),
                };
                for value in values {
                    take(&Measurement { namespace, metric, dimensions: &dimensions, value });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(line: &str) -> Vec<String> {
        let mut measured = Vec::new();
        read(line, |measurement| {
            let Measurement { namespace, metric, dimensions, value } = measurement;
            measured.push(format!("{namespace} {metric} {dimensions:?} {value}"));
        });
        measured
    }

    #[test]
    fn each_metric_is_measured_by_its_dimensions() {
        let line = r#"{"_aws":{"Timestamp":7,"CloudWatchMetrics":[{"Namespace":"Millrace","Dimensions":[["Function","Topic"],["Function"]],"Metrics":[{"Name":"RecordsStored","Unit":"Count"},{"Name":"LagAge","Unit":"Seconds"}]}]},"Function":"rate","Topic":"usage-events","RecordsStored":3,"LagAge":[0.5,1.5]}"#;
        assert_eq!(
            measured(line),
            [
                r#"Millrace RecordsStored [("Function", "rate"), ("Topic", "usage-events")] 3"#,
                r#"Millrace LagAge [("Function", "rate"), ("Topic", "usage-events")] 0.5"#,
                r#"Millrace LagAge [("Function", "rate"), ("Topic", "usage-events")] 1.5"#,
                r#"Millrace RecordsStored [("Function", "rate")] 3"#,
                r#"Millrace LagAge [("Function", "rate")] 0.5"#,
                r#"Millrace LagAge [("Function", "rate")] 1.5"#,
            ]
        );
    }

    #[test]
    fn what_is_no_metric_measures_nothing() {
        for line in [
            "",
            "START RequestId: 1",
            r#"{"level":"INFO","message":"_aws"}"#,
            r#"{"_aws":{"CloudWatchMetrics":[{"Namespace":"Millrace","Dimensions":[["Function"]],"Metrics":[{"Name":"A"}]}]},"A":1}"#,
            r#"{"_aws":{"CloudWatchMetrics":[{"Namespace":"Millrace","Dimensions":[["Function"]],"Metrics":[{"Name":"A"}]}]},"Function":"f","A":"1"}"#,
            r#"{"_aws":{"CloudWatchMetrics":3},"A":1}"#,
            r#"{"_aws": cut"#,
        ] {
            assert_eq!(measured(line), Vec::<String>::new(), "{line}");
        }
    }
}
