//! Where simulated records go: to the stack's broker, or to a cluster of MSK.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, anyhow};
use millrace_simulation::Record;

use crate::CommandError;
use crate::kafka::{Outgoing, Producer, SendError, msk_producer};
use crate::topics;

/// Records that wait for a cluster at most: beyond them they are sent before more are made.
const WAITING: usize = 500;

/// Takes records and counts those that were acknowledged.
pub(super) struct Sink {
    target: Target,
    acknowledged: BTreeMap<String, u64>,
}

enum Target {
    Stack { brokers: String, producer: Producer },
    Msk { producer: millrace_msk::Producer, waiting: BTreeMap<&'static str, Vec<millrace_msk::Record>> },
}

impl Sink {
    /// To a stack's broker.
    pub(super) async fn stack(brokers: String) -> anyhow::Result<Self> {
        topics::ping(&brokers)
            .await
            .with_context(|| format!("Kafka at {brokers} does not answer; is the stack up?"))?;
        let producer = Producer::for_a_stream(&brokers)?;
        Ok(Self { target: Target::Stack { brokers, producer }, acknowledged: BTreeMap::new() })
    }

    /// To a cluster of MSK.
    pub(super) async fn msk(cluster_arn: &str) -> Result<Self, CommandError> {
        let producer = msk_producer(cluster_arn).await?;
        Ok(Self { target: Target::Msk { producer, waiting: BTreeMap::new() }, acknowledged: BTreeMap::new() })
    }

    /// Hands a record over, waiting for room where there is none.
    pub(super) async fn send(&mut self, record: &Record) -> Result<(), CommandError> {
        let topic = record.topic.as_str();
        match &mut self.target {
            Target::Stack { producer, .. } => {
                let outgoing = Outgoing { topic, key: Some(&record.key), value: Some(&record.value), headers: &[] };
                loop {
                    match producer.try_send(outgoing) {
                        Ok(()) => return Ok(()),
                        Err(SendError::Full) => tokio::time::sleep(Duration::from_millis(5)).await,
                        Err(error) => return Err(anyhow!(error).into()),
                    }
                }
            }
            Target::Msk { waiting, .. } => {
                let record = millrace_msk::Record {
                    key: Some(record.key.clone()),
                    value: Some(record.value.clone()),
                    headers: BTreeMap::new(),
                };
                waiting.entry(topic).or_default().push(record);
                if waiting.values().map(Vec::len).sum::<usize>() >= WAITING {
                    self.flush().await?;
                }
                Ok(())
            }
        }
    }

    /// Sends what waits; a stack's producer does by itself.
    pub(super) async fn flush(&mut self) -> Result<(), CommandError> {
        if let Target::Msk { producer, waiting } = &mut self.target {
            for (topic, records) in std::mem::take(waiting) {
                let sent = records.len() as u64;
                producer.send(topic, records).await?;
                *self.acknowledged.entry(topic.to_owned()).or_default() += sent;
            }
        }
        Ok(())
    }

    /// Goes on with another producer where the present one can't: the broker's data was wiped, for instance, and its successor
    /// knows nothing of this one.
    pub(super) fn mend(&mut self) -> anyhow::Result<()> {
        if let Target::Stack { brokers, producer } = &mut self.target
            && producer.is_broken()
        {
            let broken = std::mem::replace(producer, Producer::for_a_stream(brokers)?);
            add(&mut self.acknowledged, &broken);
        }
        Ok(())
    }

    /// Waits until all is acknowledged. How much was, by topic, and whether that is all.
    pub(super) async fn finish(mut self) -> anyhow::Result<(BTreeMap<String, u64>, Result<(), CommandError>)> {
        let outcome = self.flush().await;
        match self.target {
            Target::Msk { .. } => Ok((self.acknowledged, outcome)),
            Target::Stack { producer, .. } => {
                let (finished, producer) = tokio::task::spawn_blocking(move || (producer.finish(), producer)).await?;
                add(&mut self.acknowledged, &producer);
                Ok((self.acknowledged, finished.map(drop).map_err(CommandError::from)))
            }
        }
    }
}

fn add(acknowledged: &mut BTreeMap<String, u64>, producer: &Producer) {
    for (topic, partitions) in producer.delivered().topics {
        *acknowledged.entry(topic).or_default() += partitions.values().map(|partition| partition.records).sum::<u64>();
    }
}
