//! Producing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use rskafka::BackoffConfig;
use rskafka::client::Client;
use rskafka::client::partition::{Compression, PartitionClient, UnknownTopicHandling};
use tokio::sync::Mutex;

use crate::{Cluster, MskError, partitioner};

/// How long a request is tried again.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an answer is waited for, with all its tries: longer than the client's own limit, so that its reason is told.
const SILENCE: Duration = Duration::from_secs(70);
/// Bytes of one request's records; a larger record goes alone. MSK takes 1 MiB.
const REQUEST: usize = 768 * 1024;

/// A record to send.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its key, which decides the partition; without one any partition does.
    pub key: Option<Vec<u8>>,
    /// Its bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers. Of several of one name the last is kept.
    pub headers: BTreeMap<String, Vec<u8>>,
}

/// Sends records to a cluster. A record whose acknowledgement was lost is sent again, so that it may be there twice, which its
/// identity makes up for.
pub struct Producer {
    client: Client,
    topics: Mutex<HashMap<String, Arc<[PartitionClient]>>>,
    next: AtomicUsize,
}

impl Producer {
    /// Connects to a cluster.
    ///
    /// # Errors
    /// When the brokers cannot be found or do not answer.
    pub async fn connect(cluster: &Cluster) -> Result<Self, MskError> {
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            deadline: Some(PATIENCE),
            ..BackoffConfig::default()
        };
        Ok(Self::over(within(cluster.connect("millrace", backoff)).await?))
    }

    fn over(client: Client) -> Self {
        Self { client, topics: Mutex::default(), next: AtomicUsize::new(0) }
    }

    /// Sends records to a topic, those of one key in order, and returns once every in-sync replica has them.
    ///
    /// # Errors
    /// When one was not acknowledged within some 70 seconds; some of the others may have been.
    pub async fn send(&self, topic: &str, records: Vec<Record>) -> Result<(), MskError> {
        let partitions = self.partitions(topic).await?;
        let now = Utc::now();
        let mut by_partition: Vec<Vec<rskafka::record::Record>> = vec![Vec::new(); partitions.len()];
        for record in records {
            let place = match &record.key {
                Some(key) => partitioner::place(key, partitions.len()),
                None => self.next.fetch_add(1, Ordering::Relaxed) % partitions.len(),
            };
            by_partition[place].push(as_sent(record, now));
        }
        let sent = partitions.iter().zip(by_partition).map(|(partition, records)| async move {
            for request in requests(records) {
                within(partition.produce(request, Compression::NoCompression)).await?;
            }
            Ok::<_, MskError>(())
        });
        try_join_all(sent).await?;
        Ok(())
    }

    /// The partitions of a topic, by number.
    async fn partitions(&self, topic: &str) -> Result<Arc<[PartitionClient]>, MskError> {
        let mut topics = self.topics.lock().await;
        if let Some(partitions) = topics.get(topic) {
            return Ok(partitions.clone());
        }
        let known = within(self.client.list_topics()).await?.into_iter().find(|known| known.name == topic);
        let known = known.filter(|known| !known.partitions.is_empty());
        let known = known.ok_or_else(|| MskError::NoTopic(topic.to_owned()))?;
        let clients = known
            .partitions
            .iter()
            .map(|partition| self.client.partition_client(topic, *partition, UnknownTopicHandling::Retry));
        let partitions: Arc<[PartitionClient]> = within(try_join_all(clients)).await?.into();
        topics.insert(topic.to_owned(), partitions.clone());
        Ok(partitions)
    }
}

/// Ends what is not answered: the client looks at its own limit between two tries, and a broker that says nothing ends none.
async fn within<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<T, MskError>
where
    MskError: From<E>,
{
    match tokio::time::timeout(SILENCE, work).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(MskError::Silent(SILENCE)),
    }
}

fn as_sent(record: Record, now: DateTime<Utc>) -> rskafka::record::Record {
    rskafka::record::Record { key: record.key, value: record.value, headers: record.headers, timestamp: now }
}

/// The records in pieces that brokers take.
fn requests(records: Vec<rskafka::record::Record>) -> Vec<Vec<rskafka::record::Record>> {
    let mut requests = Vec::new();
    let (mut request, mut size) = (Vec::new(), 0);
    for record in records {
        let more = record.approximate_size();
        if size + more > REQUEST && !request.is_empty() {
            requests.push(std::mem::take(&mut request));
            size = 0;
        }
        size += more;
        request.push(record);
    }
    if !request.is_empty() {
        requests.push(request);
    }
    requests
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millrace_test_support::environment;
    use rskafka::client::ClientBuilder;
    use rskafka::client::partition::OffsetAt;

    use super::*;

    #[test]
    fn requests_stay_below_what_brokers_take_and_keep_the_order() {
        let record = |n: u8, size: usize| Record { value: Some(vec![n; size]), ..Record::default() };
        let records = [record(1, 10), record(2, REQUEST), record(3, 400_000), record(4, 300_000), record(5, 300_000)];
        let requests = requests(records.into_iter().map(|record| as_sent(record, DateTime::UNIX_EPOCH)).collect());
        let numbers: Vec<Vec<u8>> = requests
            .iter()
            .map(|request| request.iter().filter_map(|record| record.value.as_ref()?.first().copied()).collect())
            .collect();
        assert_eq!(numbers, [vec![1], vec![2], vec![3, 4], vec![5]]);
    }

    /// On a broker without TLS and sign-in: those two are MSK's.
    #[tokio::test]
    async fn a_key_s_records_are_in_one_partition_in_order() {
        let brokers = vec![environment::required("MILLRACE_TEST_KAFKA")];
        let producer = Producer::over(ClientBuilder::new(brokers).build().await.unwrap());
        let topic = format!("msk-{}", uuid::Uuid::new_v4().simple());
        let missing = producer.send(&topic, vec![Record::default()]).await.unwrap_err();
        assert_eq!(missing.to_string(), format!("the topic {topic} is not there"));
        producer.client.controller_client().unwrap().create_topic(&topic, 3, 1, 10_000).await.unwrap();
        let begun = std::time::Instant::now();
        while producer.partitions(&topic).await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the new topic is not known");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        let text = |n: u32| Some(n.to_string().into_bytes());
        let keyed = |n: u32| Record {
            key: text(n % 7),
            value: text(n),
            headers: BTreeMap::from([("source".to_owned(), b"test".to_vec())]),
        };
        producer.send(&topic, (0..70).map(keyed).collect()).await.unwrap();
        producer.send(&topic, (70..140).map(keyed).collect()).await.unwrap();

        let mut seen = Vec::new();
        for (number, partition) in producer.partitions(&topic).await.unwrap().iter().enumerate() {
            let end = partition.get_offset(OffsetAt::Latest).await.unwrap();
            let mut last: HashMap<Vec<u8>, u32> = HashMap::new();
            let mut next = 0;
            while next < end {
                let (records, _) = partition.fetch_records(next, 1..1_000_000, 1_000).await.unwrap();
                for found in records {
                    next = found.offset + 1;
                    let (key, value) = (found.record.key.unwrap(), found.record.value.unwrap());
                    assert_eq!(partitioner::place(&key, 3), number);
                    assert_eq!(found.record.headers["source"], b"test");
                    let value: u32 = std::str::from_utf8(&value).unwrap().parse().unwrap();
                    assert!(last.insert(key, value).is_none_or(|before| before < value), "in order");
                    seen.push(value);
                }
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..140).collect::<Vec<u32>>());
    }
}
