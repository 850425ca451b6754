use std::io::Write;
use std::process::Stdio;

use chrono::Utc;
use millrace_tests::base64;
use serde_json::{Value, json};

use crate::replay::event;
use crate::{Bench, Said};

pub(crate) fn answers_as_lambda_does(bench: &Bench) {
    // With no event it is an empty object.
    let printed = bench.succeed(&["invoke", "migrate"]);
    serde_json::from_str::<Value>(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));

    let last = bench.last_reject();
    let record = |offset: u64, value: &[u8]| {
        json!({
            "topic": "usage-events", "partition": 1_000, "offset": offset, "timestamp": Utc::now().timestamp_millis(),
            "timestampType": "LOG_APPEND_TIME", "key": base64::encode(b"212600000001"), "value": base64::encode(value),
            "headers": [{"source": [110, 105]}, {"source": [0, 255]}],
        })
    };
    let good = event("00000000-0000-4000-8005-000000000001");
    let batch = json!({
        "eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:eu-west-1:000000000000:cluster/own/1",
        "bootstrapServers": "127.0.0.1:1",
        "records": {"usage-events-1000": [record(0, good.as_bytes()), record(1, b"no event")]},
    });
    let file = bench.file("event.json", batch.to_string());
    let answer = bench.json(&["invoke", "rate", "--event", file.to_str().unwrap()]);
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let rejects = bench.rejects_after("usage-events", last);
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    let reject = bench.reject(&rejects[0]);
    assert_eq!(reject["payload"], "no event");
    // Names that repeat and bytes that are no text go onto the topic and come back.
    bench.succeed(&["rejects", "replay", &reject["reject_id"].to_string()]);
    bench.stack.wait_until("its replay", std::time::Duration::from_secs(30), |_| {
        bench.rejects_after("usage-events", last).len() == 2
    });
    let again = bench.reject(&bench.rejects_after("usage-events", last)[1]);
    for same in ["payload_base64", "key", "headers"] {
        assert_eq!(again[same], reject[same], "{same}");
    }

    // From standard input, as `sam local invoke` takes it.
    let mut invoke = bench.stack.command(["invoke", "rate", "--event", "-"]);
    let mut running = invoke.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(batch.to_string().as_bytes()).unwrap();
    let said = Said::of(&running.wait_with_output().unwrap());
    assert_eq!((said.exit, said.out.trim()), (0, r#"{"batchItemFailures":[]}"#), "{said:?}");

    // The handler's error, and that of a start that fails.
    let no_batch = bench.file("no-batch.json", r#"{"records": 5}"#);
    for arguments in [vec!["invoke", "rate", "--event", no_batch.to_str().unwrap()], vec!["invoke", "score"]] {
        let said = bench.run(&arguments);
        let payload: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        assert_eq!(said.exit, 1, "{said:?}");
        assert!(payload["errorType"].is_string() && payload["errorMessage"].is_string(), "{payload}");
    }
    let no_json = bench.file("no-json.json", "{");
    bench.run(&["invoke", "rate", "--event", no_json.to_str().unwrap()]).names(2, &["--event", "no-json.json"]);
    bench.run(&["invoke", "paint"]).names(2, &["paint"]);
}
