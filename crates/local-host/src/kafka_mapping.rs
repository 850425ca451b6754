//! Lambda's event source mapping for Kafka: one function, one topic, one consumer group.
//!
//! Each partition has one batch in flight at most; several partitions are served at once, up to the function's concurrency.
//! Records are at most twice in memory for each partition: the batch in flight and the one that is being gathered.

mod answer;
mod commits;
mod consumer;
mod delivery;
mod on_failure;
mod partition;
mod payload;
mod retry;
#[cfg(test)]
mod tests;
mod topic_watch;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::function::Function;
use crate::manifest::{KafkaTrigger, StartingPosition};
use crate::status::{MappingStatus, PartitionStatus};
use commits::Commits;
use consumer::{MappingConsumer, committed, connect, start};
use delivery::Delivery;
pub(crate) use on_failure::OnFailure;
use partition::{Order, Partition, announce};
use payload::Frame;
use topic_watch::{Topic, TopicWatch};

/// How often the topic is looked at: for new partitions, and for a topic that was made again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a mapping is made of.
pub(crate) struct MappingSettings {
    pub(crate) function: Arc<Function>,
    pub(crate) trigger: KafkaTrigger,
    pub(crate) brokers: String,
    pub(crate) source_arn: String,
    pub(crate) uuid: Uuid,
    pub(crate) on_failure: Option<Arc<OnFailure>>,
}

/// A mapping, at work or disabled.
pub(crate) struct KafkaMapping {
    settings: Arc<MappingSettings>,
    shared: Arc<Shared>,
    enabled: AtomicBool,
    /// Held while the mapping comes to rest, so that it is never at work twice.
    running: tokio::sync::Mutex<Option<Running>>,
}

struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    topic_id: Mutex<Option<Uuid>>,
    partitions: Mutex<BTreeMap<i32, Arc<Mutex<PartitionStatus>>>>,
}

/// The id of a mapping: the same for the same function, topic and group, wherever the host runs.
pub fn mapping_uuid(function: &str, trigger: &KafkaTrigger) -> Uuid {
    let hash = Sha256::digest(format!("{function}\0{}\0{}", trigger.topic, trigger.consumer_group));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl KafkaMapping {
    pub(crate) fn start(settings: MappingSettings) -> KafkaMapping {
        let (settings, shared) = (Arc::new(settings), Arc::new(Shared::default()));
        let running = tokio::sync::Mutex::new(Some(Running::start(&settings, &shared)));
        KafkaMapping { settings, shared, enabled: AtomicBool::new(true), running }
    }

    /// Goes on from the committed positions, if it was disabled.
    pub(crate) async fn enable(&self) {
        self.running.lock().await.get_or_insert_with(|| Running::start(&self.settings, &self.shared));
        self.enabled.store(true, Ordering::Relaxed);
    }

    /// Sends nothing any more, lets the invocations in flight end for `patience` at most, and commits what is done.
    pub(crate) async fn disable(&self, patience: Duration) {
        let mut running = self.running.lock().await;
        self.enabled.store(false, Ordering::Relaxed);
        let Some(Running { stop, task }) = running.take() else { return };
        stop.send_replace(true);
        let abort = task.abort_handle();
        if tokio::time::timeout(patience, task).await.is_err() {
            tracing::warn!(topic = %self.settings.trigger.topic, "a batch did not end in time and will be sent again");
            abort.abort();
        }
    }

    /// Whether it invokes this function.
    pub(crate) fn invokes(&self, function: &str) -> bool {
        self.settings.function.manifest.name == function
    }

    pub(crate) fn status(&self) -> MappingStatus {
        let partitions = self.shared.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        MappingStatus {
            function: self.settings.function.manifest.name.clone(),
            topic: self.settings.trigger.topic.clone(),
            consumer_group: self.settings.trigger.consumer_group.clone(),
            uuid: self.settings.uuid,
            topic_id: self.shared.topic_id(),
            enabled: self.enabled.load(Ordering::Relaxed),
            partitions: partitions
                .values()
                .map(|status| status.lock().unwrap_or_else(PoisonError::into_inner).clone())
                .collect(),
        }
    }
}

impl Running {
    fn start(settings: &Arc<MappingSettings>, shared: &Arc<Shared>) -> Running {
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(supervise(settings.clone(), shared.clone(), stop.subscribe()));
        Running { stop, task }
    }
}

/// A topic between its creation and its deletion.
struct Incarnation {
    topic_id: Uuid,
    consumer: Arc<MappingConsumer>,
    commits: Arc<Commits>,
    committing: JoinHandle<()>,
    serving: JoinHandle<()>,
    order: watch::Sender<Order>,
    partitions: BTreeMap<i32, JoinHandle<()>>,
}

/// What a mapping reads: the topic as it is now, and what is still to be delivered of it as it was.
#[derive(Default)]
struct Reading {
    current: Option<Incarnation>,
    /// Topics of this name that were deleted since.
    earlier: Vec<Incarnation>,
}

async fn supervise(settings: Arc<MappingSettings>, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let stopping = stop.clone();
    let mut reading = Reading::default();
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = follow(&settings, &shared, &mut reading, stopping) => {}
    }
    for incarnation in reading.earlier.into_iter().chain(reading.current) {
        incarnation.end(&settings).await;
    }
}

