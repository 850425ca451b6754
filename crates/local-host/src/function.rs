//! A function and its instances: idle ones are used again, more are started with need, unused ones end after a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use millrace_alarms::Measurement;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::instance::{Instance, InstanceSettings};
use crate::manifest::Manifest;
use crate::runtime_api::REQUEST_LIMIT;
use crate::status::{FunctionStatus, Statistics};

/// How Lambda answered an invocation.
#[derive(Debug, Clone)]
pub struct InvokeAnswer {
    /// What the function answered, or `{"errorType":…,"errorMessage":…}` when it failed.
    pub payload: Bytes,
    /// `Some("Unhandled")` when the function failed in any way; Lambda's `X-Amz-Function-Error`.
    pub function_error: Option<String>,
    /// The invocation's id, which the log names.
    pub request_id: String,
    /// The end of what the instance logged during the invocation, 4 KiB at most.
    pub log_tail: String,
}

/// Why an invocation did not come about.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    /// There is no function of this name.
    #[error("no function is named {0}")]
    UnknownFunction(String),
    /// The event is larger than Lambda takes (6 MB).
    #[error("the event has {0} bytes, but {REQUEST_LIMIT} are the most")]
    TooLarge(usize),
    /// All instances that the function may have were busy for as long as its timeout.
    #[error("all {0} instances of the function are busy")]
    Throttled(u32),
    /// The host is stopping.
    #[error("the local host is stopping")]
    Stopping,
}

/// A function of the host.
pub(crate) struct Function {
    pub(crate) manifest: Manifest,
    settings: Arc<InstanceSettings>,
    init_limit: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Instance>>,
    live: AtomicUsize,
    statistics: Mutex<Statistics>,
}

impl Function {
    pub(crate) fn new(manifest: Manifest, settings: InstanceSettings, init_limit: Duration) -> Arc<Function> {
        let permits = Arc::new(Semaphore::new(manifest.concurrency as usize));
        Arc::new(Function {
            manifest,
            settings: Arc::new(settings),
            init_limit,
            permits,
            idle: Mutex::new(Vec::new()),
            live: AtomicUsize::new(0),
            statistics: Mutex::new(Statistics::default()),
        })
    }

    pub(crate) fn arn(&self) -> &str {
        &self.settings.arn
    }

    /// Invokes the function; waits for a free instance for as long as the function's timeout.
    pub(crate) async fn invoke(self: &Arc<Self>, payload: Bytes) -> Result<InvokeAnswer, InvokeError> {
        let permit = tokio::time::timeout(self.settings.timeout, self.permits.clone().acquire_owned())
            .await
            .map_err(|_| {
                self.measure("Throttles", 1.0);
                InvokeError::Throttled(self.manifest.concurrency)
            })?
            .map_err(|_| InvokeError::Stopping)?;
        self.invoke_with(permit, payload).await
    }

