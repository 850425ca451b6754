//! Stores the readings of site sensors and raises alarms by them.
//!
//! A batch of `sensor-readings` is stored with the alarms that it opens, escalates and closes. The schedule's task `silent` opens
//! an alarm for each sensor that sends nothing any more.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use lambda_runtime::Error;
use millrace_domain::sensors::SensorReading;
use millrace_lambda_support::batch_loop::{self, Intake};
use millrace_lambda_support::invocation::{Sender, sender};
use millrace_lambda_support::metrics::{self, Metric};
use millrace_lambda_support::mysql::Mysql;
use millrace_store_mysql::batch::{Incoming, Originals, Source, Stored};
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::sensors::{self, LimitsCache};
use millrace_store_mysql::silence;
use millrace_wire::{PartialBatchResponse, Rejection};
use serde::Serialize;

/// The function, with what it keeps from one invocation to the next.
pub struct Watch {
    mysql: Mysql,
    limits: LimitsCache,
    silent_after: TimeDelta,
}

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To the event source mapping.
    Batch(PartialBatchResponse),
    /// To the schedule.
    Silence {
        /// Alarms opened by this run.
        opened: u64,
        /// Sensors that are silent now.
        silent: u64,
    },
}

impl Watch {
    /// A sensor is silent when it has sent nothing for longer than `silent_after`.
    pub fn new(mysql: impl Into<Mysql>, silent_after: TimeDelta) -> Self {
        Self { mysql: mysql.into(), limits: LimitsCache::default(), silent_after }
    }

    /// Handles a batch, or the task of a schedule at the instant `now`.
    ///
    /// # Errors
    /// When the payload is neither, or when the task could not be done.
    pub async fn handle(&self, payload: &str, now: DateTime<Utc>) -> Result<Answer, Error> {
        match sender(payload)? {
            Sender::Kafka => Ok(Answer::Batch(batch_loop::run(self, &self.mysql, payload).await?)),
            Sender::Task(task) if task == "silent" => self.find_silent(now).await,
            Sender::Task(task) => Err(format!("task: expected silent, not {task}").into()),
        }
    }

    async fn find_silent(&self, now: DateTime<Utc>) -> Result<Answer, Error> {
        let started = Instant::now();
        let found = silence::find(self.mysql.pool(), now, self.silent_after).await?;
        let values = [
            (Metric::SilentAlarmsOpened, found.opened as f64),
            (Metric::SensorsSilent, found.silent as f64),
            (Metric::SensorsHot, found.hot as f64),
            (Metric::RunDuration, started.elapsed().as_secs_f64() * 1000.0),
        ];
        metrics::emit(None, &values);
        Ok(Answer::Silence { opened: found.opened, silent: found.silent })
    }
}

impl Intake for Watch {
    type Record = SensorReading;

    fn decode(&self, value: &[u8], recorded_at: DateTime<Utc>) -> Result<SensorReading, Rejection> {
        millrace_wire::sensors::decode(value, recorded_at)
    }

    async fn store(
        &self,
        source: Source<'_>,
        incoming: Incoming<SensorReading>,
        originals: &dyn Originals,
    ) -> Result<Stored, StoreError> {
        let outcome = sensors::store(self.mysql.pool(), &self.limits, source, incoming, originals).await?;
        if outcome.alarms_opened > 0 {
            metrics::emit(None, &[(Metric::TemperatureAlarmsOpened, outcome.alarms_opened as f64)]);
        }
        Ok(outcome.stored)
    }
}
