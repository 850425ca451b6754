//! What the host measures: functions' own metrics in their logs, and Lambda's of them.

use std::sync::{Arc, Mutex};

use millrace_alarms::Measurement;
use serde_json::json;

use crate::support::{Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_line_in_the_embedded_metric_format_is_measured_and_so_is_each_invocation() {
    let measured = Arc::new(Mutex::new(Vec::new()));
    let sink = measured.clone();
    let host = Setup::new()
        .function("one", json!({}))
        .configure(|config| {
            config.metrics = Some(Arc::new(move |measurement: &Measurement<'_>| {
                let Measurement { namespace, metric, dimensions, value } = measurement;
                // A duration is never the same.
                let value = if *metric == "Duration" { value.signum() } else { *value };
                sink.lock().unwrap().push(format!("{namespace} {metric} {dimensions:?} {value}"));
            }));
        })
        .start();
    let line = r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Millrace","Dimensions":[["Function"]],"Metrics":[{"Name":"RunDuration","Unit":"Milliseconds"}]}]},"Function":"one","RunDuration":7}"#;
    host.answer("one", json!({"do": "print", "message": line})).await;
    host.invoke("one", json!({"do": "error", "message": "no"})).await;
    let of_function = |metric: &str, value: u8| format!(r#"AWS/Lambda {metric} [("FunctionName", "one")] {value}"#);
    // The probe prints the line on its error output too, but with something behind it, which makes it no JSON.
    let expected = [
        r#"Millrace RunDuration [("Function", "one")] 7"#.to_owned(),
        of_function("Errors", 0),
        of_function("Duration", 1),
        of_function("Errors", 1),
        of_function("Duration", 1),
    ];
    eventually("the measurements", || async { measured.lock().unwrap().len() >= expected.len() }).await;
    assert_eq!(*measured.lock().unwrap(), expected);
    assert!(host.log("one").contains(line), "the log has it, too");
}
