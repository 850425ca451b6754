//! Invocations by name: answers, errors, instances.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Setup, error, eventually, is_running};

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_answers_with_the_functions_payload() {
    let host = Setup::new().function("one", json!({})).start();
    let answer = host.answer("one", json!({"do": "ok", "x": [1, "ü", null]})).await;
    assert_eq!(answer["event"], json!({"do": "ok", "x": [1, "ü", null]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_sees_lambdas_context() {
    let host = Setup::new().function("one", json!({"timeout_seconds": 7})).start();
    let answer = host.invoke("one", json!({"do": "context"})).await;
    let context: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(context["request_id"], answer.request_id);
    assert_eq!(context["function_arn"], "arn:aws:lambda:eu-west-1:000000000000:function:one");
    let left = context["deadline_ms"].as_i64().unwrap() - context["now_ms"].as_i64().unwrap();
    assert!((6_000..=7_000).contains(&left), "{left} ms left of 7 s");
    let trace = context["trace_id"].as_str().unwrap();
    assert!(trace.starts_with("Root=1-") && trace.ends_with(";Sampled=0"), "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_lambdas_the_needed_groups_and_the_functions_own_and_nothing_else() {
    let group = |name: &str| [(format!("{name}_URL"), name.to_owned())].into();
    let host = Setup::new()
        .function("one", json!({"memory_mb": 192, "needs": ["mysql"], "environment": {"COLOUR": "blue"}}))
        .configure(|config| {
            config.environment =
                [("mysql".to_owned(), group("MYSQL")), ("objects".to_owned(), group("OBJECTS"))].into();
            config.common_environment = [("MILLRACE_HOME".to_owned(), "/home".to_owned())].into();
        })
        .start();
    let variables = host.answer("one", json!({"do": "environment"})).await;
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "one"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "192"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/one"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_REGION", "eu-west-1"),
        ("_HANDLER", "one"),
        ("TZ", ":UTC"),
        ("MILLRACE_HOME", "/home"),
        ("MYSQL_URL", "MYSQL"),
        ("COLOUR", "blue"),
    ] {
        assert_eq!(variables[name], value, "{name}");
    }
    assert!(variables["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(variables["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap().contains("[$LATEST]"));
    assert_eq!(variables.get("OBJECTS_URL"), None, "a group that is not needed is not given");
    assert_eq!(variables.get("CARGO_MANIFEST_DIR"), None, "nothing of the host's own environment is inherited");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_function_is_an_unhandled_error_and_the_instance_lives_on() {
    let host = Setup::new().function("one", json!({})).start();
    let before = host.answer("one", json!({})).await;
    let failed = host.invoke("one", json!({"do": "error", "message": "no such customer"})).await;
    assert_eq!(error(&failed).1, "no such customer");
    let after = host.answer("one", json!({})).await;
    assert_eq!(before["pid"], after["pid"]);
    let status = host.host.status();
    assert_eq!((status.functions[0].invocations, status.functions[0].failures), (3, 1));
    assert_eq!(status.functions[0].last_error.as_ref().unwrap().message, "no such customer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_reported_as_the_invocations_error() {
    let host = Setup::new().function("one", json!({})).start();
    let failed = host.invoke("one", json!({"do": "panic", "message": "index out of bounds"})).await;
    assert!(error(&failed).1.contains("index out of bounds"), "{:?}", failed.payload);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_instance_is_used_again_and_no_second_one_is_started() {
    let host = Setup::new().function("one", json!({"concurrency": 4})).start();
    let first = host.answer("one", json!({})).await;
    for _ in 0..5 {
        assert_eq!(host.answer("one", json!({})).await["pid"], first["pid"]);
    }
    assert_eq!(host.host.status().functions[0].instances, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_grow_with_need_up_to_the_concurrency_and_further_invocations_wait() {
    let host = Setup::new().function("one", json!({"concurrency": 3})).start();
    let begun = Instant::now();
    let sleeping = (0..6).map(|_| host.answer("one", json!({"do": "sleep", "ms": 400})));
    let answers = futures::future::join_all(sleeping).await;
    let mut pids: Vec<u64> = answers.iter().map(|answer| answer["pid"].as_u64().unwrap()).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 3);
    assert_eq!(host.host.status().functions[0].instances, 3);
    assert!(begun.elapsed() >= Duration::from_millis(800), "two turns of three: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_nobody_uses_are_ended() {
    let host = Setup::new()
        .function("one", json!({}))
        .configure(|config| config.unused_limit = Duration::from_millis(300))
        .start();
    let pid = host.answer("one", json!({})).await["pid"].as_u64().unwrap();
    assert!(is_running(pid));
    eventually("the process ends", async || !is_running(pid)).await;
    eventually("it counts no more", async || host.host.status().functions[0].instances == 0).await;
    assert_ne!(host.answer("one", json!({})).await["pid"], pid, "a new one is started with need");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_ended_while_it_was_idle_is_replaced_unseen() {
    let host = Setup::new().function("one", json!({})).start();
    let pid = host.answer("one", json!({"do": "exit-soon"})).await["pid"].as_u64().unwrap();
    eventually("the process ends", async || !is_running(pid)).await;
    assert_ne!(host.answer("one", json!({})).await["pid"], pid);
    assert_eq!(host.host.status().functions[0].failures, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_frames_what_the_function_prints_with_lambdas_lines() {
    let host = Setup::new().function("one", json!({})).start();
    let answer = host.invoke("one", json!({"do": "print", "message": "hello"})).await;
    let id = &answer.request_id;
    let log = host.log("one");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(id.as_str()) || line.contains("hello")).collect();
    assert_eq!(lines[0], format!("START RequestId: {id} Version: $LATEST"));
    assert!(lines[1..3].contains(&"hello") && lines[1..3].contains(&"hello (error output)"), "{lines:?}");
    assert_eq!(lines[3], format!("END RequestId: {id}"));
    let report = lines[4];
    for part in ["Duration: ", "Billed Duration: ", "Memory Size: 256 MB", "Max Memory Used: ", "Init Duration: "] {
        assert!(report.contains(part), "{part} in {report}");
    }
    assert!(answer.log_tail.starts_with("START") && answer.log_tail.contains("hello\n"), "{}", answer.log_tail);
    let second = host.invoke("one", json!({})).await;
    assert!(!second.log_tail.contains("Init Duration"), "only the first invocation of an instance tells of its start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_the_invocation_in_flight_end_and_then_ends_every_process() {
    let host = Setup::new().function("one", json!({"concurrency": 2})).start();
    let idle = host.answer("one", json!({})).await["pid"].as_u64().unwrap();
    let running = tokio::spawn({
        let host = host.host.clone();
        async move { host.invoke("one", r#"{"do": "sleep", "ms": 500}"#).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    host.host.stop().await;
    let answer = running.await.unwrap().unwrap();
    assert_eq!(answer.function_error, None);
    assert!(!is_running(idle));
    assert!(host.host.invoke("one", "{}").await.is_err(), "a host that stopped takes nothing");
}
