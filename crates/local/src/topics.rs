//! The broker seen from outside: its topics and how far they reach.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail};
use millrace_wire::Topic;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    types::RDKafkaErrorCode,
};
use tokio::task::spawn_blocking;

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many partitions `up` gives a topic.
#[must_use]
pub fn partitions(topic: Topic) -> i32 {
    match topic {
        Topic::UsageEvents => 4,
        Topic::SensorReadings | Topic::Customers => 2,
    }
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("client.id", "millrace");
    config
}

/// Asks the broker for its metadata: it answers and has registered itself.
///
/// # Errors
/// When it does not, within two seconds.
pub async fn ping(brokers: &str) -> anyhow::Result<()> {
    let config = config(brokers);
    let answered = spawn_blocking(move || -> anyhow::Result<usize> {
        let consumer: BaseConsumer = config.create()?;
        Ok(consumer.fetch_metadata(None, Duration::from_secs(2))?.brokers().len())
    });
    match answered.await?? {
        0 => bail!("the broker is not registered yet"),
        _ => Ok(()),
    }
}

/// Creates the topics that are not there. Times of records are the broker's own, so that lateness is measured by one clock.
///
/// # Errors
/// When one can't be created.
pub async fn create(brokers: &str) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create()?;
    let topics = Topic::ALL.map(|topic| {
        NewTopic::new(topic.as_str(), partitions(topic), TopicReplication::Fixed(1))
            .set("message.timestamp.type", "LogAppendTime")
    });
    let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
    let outcomes = admin.create_topics(&topics, &options).await.context("can't create the topics")?;
    for outcome in outcomes {
        match outcome {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, error)) => bail!("can't create the topic {topic}: {error}"),
        }
    }
    Ok(())
}

/// The end offset of every partition of the three topics. A topic that is not there has none.
///
/// # Errors
/// When the broker does not answer in time.
pub async fn end_offsets(brokers: &str) -> anyhow::Result<BTreeMap<Topic, BTreeMap<i32, i64>>> {
    let config = config(brokers);
    let read = spawn_blocking(move || -> anyhow::Result<_> {
        let consumer: BaseConsumer = config.create()?;
        let metadata = consumer.fetch_metadata(None, PATIENCE).context("the broker does not answer")?;
        let mut ends = BTreeMap::new();
        for topic in Topic::ALL {
            let mut of_topic = BTreeMap::new();
            let partitions =
                metadata.topics().iter().find(|known| known.name() == topic.as_str()).map(|known| known.partitions());
            for partition in partitions.unwrap_or_default() {
                let (_, end) = consumer
                    .fetch_watermarks(topic.as_str(), partition.id(), PATIENCE)
                    .with_context(|| format!("can't read the end of {topic}-{}", partition.id()))?;
                of_topic.insert(partition.id(), end);
            }
            ends.insert(topic, of_topic);
        }
        Ok(ends)
    });
    read.await?
}
