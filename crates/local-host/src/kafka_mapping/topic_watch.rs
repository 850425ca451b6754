//! What a topic is now: its id, which changes when it is deleted and made again, and its partitions.
//!
//! The client library does not tell a topic's id, so this speaks Kafka's Metadata request (version 12) itself.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{ApiKey, MetadataRequest, MetadataResponse, RequestHeader, ResponseHeader, TopicName};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

const VERSION: i16 = 12;
const PATIENCE: Duration = Duration::from_secs(3);
/// No answer about one topic comes near this many bytes.
const LARGEST_ANSWER: u32 = 16 * 1024 * 1024;

/// A topic that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    /// In order.
    pub(crate) partitions: Vec<i32>,
}

/// Asks the brokers about one topic, over a connection that is kept.
pub(crate) struct TopicWatch {
    brokers: String,
    topic: String,
    connection: Option<TcpStream>,
    correlation: i32,
}

impl TopicWatch {
    pub(crate) fn new(brokers: &str, topic: &str) -> TopicWatch {
        TopicWatch { brokers: brokers.to_owned(), topic: topic.to_owned(), connection: None, correlation: 0 }
    }

    /// The topic, or `None` while there is none.
    pub(crate) async fn look(&mut self) -> std::io::Result<Option<Topic>> {
        let looked = tokio::time::timeout(PATIENCE, self.ask())
            .await
            .unwrap_or_else(|_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "no broker answered in time")));
        if looked.is_err() {
            self.connection = None;
        }
        looked
    }

    async fn ask(&mut self) -> std::io::Result<Option<Topic>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.brokers).await?,
        };
        self.correlation = self.correlation.wrapping_add(1);
        let request = self.request().map_err(std::io::Error::other)?;
        connection.write_all(&request).await?;
        let length = connection.read_u32().await?;
        if length > LARGEST_ANSWER {
            return Err(std::io::Error::other("the answer is no answer of a Kafka broker"));
        }
        let mut answer = vec![0; length as usize];
        connection.read_exact(&mut answer).await?;
        self.connection = Some(connection);
        self.read(Bytes::from(answer)).map_err(std::io::Error::other)
    }

    fn request(&self) -> Result<BytesMut, Box<dyn std::error::Error + Send + Sync>> {
        let topic = TopicName(StrBytes::from_string(self.topic.clone()));
        let header = RequestHeader::default()
            .with_request_api_key(ApiKey::Metadata as i16)
            .with_request_api_version(VERSION)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(StrBytes::from_static_str("millrace-local-host")));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![MetadataRequestTopic::default().with_name(Some(topic))]))
            .with_allow_auto_topic_creation(false);
        let mut body = BytesMut::new();
        header.encode(&mut body, MetadataRequest::header_version(VERSION))?;
        request.encode(&mut body, VERSION)?;
        let mut frame = BytesMut::with_capacity(4 + body.len());
        frame.extend_from_slice(&u32::try_from(body.len())?.to_be_bytes());
        frame.extend_from_slice(&body);
        Ok(frame)
    }

    fn read(&self, mut answer: Bytes) -> Result<Option<Topic>, Box<dyn std::error::Error + Send + Sync>> {
        let header = ResponseHeader::decode(&mut answer, MetadataResponse::header_version(VERSION))?;
        if header.correlation_id != self.correlation {
            return Err("the answer belongs to another question".into());
        }
        let answer = MetadataResponse::decode(&mut answer, VERSION)?;
        let topic = answer.topics.into_iter().find(|topic| {
            topic.error_code == 0 && topic.name.as_ref().is_some_and(|name| name.0.as_str() == self.topic)
        });
        Ok(topic.map(|topic| {
            let mut partitions: Vec<i32> = topic.partitions.iter().map(|partition| partition.partition_index).collect();
            partitions.sort_unstable();
            Topic { id: topic.topic_id, partitions }
        }))
    }
}

async fn connect(brokers: &str) -> std::io::Result<TcpStream> {
    let mut problem = std::io::Error::other("no broker is named");
    for broker in brokers.split(',') {
        match TcpStream::connect(broker.trim()).await {
            Ok(connection) => return Ok(connection),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}
