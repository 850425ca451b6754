//! `millrace rejects`: what was refused and why, and sending it again.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::batch::Original;
use millrace_store_mysql::rejects::{self, Reject};
use millrace_wire::Topic;
use serde_json::{Value, json};

use super::arguments::topic;
use super::database::Database;
use super::outlet::{Outlet, Record};
use super::output::{print, print_json, table};
use crate::CommandError;

/// Rejects that are read, and sent again, at a time.
const PAGE: u32 = 1_000;

/// The options of `rejects`.
#[derive(Debug, Args)]
pub struct Rejects {
    #[command(flatten)]
    database: Database,
    /// For `replay` with --mysql-url: the cluster of MSK that has the topics
    #[arg(long, global = true, value_name = "ARN")]
    cluster_arn: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what was refused, oldest first, with the field and the reason
    List {
        /// One JSON document
        #[arg(long)]
        json: bool,
        /// Only this topic's
        #[arg(long, value_name = "TOPIC", value_parser = topic)]
        topic: Option<Topic>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
        /// Only those with a number above this
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: u64,
    },
    /// Show one with the bytes that were refused
    Show {
        /// Its number
        id: u64,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Send the original bytes to their topic again
    Replay {
        /// Their numbers (default: all that were not sent again yet)
        ids: Vec<u64>,
    },
}

impl Rejects {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no stack or no such reject, or Kafka does not take what is replayed.
    pub async fn run(self) -> Result<(), CommandError> {
        let Self { database, cluster_arn, action } = self;
        match action {
            Action::List { json, topic, limit, after } => {
                list(&database.pool().await?, json, topic, limit, after).await
            }
            Action::Show { id, json } => show(&database.pool().await?, id, json).await,
            Action::Replay { ids } => {
                let brokers = database.stack()?.map(|stack| stack.kafka_brokers());
                let outlet = Outlet::open(brokers.as_deref(), cluster_arn.as_deref(), "--mysql-url").await?;
                replay(&outlet, &database.pool().await?, ids).await
            }
        }
    }
}

async fn list(
    pool: &MySqlPool,
    json: bool,
    topic: Option<Topic>,
    limit: u32,
    mut after: u64,
) -> Result<(), CommandError> {
    let mut found = Vec::new();
    while (found.len() as u64) < u64::from(limit) {
        let page = rejects::list(pool, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.reject_id;
        let wanted = |reject: &Reject| topic.is_none_or(|topic| reject.topic == topic.as_str());
        found.extend(page.into_iter().filter(wanted).take(limit as usize - found.len()));
    }
    if json {
        return print_json(&json!({"rejects": found.iter().map(document).collect::<Vec<_>>()}));
    }
    let mut rows = vec![["ID", "RECEIVED", "RECORD", "FIELD", "REASON", "REPLAYED"].map(str::to_owned)];
    rows.extend(found.iter().map(|reject| {
        [
            reject.reject_id.to_string(),
            time(reject.received_at),
            format!("{}-{}@{}", reject.topic, reject.partition, reject.offset),
            reject.field.clone(),
            reject.reason.clone(),
            reject.replayed_at.map(time).unwrap_or_default(),
        ]
    }));
    print(&table(&rows))
}

async fn show(pool: &MySqlPool, id: u64, json: bool) -> Result<(), CommandError> {
    let (reject, original) = rejects::show(pool, id).await?.ok_or_else(|| unknown(id))?;
    let text = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(String::from_utf8_lossy).map(String::from);
    if json {
        let mut document = document(&reject);
        document["key"] = json!(text(&original.key));
        document["headers"] = serde_json::from_str(&original.headers).unwrap_or_else(|_| json!(original.headers));
        document["payload"] = json!(text(&original.payload));
        document["payload_base64"] =
            json!(original.payload.as_ref().map(|bytes| base64_simd::STANDARD.encode_to_string(bytes)));
        return print_json(&document);
    }
    let none = || "(none)".to_owned();
    let rows = [
        ["reject", &reject.reject_id.to_string()],
        ["record", &format!("{}-{}@{} of {}", reject.topic, reject.partition, reject.offset, time(reject.recorded_at))],
        ["received", &time(reject.received_at)],
        ["replayed", &reject.replayed_at.map_or_else(none, time)],
        ["field", &reject.field],
        ["reason", &reject.reason],
        ["key", &text(&original.key).unwrap_or_else(none)],
        ["headers", &original.headers],
        ["payload", &text(&original.payload).unwrap_or_else(none)],
    ];
    print(&table(&rows.map(|row| row.map(str::to_owned))))
}

async fn replay(outlet: &Outlet, pool: &MySqlPool, ids: Vec<u64>) -> Result<(), CommandError> {
    let mut produced = 0;
    if ids.is_empty() {
        // What a replay refuses again comes after the last one that is there now.
        let mut after = 0;
        let began = Utc::now();
        loop {
            let page = rejects::list(pool, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.reject_id;
            let mut open = Vec::new();
            for reject in page.iter().filter(|reject| reject.replayed_at.is_none() && reject.received_at <= began) {
                open.extend(rejects::show(pool, reject.reject_id).await?);
            }
            produced += send(outlet, pool, open).await?;
        }
    } else {
        let mut chosen = Vec::new();
        for id in ids {
            chosen.push(rejects::show(pool, id).await?.ok_or_else(|| unknown(id))?);
        }
        produced += send(outlet, pool, chosen).await?;
    }
    print(&format!("produced {produced}\n"))
}

/// Sends a page and notes it once all of it is acknowledged: after a fault in between, some may go twice, which the store takes
/// for duplicates or refuses again, and none is forgotten.
async fn send(outlet: &Outlet, pool: &MySqlPool, page: Vec<(Reject, Original)>) -> Result<usize, CommandError> {
    let mut sent = Vec::with_capacity(page.len());
    let mut topics: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for (reject, original) in page {
        let headers = headers(&original.headers)
            .with_context(|| format!("reject {}: its headers can't be read", reject.reject_id))?;
        let record = Record { key: original.key, value: original.payload, headers };
        topics.entry(reject.topic).or_default().push(record);
        sent.push(reject.reject_id);
    }
    for (topic, records) in topics {
        outlet.send(&topic, records).await?;
    }
    outlet.finish()?;
    let now = Utc::now();
    for reject_id in &sent {
        rejects::mark_replayed(pool, *reject_id, now).await?;
    }
    Ok(sent.len())
}

/// Headers as they are kept: a JSON list of maps from a name to the value's bytes.
fn headers(text: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let maps: Vec<BTreeMap<String, Vec<u8>>> = serde_json::from_str(text)?;
    Ok(maps.into_iter().flatten().collect())
}

fn document(reject: &Reject) -> Value {
    json!({
        "reject_id": reject.reject_id,
        "topic": reject.topic,
        "partition": reject.partition,
        "offset": reject.offset,
        "recorded_at": time(reject.recorded_at),
        "received_at": time(reject.received_at),
        "field": reject.field,
        "reason": reject.reason,
        "replayed_at": reject.replayed_at.map(time),
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn unknown(id: u64) -> CommandError {
    CommandError::input(format!("there is no reject {id}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn kept_headers_are_read_back_in_order_with_names_that_repeat() {
        let read = headers(r#"[{"source":[110,105]},{"source":[]},{"é":[255]}]"#).unwrap();
        assert_eq!(
            read,
            [("source".to_owned(), b"ni".to_vec()), ("source".to_owned(), vec![]), ("é".to_owned(), vec![255])]
        );
        assert!(headers("").unwrap().is_empty() && headers("[]").unwrap().is_empty());
        assert!(headers("{}").is_err());
    }
}
