//! One partition of a mapping: records are gathered into the next batch while the one before is with the function.

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use millrace_wire::batch::RecordView;
use rdkafka::consumer::Consumer;
use rdkafka::consumer::stream_consumer::StreamPartitionQueue;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Timestamp};
use rdkafka::{Message, Offset, TopicPartitionList};
use tokio::sync::watch;
use tokio::time::Instant;

use super::consumer::{MappingConsumer, Quiet, Start, bounds, within};
use super::delivery::{Delivery, Stopped};
use super::payload::{BatchBuilder, Frame};
use super::topic_watch::TopicWatch;

/// How many records are taken in one go before other partitions have their turn.
const IN_ONE_GO: usize = 256;
/// How long to wait after an error of the broker's.
const ERROR_WAIT: Duration = Duration::from_millis(200);

/// What a partition is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Run,
    /// Fetch nothing any more, deliver what was fetched, and end.
    Finish,
}

/// A partition at work.
pub(crate) struct Partition {
    pub(crate) brokers: String,
    pub(crate) consumer: Arc<MappingConsumer>,
    pub(crate) queue: StreamPartitionQueue<Quiet>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) frame: Arc<Frame>,
    /// The offset of the next record to come.
    pub(crate) next: i64,
    pub(crate) order: watch::Receiver<Order>,
}

/// What there was to do.
enum Event {
    Stop,
    Order,
    Delivered(Result<(), Stopped>),
    Records(Option<KafkaError>),
    WindowEnded,
    Reposition,
}

/// Why no position was found to read on from.
#[derive(Debug, thiserror::Error)]
enum NoPosition {
    #[error("the topic was deleted: what has its name now is read from its own start")]
    TopicDeleted,
    #[error("no broker tells of the topic: {0}")]
    NoAnswer(#[from] std::io::Error),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

impl Partition {
    /// Runs until the host stops, or until all is delivered after [`Order::Finish`].
    pub(crate) async fn run(mut self) {
        let trigger = &self.delivery.trigger;
        let window = Duration::from_millis(trigger.batch_window_ms);
        let mut gathering = BatchBuilder::new(self.frame.clone(), trigger.batch_size);
        let mut window_end = None;
        let mut in_flight: Option<tokio::task::JoinHandle<Result<(), Stopped>>> = None;
        let mut stopping = self.delivery.stopping.clone();
        // When to look for a position that the broker has: without one the client says so, once, and reads no further.
        let mut reposition_at = None;
        loop {
            let finishing = *self.order.borrow_and_update() == Order::Finish;
            if gathering.is_empty() {
                window_end = None;
            } else if window_end.is_none() {
                window_end = Some(Instant::now() + window);
            }
            let due = gathering.is_full() || finishing || window_end.is_some_and(|end| end <= Instant::now());
            if in_flight.is_none() && due && !gathering.is_empty() {
                let (delivery, batch) = (self.delivery.clone(), gathering.take());
                in_flight = Some(tokio::spawn(async move { delivery.deliver(&batch).await }));
                window_end = None;
                continue;
            }
            if finishing && in_flight.is_none() {
                return;
            }
            let event = tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => Event::Stop,
                Ok(()) = self.order.changed() => Event::Order,
                delivered = wait_for(&mut in_flight), if in_flight.is_some() => Event::Delivered(delivered),
                problem = gather(&self.queue, &mut gathering, &mut self.next), if !gathering.is_full() && !finishing && reposition_at.is_none() => Event::Records(problem),
                () = sleep_until(window_end), if in_flight.is_none() && window_end.is_some() => Event::WindowEnded,
                () = sleep_until(reposition_at), if !finishing && reposition_at.is_some() => Event::Reposition,
            };
            match event {
                Event::Order | Event::WindowEnded | Event::Records(None) => {}
                Event::Delivered(Ok(())) => in_flight = None,
                Event::Delivered(Err(Stopped)) => return,
                Event::Records(Some(problem)) if is_out_of_range(&problem) => reposition_at = Some(Instant::now()),
                Event::Records(Some(problem)) => {
                    let (topic, partition) = (&self.delivery.trigger.topic, self.delivery.partition);
                    tracing::debug!(topic, partition, error = %problem, "the broker cannot be read from");
                    // It mends itself.
                    tokio::time::sleep(ERROR_WAIT).await;
                }
                Event::Reposition => {
                    reposition_at = match self.reposition().await {
                        Ok(()) => None,
                        Err(error) => {
                            let (topic, partition) = (&self.delivery.trigger.topic, self.delivery.partition);
                            tracing::warn!(topic, partition, %error, "cannot find a position to read from yet");
                            Some(Instant::now() + ERROR_WAIT)
                        }
                    };
                }
                Event::Stop => {
                    if let Some(delivery) = in_flight {
                        // It ends after the invocation in hand, at the latest; the caller has the patience.
                        let _ = delivery.await;
                    }
                    return;
                }
            }
        }
    }

    /// Reads on within the log of this topic. The client reads by name: when another topic has it now, this one's position means
    /// nothing in that one, whose records its own client delivers.
    async fn reposition(&self) -> Result<(), NoPosition> {
        let (topic, partition) = (self.delivery.trigger.topic.clone(), self.delivery.partition);
        let found = TopicWatch::new(&self.brokers, &topic).look().await?;
        if found.is_none_or(|found| found.id != self.delivery.topic_id) {
            return Err(NoPosition::TopicDeleted);
        }
        let start = within(self.next, bounds(&self.consumer, &topic, partition).await?);
        announce(&topic, partition, &start);
        // The client has stopped reading the partition: it is given to it anew, and its queue stays split off.
        let consumer = self.consumer.clone();
        let assigned = tokio::task::spawn_blocking(move || {
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(&topic, partition, Offset::Offset(start.offset()))?;
            consumer.incremental_unassign(&list)?;
            consumer.incremental_assign(&list)
        });
        Ok(assigned.await.unwrap_or(Err(KafkaError::Canceled))?)
    }
}

fn is_out_of_range(problem: &KafkaError) -> bool {
    problem.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset)
}

