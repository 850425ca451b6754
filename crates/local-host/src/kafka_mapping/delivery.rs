//! Sends one batch to the function until each of its records is done or given up on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::watch;
use uuid::Uuid;

use super::answer::{Verdict, judge};
use super::commits::Commits;
use super::on_failure::{Condition, GivenUp, LastInvocation, OnFailure};
use super::payload::Batch;
use super::retry::{Next, Piece, after_failure, wait_after};
use crate::function::Function;
use crate::manifest::KafkaTrigger;
use crate::runtime_api::REQUEST_LIMIT;
use crate::status::PartitionStatus;

/// How long to wait before the destination is tried again; nothing is lost meanwhile, the partition waits.
const DESTINATION_WAIT: Duration = Duration::from_secs(1);

/// The host is stopping: what is not done is sent again after the next start.
#[derive(Debug)]
pub(crate) struct Stopped;

/// Delivers one partition's batches, one after the other.
pub(crate) struct Delivery {
    pub(crate) function: Arc<Function>,
    pub(crate) trigger: KafkaTrigger,
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
    pub(crate) on_failure: Option<Arc<OnFailure>>,
    pub(crate) commits: Arc<Commits>,
    pub(crate) status: Arc<Mutex<PartitionStatus>>,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Delivery {
    /// Returns once every record of the batch is done or kept at the destination, and its offset is to be committed.
    pub(crate) async fn deliver(&self, batch: &Batch) -> Result<(), Stopped> {
        // The last piece is the next one: pieces are sent in the order of their offsets.
        let mut pieces = vec![Piece { range: 0..batch.len(), retries: 0, invocations: 0 }];
        let mut last = None;
        while let Some(mut piece) = pieces.pop() {
            if let Some(young) = self.expired_until(batch, &piece) {
                let old = Piece { range: piece.range.start..young, ..piece.clone() };
                if young < piece.range.end {
                    pieces.push(Piece { range: young..piece.range.end, ..piece });
                }
                self.give_up(batch, &old, Condition::EventAgeExceeded, last.clone()).await?;
                continue;
            }
            if let Some(expired) = self.first_expired(batch, &piece) {
                pieces.push(Piece { range: expired..piece.range.end, ..piece.clone() });
                piece.range.end = expired;
            }
            let event = batch.event(&piece.range);
            if event.len() > REQUEST_LIMIT {
                self.give_up(batch, &piece, Condition::MaximumPayloadSizeExceeded, None).await?;
                continue;
            }
            let turn = self.unless_stopped(self.function.turn()).await?.map_err(|_| Stopped)?;
            let answer = self.function.invoke_with(turn, event).await.map_err(|_| Stopped)?;
            piece.invocations += 1;
            last = Some(LastInvocation {
                request_id: answer.request_id.clone(),
                function_error: answer.function_error.clone(),
            });
            let topic_partition = format!("{}-{}", self.trigger.topic, self.partition);
            let report = self.trigger.report_batch_item_failures;
            let reason = match judge(&answer, report, &topic_partition, batch, &piece.range) {
                Verdict::Done => {
                    self.done_before(batch, piece.range.end);
                    continue;
                }
                Verdict::FailedFrom(index) if index > piece.range.start => {
                    // Something was done: what is left is a batch of its own, with all its retries.
                    self.done_before(batch, index);
                    pieces.push(Piece { range: index..piece.range.end, retries: 0, invocations: 0 });
                    format!("the function asks for offset {} again", batch.offset(index))
                }
                Verdict::FailedFrom(index) => {
                    // Only an error halves: an answer that names its first record has said where the fault is.
                    let whole = KafkaTrigger { bisect_on_error: false, ..self.trigger.clone() };
                    self.plan(batch, &piece, &whole, &mut pieces, last.clone()).await?;
                    format!("the function asks for offset {} again", batch.offset(index))
                }
                Verdict::Failed(reason) => {
                    self.plan(batch, &piece, &self.trigger, &mut pieces, last.clone()).await?;
                    reason
                }
            };
            match pieces.last() {
                // What comes next is the same records again, or a part of them.
                Some(next) if next.range.start < piece.range.end => self.wait(next.retries, &reason).await?,
                _ => {}
            }
        }
        self.status().failing = None;
        Ok(())
    }

    async fn plan(
        &self,
        batch: &Batch,
        piece: &Piece,
        trigger: &KafkaTrigger,
        pieces: &mut Vec<Piece>,
        last: Option<LastInvocation>,
    ) -> Result<(), Stopped> {
        match after_failure(piece, trigger) {
            Next::Again(piece) => pieces.push(piece),
            Next::Halves(first, second) => pieces.extend([second, first]),
            Next::GiveUp => self.give_up(batch, piece, Condition::RetryAttemptsExhausted, last).await?,
        }
        Ok(())
    }

    async fn wait(&self, retries: i64, reason: &str) -> Result<(), Stopped> {
        let wait = wait_after(retries, rand::random());
        {
            let mut status = self.status();
            status.retries += 1;
            status.failing = Some(reason.to_owned());
        }
        tracing::warn!(
            function = %self.function.manifest.name, topic = %self.trigger.topic, partition = self.partition,
            reason, wait_ms = wait.as_millis(), "a batch is sent again"
        );
        self.unless_stopped(tokio::time::sleep(wait)).await
    }

    fn done_before(&self, batch: &Batch, index: usize) {
        let position = batch.position_before(index);
        self.status().position = position;
        self.commits.set(self.partition, position);
    }

    /// Where the records that are too old end, when the piece begins with such.
    fn expired_until(&self, batch: &Batch, piece: &Piece) -> Option<usize> {
        if !self.is_expired(batch, piece.range.start) {
            return None;
        }
        Some(piece.range.clone().find(|index| !self.is_expired(batch, *index)).unwrap_or(piece.range.end))
    }

    fn first_expired(&self, batch: &Batch, piece: &Piece) -> Option<usize> {
        if self.trigger.maximum_record_age_seconds < 0 {
            return None;
        }
        piece.range.clone().find(|index| self.is_expired(batch, *index))
    }

    fn is_expired(&self, batch: &Batch, index: usize) -> bool {
        let (limit, timestamp) = (self.trigger.maximum_record_age_seconds, batch.timestamp(index));
        limit >= 0 && timestamp >= 0 && Utc::now().timestamp_millis() - timestamp > limit * 1000
    }

    async fn give_up(
        &self,
        batch: &Batch,
        piece: &Piece,
        condition: Condition,
        last: Option<LastInvocation>,
    ) -> Result<(), Stopped> {
        let records = piece.range.len();
        let (first, last_offset) = (batch.offset(piece.range.start), batch.offset(piece.range.end - 1));
        match &self.on_failure {
            Some(destination) => {
                let given_up = GivenUp {
                    topic: &self.trigger.topic,
                    topic_id: self.topic_id,
                    partition: self.partition,
                    batch,
                    range: piece.range.clone(),
                    condition,
                    invocations: piece.invocations,
                    last,
                };
                while let Err(error) = destination.keep(&given_up, Utc::now()).await {
                    tracing::error!(
                        function = %self.function.manifest.name, topic = %self.trigger.topic, partition = self.partition,
                        %error, "a batch that is given up on cannot be kept yet: the partition waits"
                    );
                    self.status().failing = Some(error.to_string());
                    self.unless_stopped(tokio::time::sleep(DESTINATION_WAIT)).await?;
                }
                tracing::error!(
                    function = %self.function.manifest.name, topic = %self.trigger.topic, partition = self.partition,
                    first_offset = first, last_offset, records, condition = condition.name(),
                    "a batch was given up on and is kept at the on-failure destination"
                );
                let mapping = destination.mapping.to_string();
                let dimensions = [("EventSourceMappingUUID", mapping.as_str())];
                self.function.measure_of("OnFailureDestinationDeliveredEventCount", &dimensions, 1.0);
            }
            None => tracing::error!(
                function = %self.function.manifest.name, topic = %self.trigger.topic, partition = self.partition,
                first_offset = first, last_offset, records, condition = condition.name(),
                "a batch was given up on and is dropped: the mapping has no on-failure destination"
            ),
        }
        self.status().given_up += records as u64;
        self.done_before(batch, piece.range.end);
        Ok(())
    }

    async fn unless_stopped<F: Future>(&self, work: F) -> Result<F::Output, Stopped> {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => Err(Stopped),
            output = work => Ok(output),
        }
    }

    fn status(&self) -> std::sync::MutexGuard<'_, PartitionStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
