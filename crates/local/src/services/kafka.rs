//! Apache Kafka, one node that is broker and controller (KRaft).

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use tokio::{net::TcpStream, process::Command};

use super::java::Jars;
use crate::{
    home::{self, Home},
    stack::Stack,
    supervisor::{process_log::last_lines, service::Service},
    topics,
};

const JARS: &str = "kafka-4.3.1";
const LOGGING: &str = include_str!("../../../../infra/native/kafka/log4j2.properties");

/// The broker of a stack.
#[derive(Debug)]
pub struct Kafka {
    folder: PathBuf,
    log: PathBuf,
    jars: Jars,
    cluster_id: String,
    brokers: String,
    port: u16,
    controller_port: u16,
}

impl Kafka {
    /// The broker of a home, with its data in `kafka/`.
    ///
    /// # Errors
    /// When its jars are not there.
    pub fn new(home: &Home, stack: &Stack) -> anyhow::Result<Self> {
        let ports = stack.ports()?;
        Ok(Self {
            folder: home.join("kafka"),
            log: home.log("kafka-format"),
            jars: Jars::of(JARS)?,
            cluster_id: stack.services.kafka_cluster_id.clone(),
            brokers: stack.kafka_brokers(),
            port: ports.kafka(),
            controller_port: ports.kafka_controller(),
        })
    }

    fn java(&self) -> anyhow::Result<Command> {
        let mut command = self.jars.command("64M", "320M")?;
        // Taken for a URL, in which a space would be wrong: so it is relative.
        command.arg("-Dlog4j2.configurationFile=log4j2.properties").current_dir(&self.folder);
        Ok(command)
    }

    async fn format(&self) -> anyhow::Result<()> {
        let log = fs::File::create(&self.log).with_context(|| format!("can't write {}", self.log.display()))?;
        let mut command = self.java()?;
        command.args(["kafka.tools.StorageTool", "format", "-t", &self.cluster_id, "-c", "server.properties"]);
        command.stdin(std::process::Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let status = command.status().await.context("can't run java")?;
        if !status.success() {
            bail!("formatting its folder failed ({status}):\n{}", last_lines(&self.log, 0, 15));
        }
        Ok(())
    }
}

impl Service for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        home::create_private_folder(&self.folder)?;
        home::write_private(&self.folder.join("log4j2.properties"), LOGGING.as_bytes())?;
        home::write_private(
            &self.folder.join("server.properties"),
            server_properties(self.port, self.controller_port).as_bytes(),
        )?;
        // The tool writes this file last.
        if !self.folder.join("data/meta.properties").exists() {
            let data = self.folder.join("data");
            if data.exists() {
                // Formatting was cut short: there was no broker yet, so there are no records.
                fs::remove_dir_all(&data).with_context(|| format!("can't clear {}", data.display()))?;
            }
            self.format().await?;
        }
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = self.java()?;
        command.args(["kafka.Kafka", "server.properties"]);
        Ok(command)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        // A refused connection tells at once what a Kafka client would find out slowly.
        TcpStream::connect(("127.0.0.1", self.port)).await.context("its port does not answer")?;
        topics::ping(&self.brokers).await
    }

    fn stop_patience(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// The broker's configuration; paths are relative to its folder.
fn server_properties(port: u16, controller_port: u16) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=BROKER://127.0.0.1:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
log.dirs=data
auto.create.topics.enable=false
# One node: every internal topic has one replica, and as few partitions as do.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# With the defaults a restart waits 8 to 16 s for the old registration to expire.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.segment.bytes=134217728
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.threads=1
"
    )
}
