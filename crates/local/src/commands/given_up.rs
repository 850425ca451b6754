//! `millrace given-up`: batches that were given up on, and sending their records again.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use millrace_wire::batch::{self, KafkaBatch};
use serde_json::json;

use super::outlet::{Outlet, Record};
use super::output::{print, print_json, table};
use crate::CommandError;
use crate::given_up::{Batch, GivenUp as Batches, InvocationRecord};
use crate::home::Home;

/// Batches that are sent before their acknowledgements are waited for.
const AT_ONCE: usize = 50;

/// The options of `given-up`.
#[derive(Debug, Args)]
pub struct GivenUp {
    /// A bucket on AWS in which Lambda keeps them, instead of the stack's
    #[arg(long, global = true, value_name = "NAME")]
    bucket: Option<String>,
    /// For `replay` with --bucket: the cluster of MSK that has the topics
    #[arg(long, global = true, value_name = "ARN")]
    cluster_arn: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the batches that were given up on
    List {
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show why one was given up on, and its records
    Show {
        /// Its key, as `list` tells it
        key: String,
    },
    /// Send a batch's records to their topic again
    Replay {
        /// Their keys (default: all that were not sent again yet)
        keys: Vec<String>,
    },
}

impl GivenUp {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no stack or no such batch, or Kafka does not take what is replayed.
    pub async fn run(self) -> Result<(), CommandError> {
        let (batches, brokers) = match &self.bucket {
            Some(bucket) => (Batches::on_aws(bucket), None),
            None => {
                let stack = Home::find()?.stack()?;
                (Batches::of(&stack)?, Some(stack.kafka_brokers()))
            }
        };
        match self.action {
            Action::List { json } => list(&batches.list().await?, json),
            Action::Show { key } => show(&key, &read(&batches, &key).await?),
            Action::Replay { keys } => {
                let outlet = Outlet::open(brokers.as_deref(), self.cluster_arn.as_deref(), "--bucket").await?;
                replay(&outlet, &batches, keys).await
            }
        }
    }
}

fn list(batches: &[Batch], as_json: bool) -> Result<(), CommandError> {
    if as_json {
        let documents: Vec<_> = batches
            .iter()
            .map(|batch| {
                json!({
                    "key": batch.key, "topic": batch.topic, "topic_id": batch.topic_id, "partition": batch.partition,
                    "first_offset": batch.first_offset, "last_offset": batch.last_offset, "records": batch.records(),
                    "given_up_at": batch.given_up_at.map(time), "replayed": batch.replayed,
                })
            })
            .collect();
        return print_json(&json!({"given_up": documents}));
    }
    let mut rows = vec![["GIVEN UP", "RECORDS", "REPLAYED", "KEY"].map(str::to_owned)];
    rows.extend(batches.iter().map(|batch| {
        [
            batch.given_up_at.map(time).unwrap_or_default(),
            format!("{}-{}@{}..{}", batch.topic, batch.partition, batch.first_offset, batch.last_offset),
            if batch.replayed { "yes" } else { "no" }.to_owned(),
            batch.key.clone(),
        ]
    }));
    print(&table(&rows))
}

fn show(key: &str, record: &InvocationRecord) -> Result<(), CommandError> {
    let batch = parse(key, record)?;
    let context = &record.request_context;
    let last = record.response_context.as_ref().and_then(|answer| answer.function_error.as_deref()).unwrap_or("(none)");
    let rows = [
        ["batch", key],
        ["function", &context.function_arn],
        ["given up because", &context.condition],
        ["attempts", &context.approximate_invoke_count.to_string()],
        ["last request", &context.request_id],
        ["last error", last],
        ["records", &batch.len().to_string()],
    ];
    let mut text = table(&rows.map(|row| row.map(str::to_owned)));
    for partition in &batch.partitions {
        for record in &partition.records {
            let value = record.value.as_ref().map_or_else(|| b"(none)".to_vec(), |value| value.decode_lossy());
            let place = format!("{}-{}@{}", partition.topic, partition.partition, record.offset);
            text.push_str(&format!("{place}  {}\n", String::from_utf8_lossy(&value)));
        }
    }
    print(&text)
}

async fn replay(outlet: &Outlet, batches: &Batches, keys: Vec<String>) -> Result<(), CommandError> {
    let keys = if keys.is_empty() {
        // An object may hold batches of several partitions.
        let open: BTreeSet<String> =
            batches.list().await?.into_iter().filter(|batch| !batch.replayed).map(|batch| batch.key).collect();
        open.into_iter().collect()
    } else {
        for key in &keys {
            // All are looked for before any is sent.
            read(batches, key).await?;
        }
        keys
    };
    let mut produced = 0;
    for keys in keys.chunks(AT_ONCE) {
        let mut sent = Vec::with_capacity(keys.len());
        for key in keys {
            let record = read(batches, key).await?;
            let batch = parse(key, &record)?;
            for partition in &batch.partitions {
                outlet.send(&partition.topic, partition.records.iter().map(as_delivered).collect()).await?;
            }
            sent.push((key, batch.len()));
        }
        outlet.finish()?;
        // Noted once all is acknowledged: after a fault in between a batch may go twice, which makes duplicates, never a loss.
        for (key, records) in sent {
            batches.mark_replayed(key, records, Utc::now()).await?;
            produced += records;
        }
    }
    print(&format!("produced {produced}\n"))
}

fn as_delivered(record: &batch::Record<'_>) -> Record {
    Record {
        key: record.key.as_ref().map(|key| key.decode_lossy()),
        value: record.value.as_ref().map(|value| value.decode_lossy()),
        headers: record.headers.iter().map(|header| (header.name.to_string(), header.value.clone())).collect(),
    }
}

async fn read(batches: &Batches, key: &str) -> Result<InvocationRecord, CommandError> {
    batches.read(key).await?.ok_or_else(|| CommandError::input(format!("no batch was given up on under the key {key}")))
}

fn parse<'a>(key: &str, record: &'a InvocationRecord) -> anyhow::Result<KafkaBatch<'a>> {
    KafkaBatch::parse(record.payload.as_bytes())
        .map_err(|error| anyhow!(error))
        .with_context(|| format!("{key} holds no batch"))
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
