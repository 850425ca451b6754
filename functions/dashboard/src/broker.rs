//! Kafka, as the page reads it: where the topics end, how fast they grow, and records by offset. Nothing is kept there: no consumer
//! group, no commits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use millrace_lambda_support::settings::KafkaSettings;
use millrace_msk::{Cluster, MskError};
use rskafka::BackoffConfig;
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::RecordAndOffset;
use tokio::sync::Mutex;

/// After so long the topics and partitions are looked up again.
const LOOKED_UP_AGAIN: Duration = Duration::from_secs(30);
/// How long a request is tried again by the client itself.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes asked for at once of one partition. A larger record comes whole.
const FETCH: i32 = 256 * 1024;
/// How long a fetch waits for a record. It is asked only where there is one.
const WAIT_MS: i32 = 100;

/// A partition and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset that its next record will get.
    pub end: i64,
}

/// The brokers, with the connections that are kept from one request to the next.
pub struct Broker {
    place: Place,
    topics: Vec<String>,
    kept: Mutex<Option<Kept>>,
}

/// Where the brokers are.
enum Place {
    /// At these addresses, without TLS.
    Addresses(Vec<String>),
    /// MSK tells.
    Msk(Cluster),
}

struct Kept {
    client: Client,
    connected: Connected,
    looked_up: Instant,
}

/// The partitions that are there.
#[derive(Clone)]
pub(crate) struct Connected {
    partitions: Arc<Vec<Arc<PartitionClient>>>,
}

impl Broker {
    /// The brokers that the settings name, and the topics to show. Connects when it is first asked.
    ///
    /// # Errors
    /// When a cluster's ARN is none.
    pub fn of<T: Into<String>>(
        settings: &KafkaSettings,
        topics: impl IntoIterator<Item = T>,
    ) -> Result<Self, MskError> {
        let place = match settings {
            KafkaSettings::Msk(arn) => Place::Msk(Cluster::new(arn)?),
            KafkaSettings::Brokers(addresses) => {
                Place::Addresses(addresses.split(',').map(|address| address.trim().to_owned()).collect())
            }
        };
        Ok(Self { place, topics: topics.into_iter().map(Into::into).collect(), kept: Mutex::new(None) })
    }

    /// The topics to show, whether they are there or not.
    pub(crate) fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The partitions of the topics that are there.
    pub(crate) async fn connected(&self) -> Result<Connected, MskError> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.looked_up.elapsed() < LOOKED_UP_AGAIN) {
            return Ok(kept.connected.clone());
        }
        // Whatever fails below, the next request begins afresh.
        let client = match kept.take() {
            Some(kept) => kept.client,
            None => self.connect().await?,
        };
        let mut topics = client.list_topics().await?;
        topics.retain(|topic| self.topics.contains(&topic.name));
        let partitions =
            topics.iter().flat_map(|topic| topic.partitions.iter().map(|partition| (topic.name.clone(), *partition)));
        let partitions =
            partitions.map(|(topic, partition)| client.partition_client(topic, partition, UnknownTopicHandling::Error));
        let partitions = try_join_all(partitions).await?.into_iter().map(Arc::new).collect();
        let connected = Connected { partitions: Arc::new(partitions) };
        *kept = Some(Kept { client, connected: connected.clone(), looked_up: Instant::now() });
        Ok(connected)
    }

    async fn connect(&self) -> Result<Client, MskError> {
        let patience = BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_millis(500),
            deadline: Some(PATIENCE),
            ..BackoffConfig::default()
        };
        const NAME: &str = "millrace-dashboard";
        match &self.place {
            // Boxed: the page's requests would all hold its state.
            Place::Msk(cluster) => Box::pin(cluster.connect(NAME, patience)).await,
            Place::Addresses(addresses) => {
                let builder = ClientBuilder::new(addresses.clone()).client_id(NAME).backoff_config(patience);
                Ok(builder.build().await?)
            }
        }
    }

    /// Forgets the connections: after an error the next request begins afresh.
    pub(crate) async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}

impl Connected {
    /// Where each partition ends.
    pub(crate) async fn ends(&self) -> Result<Vec<End>, Error> {
        self.offsets(OffsetAt::Latest).await
    }

    /// The first offset at or after an instant; −1 where there is none.
    pub(crate) async fn at(&self, instant: DateTime<Utc>) -> Result<Vec<End>, Error> {
        self.offsets(OffsetAt::Timestamp(instant)).await
    }

    async fn offsets(&self, at: OffsetAt) -> Result<Vec<End>, Error> {
        try_join_all(self.partitions.iter().map(|partition| async move {
            let end = partition.get_offset(at).await?;
            Ok(End { topic: partition.topic().to_owned(), partition: partition.partition(), end })
        }))
        .await
    }

    /// The first offset that a partition still has.
    pub(crate) async fn start(&self, topic: &str, partition: i32) -> Result<i64, Error> {
        match self.find(topic, partition) {
            Some(partition) => partition.get_offset(OffsetAt::Earliest).await,
            None => Ok(0),
        }
    }

    /// Records from an offset on; from the first one there is when the offset is no longer, or not yet, in the log.
    pub(crate) async fn fetch(&self, topic: &str, partition: i32, offset: i64) -> Result<Vec<RecordAndOffset>, Error> {
        let Some(client) = self.find(topic, partition) else { return Ok(Vec::new()) };
        match client.fetch_records(offset, 1..FETCH, WAIT_MS).await {
            Ok((records, _)) => Ok(records),
            Err(Error::ServerError { protocol_error: ProtocolError::OffsetOutOfRange, .. }) => {
                let start = client.get_offset(OffsetAt::Earliest).await?;
                Ok(client.fetch_records(start, 1..FETCH, WAIT_MS).await?.0)
            }
            Err(error) => Err(error),
        }
    }

    fn find(&self, topic: &str, partition: i32) -> Option<&PartitionClient> {
        self.partitions
            .iter()
            .find(|client| client.topic() == topic && client.partition() == partition)
            .map(Arc::as_ref)
    }
}