/// Follows the topic for ever.
async fn follow(
    settings: &Arc<MappingSettings>,
    shared: &Arc<Shared>,
    reading: &mut Reading,
    stopping: watch::Receiver<bool>,
) {
    let mut topic_watch = TopicWatch::new(&settings.brokers, &settings.trigger.topic);
    let mut missing = false;
    loop {
        match topic_watch.look().await {
            Ok(Some(topic)) => {
                missing = false;
                if let Err(error) = reading.keep_up(settings, shared, &topic, &stopping).await {
                    tracing::warn!(topic = %settings.trigger.topic, %error, "cannot read from the topic yet");
                }
            }
            // A topic that has gone may come again.
            Ok(None) => {
                if !missing {
                    tracing::warn!(topic = %settings.trigger.topic, "the topic is not there: waiting for it");
                }
                missing = true;
            }
            Err(error) => tracing::debug!(topic = %settings.trigger.topic, %error, "no broker tells of the topic"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Reading {
    async fn keep_up(
        &mut self,
        settings: &Arc<MappingSettings>,
        shared: &Shared,
        topic: &Topic,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), KafkaError> {
        if let Some(incarnation) = self.current.take_if(|incarnation| incarnation.topic_id != topic.id) {
            tracing::warn!(topic = %settings.trigger.topic, "the topic was deleted and made again: each partition delivers what was read of the old one, then the new one");
            incarnation.finish();
            self.earlier.push(incarnation);
        }
        for ended in self.earlier.extract_if(.., |incarnation| incarnation.is_through()) {
            ended.end(settings).await;
        }
        let is_first = shared.topic_id().is_none();
        let incarnation = match &mut self.current {
            Some(incarnation) => incarnation,
            None => self.current.insert(Incarnation::begin(settings, topic.id)?),
        };
        // What came after the mapping is read from its start, whatever the starting position.
        let position = if is_first { settings.trigger.starting_position } else { StartingPosition::TrimHorizon };
        for partition in &topic.partitions {
            let is_free = self.earlier.iter().all(|earlier| earlier.is_through_with(*partition));
            if is_free && !incarnation.partitions.contains_key(partition) {
                incarnation.add(settings, shared, *partition, position, stopping).await?;
            }
        }
        *shared.topic_id.lock().unwrap_or_else(PoisonError::into_inner) = Some(topic.id);
        Ok(())
    }
}

impl Shared {
    fn topic_id(&self) -> Option<Uuid> {
        *self.topic_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Incarnation {
    fn begin(settings: &MappingSettings, topic_id: Uuid) -> Result<Incarnation, KafkaError> {
        let trigger = &settings.trigger;
        let consumer = Arc::new(connect(&settings.brokers, &trigger.consumer_group)?);
        let commits = Commits::new(&trigger.topic, topic_id, consumer.clone());
        let committing = tokio::spawn({
            let commits = commits.clone();
            async move { commits.run().await }
        });
        // The client's own events come by its main queue, which must be read although no record does.
        let serving = tokio::spawn({
            let consumer = consumer.clone();
            let topic = trigger.topic.clone();
            async move {
                loop {
                    if let Err(error) = consumer.recv().await {
                        tracing::debug!(topic, %error, "kafka client");
                    }
                }
            }
        });
        let order = watch::Sender::new(Order::Run);
        Ok(Incarnation { topic_id, consumer, commits, committing, serving, order, partitions: BTreeMap::new() })
    }

    async fn add(
        &mut self,
        settings: &Arc<MappingSettings>,
        shared: &Shared,
        partition: i32,
        position: StartingPosition,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), KafkaError> {
        let trigger = &settings.trigger;
        let committed = committed(&self.consumer, &trigger.topic, partition).await?;
        let bounds = consumer::bounds(&self.consumer, &trigger.topic, partition).await?;
        let start = start(committed.as_ref(), self.topic_id, bounds, position);
        announce(&trigger.topic, partition, &start);
        let next = start.offset();
        // The queue is split off before the partition is assigned, so that no record takes the main queue.
        let queue = self
            .consumer
            .split_partition_queue(&trigger.topic, partition)
            .ok_or(KafkaError::Subscription(format!("{} has no partition {partition}", trigger.topic)))?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&trigger.topic, partition, Offset::Offset(next))?;
        self.consumer.incremental_assign(&list)?;
        // The position is kept from now on, so that LATEST means the same moment after a restart.
        self.commits.set(partition, next);
        let status = {
            let mut partitions = shared.partitions.lock().unwrap_or_else(PoisonError::into_inner);
            let status = partitions.entry(partition).or_default().clone();
            let mut current = status.lock().unwrap_or_else(PoisonError::into_inner);
            (current.partition, current.position) = (partition, next);
            drop(current);
            status
        };
        let delivery = Arc::new(Delivery {
            function: settings.function.clone(),
            trigger: trigger.clone(),
            topic_id: self.topic_id,
            partition,
            on_failure: settings.on_failure.clone(),
            commits: self.commits.clone(),
            status,
            stopping: stopping.clone(),
        });
        let frame = Arc::new(Frame::new(&settings.source_arn, &settings.brokers, &trigger.topic, partition));
        let order = self.order.subscribe();
        let (brokers, consumer) = (settings.brokers.clone(), self.consumer.clone());
        let task = Partition { brokers, consumer, queue, delivery, frame, next, order };
        self.partitions.insert(partition, tokio::spawn(task.run()));
        Ok(())
    }

    /// Fetches nothing more; what was fetched is delivered, since it cannot be fetched again.
    fn finish(&self) {
        self.order.send_replace(Order::Finish);
        // A position in a topic that is gone means nothing.
        self.commits.close();
    }

    fn is_through(&self) -> bool {
        self.partitions.values().all(JoinHandle::is_finished)
    }

    fn is_through_with(&self, partition: i32) -> bool {
        self.partitions.get(&partition).is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the partitions, which a stop or [`Incarnation::finish`] has told to end, and commits.
    async fn end(self, settings: &MappingSettings) {
        for (partition, task) in self.partitions {
            if let Err(error) = task.await {
                tracing::error!(topic = %settings.trigger.topic, partition, %error, "a partition ended by a fault");
            }
        }
        if let Err(error) = self.commits.flush().await {
            tracing::warn!(topic = %settings.trigger.topic, %error, "cannot commit the last positions: records will be sent again");
        }
        for task in [self.committing, self.serving] {
            task.abort();
            // It holds the client until it has ended.
            let _ = task.await;
        }
        drop(self.commits);
        let consumer = self.consumer;
        // Closing the client waits for its threads.
        let _ = tokio::task::spawn_blocking(move || drop(consumer)).await;
    }
}