/// Says when reading does not go on where it ended.
pub(crate) fn announce(topic: &str, partition: i32, start: &Start) {
    match start {
        Start::At(_) => {}
        Start::Lost { at, records } => {
            tracing::error!(
                topic,
                partition,
                offset = at,
                records,
                "records were deleted from the topic before they were read"
            );
        }
        Start::Rewound(at) => {
            tracing::warn!(
                topic,
                partition,
                offset = at,
                "the position is of an earlier topic of this name: reading from the start"
            );
        }
    }
}

async fn wait_for(in_flight: &mut Option<tokio::task::JoinHandle<Result<(), Stopped>>>) -> Result<(), Stopped> {
    match in_flight {
        // A delivery that panicked has committed nothing more: what follows must not be delivered either.
        Some(task) => task.await.unwrap_or(Err(Stopped)),
        None => std::future::pending().await,
    }
}

async fn sleep_until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// Waits for a record and takes it and those that are there already. Nothing is lost when it is cancelled: a record is
/// taken and gathered in one step.
async fn gather(
    queue: &StreamPartitionQueue<Quiet>,
    gathering: &mut BatchBuilder,
    next: &mut i64,
) -> Option<KafkaError> {
    let mut stream = queue.stream();
    let mut message = stream.next().await;
    let mut taken = 0;
    loop {
        match message {
            Some(Ok(record)) => {
                *next = record.offset() + 1;
                push(gathering, &record);
            }
            Some(Err(error)) => return Some(error),
            None => return None,
        }
        taken += 1;
        if taken == IN_ONE_GO || gathering.is_full() {
            return None;
        }
        message = stream.next().now_or_never()?;
    }
}

fn push(gathering: &mut BatchBuilder, message: &BorrowedMessage<'_>) {
    let (timestamp_ms, timestamp_type) = match message.timestamp() {
        Timestamp::CreateTime(time) => (time, "CREATE_TIME"),
        Timestamp::LogAppendTime(time) => (time, "LOG_APPEND_TIME"),
        Timestamp::NotAvailable => (-1, "NO_TIMESTAMP_TYPE"),
    };
    let headers = message
        .headers()
        .map(|headers| headers.iter().map(|header| (header.key, header.value.unwrap_or_default())).collect());
    gathering.push(&RecordView {
        offset: message.offset(),
        timestamp_ms,
        timestamp_type,
        key: message.key(),
        value: message.payload(),
        headers: headers.unwrap_or_default(),
    });
}
