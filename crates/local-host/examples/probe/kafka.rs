//! Batches of Kafka records: their values say what becomes of the batch, and a journal says what came.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};

/// A record's value decides:
/// `poison` fails the invocation, `slow:MS` takes time, `once:ID` is asked for again the first time, `again` always,
/// `unknown` names an offset that was not sent, `nonsense` gives an answer that is none, `exit-once:ID` ends the process.
pub(crate) async fn handle(event: &LambdaEvent<Value>) -> Result<Value, Error> {
    let journal = std::env::var("PROBE_JOURNAL")?;
    let mut records = Vec::new();
    for (key, batch) in event.payload["records"].as_object().into_iter().flatten() {
        for record in batch.as_array().into_iter().flatten() {
            let value = base64_simd::STANDARD.decode_to_vec(record["value"].as_str().unwrap_or_default())?;
            let value = String::from_utf8_lossy(&value).into_owned();
            records.push((key.clone(), record["offset"].as_i64().unwrap_or(-1), value));
        }
    }
    let seen: Vec<Value> = records.iter().map(|(key, offset, value)| json!([key, offset, value])).collect();
    let mut line = json!({
        "pid": std::process::id(), "begin_ms": now_ms(), "records": seen,
        "bytes": event.payload.to_string().len(),
    });
    append(journal.as_ref(), &line);
    let mut failures = Vec::new();
    for (key, offset, value) in &records {
        let (kind, argument) = value.split_once(':').unwrap_or((value, ""));
        let item = |offset: i64| json!({"itemIdentifier": {"topic-partition": key, "offset": offset}});
        match kind {
            "poison" => return Err("poison in the batch".into()),
            "slow" => tokio::time::sleep(Duration::from_millis(argument.parse()?)).await,
            "again" => failures.push(item(*offset)),
            "once" if first_time(&journal, argument) => failures.push(item(*offset)),
            "unknown" if first_time(&journal, argument) => failures.push(item(1_000_000)),
            "nonsense" if first_time(&journal, argument) => return Ok(json!({"batchItemFailures": [{"offset": 1}]})),
            "exit-once" if first_time(&journal, argument) => std::process::exit(9),
            _ => {}
        }
    }
    line["end_ms"] = now_ms().into();
    append(journal.as_ref(), &line);
    Ok(json!({"batchItemFailures": failures}))
}

/// Appends one line, in one write, so that several processes can share the file.
pub(crate) fn append(path: &Path, line: &Value) {
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

/// Whether this is the first time for `id`, in whichever process.
fn first_time(journal: &str, id: &str) -> bool {
    OpenOptions::new().write(true).create_new(true).open(format!("{journal}.{id}")).is_ok()
}

fn now_ms() -> u64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
