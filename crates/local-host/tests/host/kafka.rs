//! Kafka for the tests: the broker that `MILLRACE_TEST_KAFKA` names, topics of a test's own, and a broker of a test's own.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Setup;

pub(crate) fn brokers() -> String {
    std::env::var("MILLRACE_TEST_KAFKA")
        .expect("MILLRACE_TEST_KAFKA is not set: run scripts/test, or set it to a broker's host:port")
}

/// A topic of a test's own, with a consumer group of the same name.
pub(crate) struct Topic {
    pub(crate) name: String,
    brokers: String,
    admin: AdminClient<DefaultClientContext>,
    producer: FutureProducer,
}

impl Topic {
    pub(crate) async fn new(partitions: i32) -> Topic {
        let topic = Topic::at(&brokers());
        topic.create(partitions, &[]).await;
        topic
    }

    /// A name; the topic itself is not made yet.
    pub(crate) fn at(brokers: &str) -> Topic {
        let config = |more: &[(&str, &str)]| {
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", brokers).set("message.max.bytes", "20000000").set("linger.ms", "5");
            more.iter().for_each(|(key, value)| {
                config.set(*key, *value);
            });
            config
        };
        Topic {
            name: format!("test-{}", uuid::Uuid::new_v4().simple()),
            brokers: brokers.to_owned(),
            admin: config(&[]).create().unwrap(),
            producer: config(&[("enable.idempotence", "true")]).create().unwrap(),
        }
    }

    /// The same topic seen by clients of its own, which know nothing of it yet.
    pub(crate) fn anew(&self) -> Topic {
        Topic { name: self.name.clone(), ..Topic::at(&self.brokers) }
    }

    pub(crate) async fn create(&self, partitions: i32, settings: &[(&str, &str)]) {
        let mut topic = NewTopic::new(&self.name, partitions, TopicReplication::Fixed(1));
        topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let made = self.admin.create_topics([&topic], &AdminOptions::new()).await.unwrap();
        made.into_iter().for_each(|made| drop(made.unwrap()));
    }

    pub(crate) async fn delete(&self) {
        self.admin.delete_topics(&[&self.name], &AdminOptions::new()).await.unwrap();
        // The name is free once the broker no longer tells of the topic.
        let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap();
        loop {
            let metadata = consumer.fetch_metadata(None, Duration::from_secs(5)).unwrap();
            if !metadata.topics().iter().any(|topic| topic.name() == self.name) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn grow(&self, partitions: usize) {
        let partitions = NewPartitions::new(&self.name, partitions);
        let grown = self.admin.create_partitions([&partitions], &AdminOptions::new()).await.unwrap();
        grown.into_iter().for_each(|grown| drop(grown.unwrap()));
    }

    /// Deletes every record before `offset`.
    pub(crate) async fn delete_records_before(&self, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.name, partition, Offset::Offset(offset)).unwrap();
        self.admin.delete_records(&list, &AdminOptions::new()).await.unwrap();
    }

    pub(crate) async fn produce(&self, partition: i32, values: &[&str]) {
        self.produce_at(partition, values, None).await;
    }

    /// Produces values in order, with a time of their own if there is one.
    pub(crate) async fn produce_at(&self, partition: i32, values: &[&str], time_ms: Option<i64>) {
        let sent = values.iter().map(|value| {
            let record = FutureRecord::<(), str>::to(&self.name).partition(partition).payload(value);
            let record = time_ms.into_iter().fold(record, |record, time| record.timestamp(time));
            self.producer.send_result(record).unwrap_or_else(|(error, _)| panic!("{error}"))
        });
        for delivery in sent.collect::<Vec<_>>() {
            delivery.await.unwrap().unwrap();
        }
    }

    /// The group's position, if it has one.
    pub(crate) async fn committed(&self, partition: i32) -> Option<i64> {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &self.brokers).set("group.id", &self.name).create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.name, partition);
        let asked = tokio::task::spawn_blocking(move || {
            // The broker may still be choosing the group's coordinator, and say so at once.
            (0..20).find_map(|_| {
                let committed = consumer.committed_offsets(list.clone(), Duration::from_secs(5)).ok();
                if committed.is_none() {
                    std::thread::sleep(Duration::from_millis(500));
                }
                committed
            })
        });
        match asked.await.unwrap().expect("the group's coordinator answers").elements()[0].offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }

    /// The trigger of a mapping on this topic, with what a test says of it.
    pub(crate) fn trigger(&self, more: Value) -> Value {
        let mut trigger = json!({
            "topic": self.name, "consumer_group": self.name, "batch_size": 100, "batch_window_ms": 50,
            "starting_position": "TRIM_HORIZON", "report_batch_item_failures": true,
        });
        trigger.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"kafka": trigger})
    }

    /// A host whose function `reader` reads this topic.
    pub(crate) fn reader(&self, concurrency: u32, trigger: Value) -> Setup {
        let brokers = self.brokers.clone();
        Setup::new()
            .function(
                "reader",
                json!({"concurrency": concurrency, "timeout_seconds": 20, "triggers": [self.trigger(trigger)]}),
            )
            .journal()
            .configure(|config| config.brokers = Some(brokers))
    }
}

/// A broker of a test's own, which it may stop and start. It ends with the test.
pub(crate) struct Broker {
    folder: TempDir,
    process: Child,
    pub(crate) address: String,
}

impl Broker {
    pub(crate) fn start() -> Broker {
        let folder = tempfile::tempdir().unwrap();
        let [port, controller] = [free_port(), free_port()];
        let settings = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
             controller.listener.names=CONTROLLER\nlisteners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=BROKER://127.0.0.1:{port}\n\
             listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT\ninter.broker.listener.name=BROKER\n\
             log.dirs={}/data\nauto.create.topics.enable=false\noffsets.topic.replication.factor=1\n\
             offsets.topic.num.partitions=1\nbroker.session.timeout.ms=2000\nbroker.heartbeat.interval.ms=500\n",
            folder.path().display()
        );
        let path = folder.path().join("server.properties");
        std::fs::write(&path, settings).unwrap();
        let formatted = java("kafka.tools.StorageTool")
            .args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c"])
            .arg(&path)
            .stdout(Stdio::null())
            .status();
        assert!(formatted.unwrap().success());
        let process = java("kafka.Kafka").arg(&path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Broker { folder, process, address: format!("127.0.0.1:{port}") }
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        let settings = self.folder.path().join("server.properties");
        self.process = java("kafka.Kafka").arg(settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Java with Kafka's jars, from where `scripts/test` puts them.
fn java(class: &str) -> Command {
    let cache = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        cache
            .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"))
            .join("millrace/services")
    };
    let services = std::env::var_os("MILLRACE_SERVICES").map_or_else(cache, PathBuf::from);
    let jars = services.join("kafka-4.3.1/lib");
    assert!(jars.is_dir(), "{} is not there: scripts/test fetches it", jars.display());
    let mut java = Command::new("java");
    java.args(["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]).arg(jars.join("*")).arg(class);
    java
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
