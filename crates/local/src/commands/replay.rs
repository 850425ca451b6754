//! `millrace replay`: a file's records to a topic.

mod settlement;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use millrace_wire::Topic;

use self::source::Source;
use super::arguments::{positive, time, topic};
use super::output::print;
use crate::home::Home;
use crate::kafka::{Delivered, Outgoing, Producer, SendError};
use crate::pacer::Pacer;
use crate::{CommandError, topics};

/// The options of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// The topic to send to
    #[arg(long, value_parser = topic)]
    topic: Topic,
    /// The file: .csv is CSV, anything else JSON lines
    file: PathBuf,
    /// Records a second (default: as fast as Kafka takes them)
    #[arg(long, value_name = "N", value_parser = positive)]
    rate: Option<f64>,
    /// Return when each record is stored, a duplicate or a reject
    #[arg(long)]
    wait: bool,
    /// The observed_at of every row of a customers CSV (default: now)
    #[arg(long, value_name = "T", value_parser = time)]
    observed_at: Option<DateTime<Utc>>,
}

impl Replay {
    /// Runs the command.
    ///
    /// # Errors
    /// When the file can't be read, Kafka does not take a record, or with `--wait` a record was given up on.
    pub async fn run(self) -> Result<(), CommandError> {
        if self.observed_at.is_some() && !(self.topic == Topic::Customers && source::is_csv(&self.file)) {
            return Err(CommandError::input(
                "--observed-at is for CSV files of --topic customers: other records carry their own times",
            ));
        }
        let read = Arc::new(AtomicU64::new(0));
        let source =
            Source::open(&self.file, self.topic, self.observed_at.unwrap_or_else(Utc::now), Arc::clone(&read))?;
        let stack = Home::find()?.stack()?;
        let brokers = stack.kafka_brokers();
        topics::ping(&brokers)
            .await
            .with_context(|| format!("Kafka at {brokers} does not answer; is the stack up?"))?;

        let began = Utc::now();
        let (topic, file, rate) = (self.topic, self.file.clone(), self.rate);
        let (outcome, delivered) = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
            let producer = Producer::for_files(&brokers)?;
            let outcome = send(&producer, source, topic, &file, rate, &read);
            // What was sent before an error counts all the same.
            Ok((outcome, producer.finish()))
        })
        .await??;
        let delivered: Delivered = match (outcome, delivered) {
            (Ok(()), delivered) => delivered?,
            (Err(error), Ok(delivered)) => {
                tell(&delivered, topic)?;
                return Err(error);
            }
            (Err(error), Err(_)) => return Err(error),
        };
        tell(&delivered, topic)?;
        if self.wait {
            let partitions = delivered.topics.get(topic.as_str()).cloned().unwrap_or_default();
            settlement::wait(&stack, topic, &partitions, began).await?;
        }
        Ok(())
    }
}

fn tell(delivered: &Delivered, topic: Topic) -> Result<(), CommandError> {
    print(&format!("produced {}\n", delivered.records(topic.as_str())))
}

fn send(
    producer: &Producer,
    source: Source,
    topic: Topic,
    file: &Path,
    rate: Option<f64>,
    read: &AtomicU64,
) -> Result<(), CommandError> {
    let bar = progress(file);
    let mut pacer = rate.map(Pacer::new);
    let mut sent = 0_u64;
    let outcome = source.for_each(file, |record| {
        if let Some(pacer) = &mut pacer {
            pacer.wait();
        }
        let key = record.key.as_deref().map(str::as_bytes);
        let outgoing = Outgoing { topic: topic.as_str(), key, value: Some(record.value), headers: &[] };
        match producer.send(outgoing) {
            Ok(()) => {}
            Err(SendError::TooLarge) => {
                let name = file.display();
                return Err(CommandError::input(format!(
                    "{name}: record {} has more bytes than Kafka takes",
                    sent + 1
                )));
            }
            Err(error) => return Err(anyhow!(error).into()),
        }
        sent += 1;
        if sent.is_multiple_of(1_000) || rate.is_some() {
            bar.set_position(read.load(Ordering::Relaxed));
            bar.set_message(format!("{sent} records"));
        }
        Ok(())
    });
    bar.finish_and_clear();
    outcome
}

/// A bar over the file's bytes, which indicatif shows on a terminal only.
fn progress(file: &Path) -> ProgressBar {
    let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg} {elapsed}, {eta} to go");
    ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
