//! Events that are invoked by name: `{"do": …}`.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};

pub(crate) async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let LambdaEvent { payload, context } = event;
    let number = |name: &str| payload.get(name).and_then(Value::as_u64).unwrap_or_default();
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    journal(&text("note"), "begin");
    match text("do").as_str() {
        "error" => return Err(text("message").into()),
        "panic" => {
            let message = text("message");
            std::panic::resume_unwind(Box::new(message));
        }
        "exit" => {
            println!("the last words before the end");
            std::process::exit(i32::try_from(number("code")).unwrap_or(1));
        }
        "exit-soon" => {
            std::thread::spawn(|| {
                std::thread::sleep(Duration::from_millis(100));
                std::process::exit(0);
            });
        }
        "sleep" => tokio::time::sleep(Duration::from_millis(number("ms"))).await,
        "allocate" => {
            let mut kept = Vec::new();
            for _ in 0..number("mb") {
                // Written, so that it is resident and not only reserved.
                kept.push(vec![1_u8; 1024 * 1024]);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            return Ok(json!({"allocated_mb": kept.iter().map(Vec::len).sum::<usize>() / 1024 / 1024}));
        }
        "reserve" => {
            let reserved: Vec<u8> = Vec::with_capacity(usize::try_from(number("mb"))? * 1024 * 1024);
            return Ok(json!({"reserved_mb": reserved.capacity() / 1024 / 1024}));
        }
        "large" => return Ok(Value::String("x".repeat(usize::try_from(number("bytes"))?))),
        "print" => {
            println!("{}", text("message"));
            eprintln!("{} (error output)", text("message"));
        }
        "environment" => return Ok(std::env::vars().collect()),
        "context" => {
            return Ok(json!({
                "request_id": context.request_id,
                "deadline_ms": context.deadline,
                "function_arn": context.invoked_function_arn,
                "trace_id": context.xray_trace_id,
                "now_ms": std::time::UNIX_EPOCH.elapsed()?.as_millis(),
            }));
        }
        _ => {}
    }
    journal(&text("note"), "end");
    Ok(json!({"pid": std::process::id(), "event": payload}))
}

/// Notes a moment of an event in the file that `PROBE_JOURNAL` names.
fn journal(note: &str, moment: &str) {
    if let Some(path) = std::env::var_os("PROBE_JOURNAL") {
        crate::kafka::append(path.as_ref(), &json!({"note": note, "moment": moment}));
    }
}
