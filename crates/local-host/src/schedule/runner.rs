//! Runs a function when its schedule is due.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::task::JoinHandle;

use crate::function::Function;
use crate::manifest::ScheduleTrigger;
use crate::status::{ScheduleStatus, error_of};

/// The clock is looked at this often, so that a laptop that slept or a clock that was set is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// A run that is later than this was missed, and is not made up.
const LATEST: chrono::Duration = chrono::Duration::seconds(60);
/// The first wait before a failed run is tried again; each further one is twice as long.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// One schedule at work.
pub(crate) struct ScheduleRunner {
    function: String,
    trigger: ScheduleTrigger,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    next_run: Mutex<Option<DateTime<Utc>>>,
    skipped: AtomicU64,
}

impl ScheduleRunner {
    pub(crate) fn start(function: Arc<Function>, trigger: ScheduleTrigger) -> ScheduleRunner {
        let shared = Arc::new(Shared::default());
        let now = Utc::now();
        shared.set_next_run(trigger.expression.next_after(now, trigger.timezone));
        ScheduleRunner {
            function: function.manifest.name.clone(),
            trigger: trigger.clone(),
            shared: shared.clone(),
            task: tokio::spawn(run(function, trigger, shared, now)),
        }
    }

    /// Runs nothing any more. A run that has begun goes on.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }

    pub(crate) fn status(&self) -> ScheduleStatus {
        ScheduleStatus {
            function: self.function.clone(),
            name: self.trigger.name.clone(),
            next_run: self.shared.next_run(),
            skipped: self.shared.skipped.load(Ordering::Relaxed),
        }
    }
}

impl Shared {
    fn next_run(&self) -> Option<DateTime<Utc>> {
        *self.next_run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_next_run(&self, due: Option<DateTime<Utc>>) {
        *self.next_run.lock().unwrap_or_else(PoisonError::into_inner) = due;
    }
}

async fn run(function: Arc<Function>, trigger: ScheduleTrigger, shared: Arc<Shared>, started: DateTime<Utc>) {
    let input = Bytes::from(trigger.input.to_string());
    let mut running: Option<JoinHandle<()>> = None;
    let mut after = started;
    while let Some(due) = trigger.expression.next_after(after, trigger.timezone) {
        shared.set_next_run(Some(due));
        if !sleep_until(due).await {
            tracing::warn!(function = %function.manifest.name, schedule = %trigger.name, "the clock was set back: the schedule follows it");
            after = Utc::now();
            continue;
        }
        let now = Utc::now();
        after = due.max(now);
        if now - due > LATEST {
            tracing::warn!(function = %function.manifest.name, schedule = %trigger.name, %due, "a run was missed and is not made up");
            continue;
        }
        if running.as_ref().is_some_and(|run| !run.is_finished()) {
            shared.skipped.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(function = %function.manifest.name, schedule = %trigger.name, %due, "the run before has not ended: this one is left out");
            continue;
        }
        running = Some(tokio::spawn(invoke(function.clone(), trigger.clone(), input.clone())));
    }
    shared.set_next_run(None);
}

/// Whether `due` has come. Not when the clock was set back: by hours, perhaps, for which nothing would run. As small a step as
/// clocks are corrected by is waited out, or a run that was just made would be due once more.
async fn sleep_until(due: DateTime<Utc>) -> bool {
    let mut looked = Utc::now();
    while let Some(left) = (due - looked).to_std().ok().filter(|left| !left.is_zero()) {
        tokio::time::sleep(left.min(LOOK_EVERY)).await;
        let now = Utc::now();
        if looked - now > LATEST {
            return false;
        }
        looked = now;
    }
    true
}

async fn invoke(function: Arc<Function>, trigger: ScheduleTrigger, input: Bytes) {
    let mut wait = FIRST_RETRY;
    for attempt in 0..=trigger.maximum_retry_attempts {
        if attempt > 0 {
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        let problem = match function.invoke(input.clone()).await {
            Ok(answer) if answer.function_error.is_none() => return,
            Ok(answer) => {
                let (kind, message) = error_of(&answer.payload);
                format!("{kind}: {message}")
            }
            Err(error) => error.to_string(),
        };
        tracing::warn!(function = %function.manifest.name, schedule = %trigger.name, attempt, problem, "a scheduled run failed");
    }
}
