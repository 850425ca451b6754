//! What the host tells of itself.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// How many of a function's last durations the percentiles are taken from.
const DURATIONS: usize = 2_000;

/// The state of the host: a shape of its JSON, which `millrace status` reads.
#[derive(Debug, Clone, Serialize)]
pub struct HostStatus {
    /// Every function, by name.
    pub functions: Vec<FunctionStatus>,
    /// Every event source mapping.
    pub mappings: Vec<MappingStatus>,
    /// Every schedule.
    pub schedules: Vec<ScheduleStatus>,
}

/// What one function did since the host was started.
#[derive(Debug, Clone, Serialize)]
pub struct FunctionStatus {
    /// The function's name.
    pub name: String,
    /// Invocations that have ended.
    pub invocations: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Durations of the last invocations, from the call to the answer, in milliseconds.
    pub duration_ms: Percentiles,
    /// Processes that run now.
    pub instances: usize,
    /// The last failure.
    pub last_error: Option<LastError>,
}

/// The middle and the tail of durations, in milliseconds; absent without any.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Percentiles {
    /// Half are as short.
    pub p50: Option<f64>,
    /// 99 in 100 are as short.
    pub p99: Option<f64>,
}

/// A failure and when it was.
#[derive(Debug, Clone, Serialize)]
pub struct LastError {
    /// When the invocation ended.
    pub at: DateTime<Utc>,
    /// The error's type, as the function or Lambda names it.
    pub kind: String,
    /// The error's message.
    pub message: String,
}

/// One event source mapping.
#[derive(Debug, Clone, Serialize)]
pub struct MappingStatus {
    /// The function that it invokes.
    pub function: String,
    /// The topic that it reads.
    pub topic: String,
    /// The consumer group that holds its offsets.
    pub consumer_group: String,
    /// The mapping's id, which on-failure objects carry in their key.
    pub uuid: uuid::Uuid,
    /// The topic's id, while the topic is there.
    pub topic_id: Option<uuid::Uuid>,
    /// Whether it reads; a disabled one goes on from its positions when it is enabled.
    pub enabled: bool,
    /// Its partitions, in order.
    pub partitions: Vec<PartitionStatus>,
}

/// How far a mapping is in one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PartitionStatus {
    /// The partition's number.
    pub partition: i32,
    /// The offset of the first record that is not done.
    pub position: i64,
    /// Batches that were sent again.
    pub retries: u64,
    /// Records that were given up on.
    pub given_up: u64,
    /// Why the batch in hand was not done, while it is being retried.
    pub failing: Option<String>,
}

/// One schedule.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduleStatus {
    /// The function that it invokes.
    pub function: String,
    /// The schedule's name.
    pub name: String,
    /// When it runs next.
    pub next_run: Option<DateTime<Utc>>,
    /// Runs that were left out because the one before had not ended.
    pub skipped: u64,
}

/// What is counted of a function.
#[derive(Default)]
pub(crate) struct Statistics {
    invocations: u64,
    failures: u64,
    durations: VecDeque<Duration>,
    last_error: Option<LastError>,
}

impl Statistics {
    /// Counts an invocation; `failure` is the error's payload.
    pub(crate) fn record(&mut self, duration: Duration, failure: Option<&Bytes>) {
        self.invocations += 1;
        self.durations.push_back(duration);
        if self.durations.len() > DURATIONS {
            self.durations.pop_front();
        }
        if let Some(payload) = failure {
            self.failures += 1;
            self.last_error = Some(last_error(payload));
        }
    }

    pub(crate) fn status(&self, name: &str, instances: usize) -> FunctionStatus {
        let mut sorted: Vec<Duration> = self.durations.iter().copied().collect();
        sorted.sort_unstable();
        let percentile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(rank).map(|duration| (duration.as_secs_f64() * 1e6).round() / 1e3)
        };
        FunctionStatus {
            name: name.to_owned(),
            invocations: self.invocations,
            failures: self.failures,
            duration_ms: Percentiles { p50: percentile(50), p99: percentile(99) },
            instances,
            last_error: self.last_error.clone(),
        }
    }
}

fn last_error(payload: &Bytes) -> LastError {
    let (kind, message) = error_of(payload);
    LastError { at: Utc::now(), kind, message }
}

/// The type and the message of a failure's payload.
pub(crate) fn error_of(payload: &[u8]) -> (String, String) {
    let report: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = |key: &str| report.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    (text("errorType"), text("errorMessage"))
}