    /// Waits, however long, for the right to run one invocation.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        self.permits.clone().acquire_owned().await.map_err(|_| InvokeError::Stopping)
    }

    /// Invokes the function with a right that was waited for.
    pub(crate) async fn invoke_with(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        payload: Bytes,
    ) -> Result<InvokeAnswer, InvokeError> {
        if payload.len() > REQUEST_LIMIT {
            return Err(InvokeError::TooLarge(payload.len()));
        }
        let function = self.clone();
        // A task of its own: an invocation that has begun goes on when whoever asked for it has gone.
        let running = tokio::spawn(async move {
            let _permit = permit;
            function.run(payload).await
        });
        running.await.map_err(|_| InvokeError::Stopping)
    }

    async fn run(&self, payload: Bytes) -> InvokeAnswer {
        let request_id = uuid::Uuid::new_v4().to_string();
        let trace_id = trace_id();
        let begun = Instant::now();
        let (payload, failed, log_tail) = loop {
            let mut instance = match self.instance(&request_id).await {
                Ok(instance) => instance,
                Err((payload, log_tail)) => break (payload, true, log_tail),
            };
            let completed = instance.invoke(payload.clone(), &request_id, &trace_id, self.settings.timeout).await;
            match completed {
                Some(completed) => {
                    if completed.alive {
                        self.idle().push(instance);
                    } else {
                        self.live.fetch_sub(1, Ordering::Relaxed);
                    }
                    break (completed.payload, completed.failed, completed.log_tail);
                }
                // It had ended while it was idle: the invocation is for another instance.
                None => {
                    self.live.fetch_sub(1, Ordering::Relaxed);
                }
            }
        };
        let duration = begun.elapsed();
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner).record(duration, failed.then_some(&payload));
        self.measure("Errors", f64::from(u8::from(failed)));
        self.measure("Duration", duration.as_secs_f64() * 1e3);
        InvokeAnswer { payload, function_error: failed.then(|| "Unhandled".to_owned()), request_id, log_tail }
    }

    /// Measures the function as Lambda does.
    fn measure(&self, metric: &str, value: f64) {
        self.measure_of(metric, &[("FunctionName", self.manifest.name.as_str())], value);
    }

    /// Measures something of the function as Lambda does.
    pub(crate) fn measure_of(&self, metric: &str, dimensions: &[(&str, &str)], value: f64) {
        if let Some(metrics) = &self.settings.metrics {
            metrics(&Measurement { namespace: "AWS/Lambda", metric, dimensions, value });
        }
    }

    /// An idle instance, or a new one. A start that takes longer than Lambda's limit is made once more within the
    /// invocation, under the function's own timeout, as Lambda does.
    async fn instance(&self, request_id: &str) -> Result<Instance, (Bytes, String)> {
        while let Some(instance) = self.take_idle() {
            if instance.is_alive() {
                return Ok(instance);
            }
            self.live.fetch_sub(1, Ordering::Relaxed);
        }
        self.live.fetch_add(1, Ordering::Relaxed);
        let mut started = Instance::start(self.settings.clone(), request_id, self.init_limit).await;
        if let Err(failure) = &started
            && failure.timed_out
        {
            started = Instance::start(self.settings.clone(), request_id, self.settings.timeout).await;
        }
        started.map_err(|failure| {
            self.live.fetch_sub(1, Ordering::Relaxed);
            (failure.payload, failure.log_tail)
        })
    }

    fn take_idle(&self) -> Option<Instance> {
        self.idle().pop()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Instance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the instances that nobody has used for `unused`. The last used one is taken first, so the rest grow old.
    pub(crate) async fn reap(&self, unused: Duration) {
        let old: Vec<Instance> = {
            let mut idle = self.idle();
            let (old, young) =
                idle.drain(..).partition(|instance| instance.idle_since.elapsed() >= unused || !instance.is_alive());
            *idle = young;
            old
        };
        self.end(old).await;
    }

    async fn end(&self, instances: Vec<Instance>) {
        let count = instances.len();
        futures::future::join_all(instances.into_iter().map(Instance::end)).await;
        self.live.fetch_sub(count, Ordering::Relaxed);
    }

    /// Lets the invocations in flight end, for `patience` at most, and then ends every instance.
    pub(crate) async fn stop(&self, patience: Duration) {
        let all = self.permits.acquire_many(self.manifest.concurrency);
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!(function = %self.manifest.name, "an invocation did not end in time and is left to the end of its process");
        }
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        self.end(idle).await;
    }

    pub(crate) fn status(&self) -> FunctionStatus {
        let statistics = self.statistics.lock().unwrap_or_else(PoisonError::into_inner);
        statistics.status(&self.manifest.name, self.live.load(Ordering::Relaxed))
    }
}

/// An id in AWS X-Ray's form, not sampled.
fn trace_id() -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let parent = uuid::Uuid::new_v4().simple().to_string();
    format!("Root=1-{:08x}-{};Parent={};Sampled=0", chrono::Utc::now().timestamp(), &random[..24], &parent[..16])
}
