//! Timeouts, crashes, failed starts, memory and payload limits: each counts as a failure, with the log's end.

use std::time::{Duration, Instant};

use millrace_local_host::InvokeError;
use serde_json::json;

use crate::support::{Setup, error, is_running};

const SIX_MB: usize = 6 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_ends_the_instance_and_names_the_limit() {
    let host = Setup::new().function("one", json!({"timeout_seconds": 1})).start();
    let pid = host.answer("one", json!({})).await["pid"].as_u64().unwrap();
    let begun = Instant::now();
    let failed = host.invoke("one", json!({"do": "sleep", "ms": 60_000})).await;
    let (kind, message) = error(&failed);
    assert_eq!(kind, "Sandbox.Timedout");
    assert_eq!(message, format!("RequestId: {} Error: Task timed out after 1.00 seconds", failed.request_id));
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(!is_running(pid), "the instance is ended");
    assert!(host.log("one").contains("Status: timeout"));
    assert_ne!(host.answer("one", json!({})).await["pid"], pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_is_an_exit_error_with_the_logs_end() {
    let host = Setup::new().function("one", json!({})).start();
    let failed = host.invoke("one", json!({"do": "exit", "code": 7})).await;
    let (kind, message) = error(&failed);
    assert_eq!(kind, "Runtime.ExitError");
    assert!(message.ends_with("Error: Runtime exited with error: exit status 7"), "{message}");
    assert!(failed.log_tail.contains("the last words before the end"), "{}", failed.log_tail);
    assert_eq!(
        host.answer("one", json!({"x": 1})).await["event"],
        json!({"x": 1}),
        "the next invocation has a new instance"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_killed_is_an_exit_error_that_names_the_signal() {
    let host = Setup::new().function("one", json!({})).start();
    let pid = host.answer("one", json!({})).await["pid"].as_i64().unwrap();
    let sleeping = host.invoke("one", json!({"do": "sleep", "ms": 60_000}));
    let killing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    };
    let (failed, ()) = tokio::join!(sleeping, killing);
    let (kind, message) = error(&failed);
    assert_eq!(kind, "Runtime.ExitError");
    assert!(message.ends_with("signal: killed"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_reports_an_error_answers_with_that_report() {
    let host = Setup::new().function("one", json!({"environment": {"PROBE_INIT": "error"}})).start();
    let failed = host.invoke("one", json!({})).await;
    assert_eq!(error(&failed), ("Probe.NoSettings".to_owned(), "a setting is missing".to_owned()));
    assert!(host.log("one").contains("HTTP/1.1 202 Accepted"), "the runtime API takes the report: {}", host.log("one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_exits_is_an_exit_error_with_the_logs_end() {
    let host = Setup::new().function("one", json!({"environment": {"PROBE_INIT": "exit"}})).start();
    let failed = host.invoke("one", json!({})).await;
    let (kind, message) = error(&failed);
    assert_eq!(kind, "Runtime.ExitError");
    assert!(message.ends_with("exit status 3"), "{message}");
    assert!(failed.log_tail.contains("the last words of a start"), "{}", failed.log_tail);
    assert_eq!(host.host.status().functions[0].instances, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_hangs_is_made_once_more_under_the_functions_timeout_and_then_times_out() {
    let host = Setup::new()
        .function("one", json!({"timeout_seconds": 1, "environment": {"PROBE_INIT": "hang"}}))
        .configure(|config| config.init_limit = Duration::from_millis(500))
        .start();
    let begun = Instant::now();
    let (kind, message) = error(&host.invoke("one", json!({})).await);
    assert_eq!(kind, "Sandbox.Timedout");
    assert!(message.ends_with("Task timed out after 1.00 seconds"), "{message}");
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(1_500) && took < Duration::from_secs(10), "{took:?}");
    assert_eq!(host.log("one").matches("Phase: init\tStatus: timeout").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_start_does_not_count_against_the_functions_timeout() {
    let host =
        Setup::new().function("one", json!({"timeout_seconds": 1, "environment": {"PROBE_INIT": "slow"}})).start();
    host.answer("one", json!({"do": "sleep", "ms": 500})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_uses_more_memory_than_it_may_is_ended_as_out_of_memory() {
    let host = Setup::new().function("one", json!({"memory_mb": 128, "timeout_seconds": 30})).start();
    let (kind, message) = error(&host.invoke("one", json!({"do": "allocate", "mb": 400})).await);
    assert_eq!(kind, "Runtime.OutOfMemory");
    assert!(message.ends_with("Runtime exited with error: signal: killed"), "{message}");
    let answer = host.answer("one", json!({"do": "allocate", "mb": 60})).await;
    assert_eq!(answer["allocated_mb"], 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_only_reserved_does_not_count() {
    let host = Setup::new().function("one", json!({"memory_mb": 128})).start();
    assert_eq!(host.answer("one", json!({"do": "reserve", "mb": 2_000})).await["reserved_mb"], 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_six_megabytes_fails_the_invocation_and_not_the_instance() {
    let host = Setup::new().function("one", json!({})).start();
    let largest = host.invoke("one", json!({"do": "large", "bytes": SIX_MB - 2})).await;
    assert_eq!((largest.function_error, largest.payload.len()), (None, SIX_MB));
    let pid = host.answer("one", json!({})).await["pid"].clone();
    let failed = host.invoke("one", json!({"do": "large", "bytes": SIX_MB + 200})).await;
    assert_eq!(error(&failed).0, "Function.ResponseSizeTooLarge");
    assert_eq!(host.answer("one", json!({})).await["pid"], pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_six_megabytes_is_taken_and_a_larger_one_refused() {
    let host = Setup::new().function("one", json!({})).start();
    let event = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let taken = host.host.invoke("one", event(SIX_MB)).await.unwrap();
    assert_eq!(taken.function_error, None);
    assert!(taken.payload.len() > SIX_MB, "it came back within a small object");
    let refused = host.host.invoke("one", event(SIX_MB + 1)).await;
    assert!(matches!(refused, Err(InvokeError::TooLarge(size)) if size == SIX_MB + 1));
}
