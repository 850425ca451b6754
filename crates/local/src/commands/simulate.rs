//! `millrace simulate`: seeded, realistic records on the topics.

mod schedule;
mod sink;
mod world;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use millrace_simulation::{Expected, LARGEST_SHARE_PCT, Record};
use millrace_wire::Topic;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use self::schedule::{Run, Schedule};
use self::sink::Sink;
pub(super) use self::world::SEED as SAMPLE_SEED;
use self::world::Worlds;
use super::arguments::{positive, topic};
use super::output::print;
use crate::CommandError;
use crate::home::Home;

/// Usage events a second, on the day's average, when no rate is asked for.
const USUAL_RATE: f64 = 20.0;

/// How far the sending may fall behind in an endless run before time is let go.
const BEHIND: TimeDelta = TimeDelta::seconds(1);

/// The options of `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// For how long (default: until Ctrl-C)
    #[arg(long, value_name = "S", value_parser = positive)]
    seconds: Option<f64>,
    /// Usage events a second (default: 20 on average, more in the evening than at night)
    #[arg(long, value_name = "N", value_parser = positive)]
    rate: Option<f64>,
    /// The same seed gives the same records but for their times
    #[arg(long, value_name = "K")]
    seed: Option<u64>,
    /// Percent of each kind of fault: not JSON, a missing field, a wrong field, a duplicate, a late record (0 to 20)
    #[arg(long, value_name = "P", default_value = "0", value_parser = share)]
    faulty: f64,
    /// Only this topic's records
    #[arg(long, value_name = "TOPIC", value_parser = topic)]
    only: Option<Topic>,
    /// To this cluster of MSK, with the sample operator's numbers, instead of to the stack
    #[arg(long, value_name = "ARN")]
    cluster_arn: Option<String>,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=LARGEST_SHARE_PCT).contains(&share) => Ok(share),
        _ => Err(format!("expected 0 to {LARGEST_SHARE_PCT}: each of five kinds gets this share")),
    }
}

/// What was handed to the producer, by topic and by what must become of it.
#[derive(Debug, Default)]
struct Sent(BTreeMap<Topic, [u64; 3]>);

impl Sent {
    fn count(&mut self, record: &Record) {
        let place = match record.expected {
            Expected::Stored => 0,
            Expected::Duplicate => 1,
            Expected::Reject => 2,
        };
        self.0.entry(record.topic).or_default()[place] += 1;
    }
}

impl Simulate {
    /// Runs the command: sends until its time is over or it is told to end, then prints what it produced.
    ///
    /// # Errors
    /// When there is no stack, or records were not acknowledged.
    pub async fn run(self) -> Result<(), CommandError> {
        let begins = Utc::now();
        let run = self.seed.map_or_else(|| Run::unseeded(begins), Run::seeded);
        let (mut sink, mut worlds) = match &self.cluster_arn {
            Some(arn) => (Sink::msk(arn).await?, Worlds::sample(run.world_seed)?),
            None => {
                let stack = Home::find()?.stack()?;
                (Sink::stack(stack.kafka_brokers()).await?, Worlds::open(&stack, run.world_seed).await?)
            }
        };
        let mut schedule = Schedule::new(run, self.rate, USUAL_RATE, self.faulty, self.only);
        let mut sent = Sent::default();
        let ends = self.seconds.map(|seconds| TimeDelta::microseconds((seconds * 1e6) as i64));
        let mut told = told_to_end()?;

        let mut started = Instant::now();
        while let Some(due) = schedule.next_due().filter(|due| ends.is_none_or(|end| *due < end)) {
            // Looked at before each record: one who can't keep up with the rate never waits.
            if *told.borrow() {
                break;
            }
            let elapsed = TimeDelta::from_std(started.elapsed()).unwrap_or_default();
            if due > elapsed {
                sink.flush().await?;
                let elapsed = TimeDelta::from_std(started.elapsed()).unwrap_or_default();
                let pause = (due - elapsed).to_std().unwrap_or_default();
                tokio::select! {
                    () = tokio::time::sleep(pause) => continue,
                    _ = told.wait_for(|told| *told) => break,
                }
            }
            if ends.is_none() && elapsed - due > BEHIND {
                // The machine slept or Kafka took nothing: the pace stays, the time is gone.
                started += (elapsed - due).to_std().unwrap_or_default();
            }
            for record in schedule.step(worlds.current(), at(due, started)) {
                sink.send(&record).await?;
                sent.count(&record);
            }
            sink.mend()?;
            worlds.refresh_if_due().await;
        }
        let (acknowledged, outcome) = sink.finish().await?;
        print(&summary(&sent, &acknowledged))?;
        outcome
    }
}

/// Becomes true once somebody ends the process, by Ctrl-C or SIGTERM.
fn told_to_end() -> anyhow::Result<watch::Receiver<bool>> {
    let mut interrupted = signal(SignalKind::interrupt()).context("can't listen for Ctrl-C")?;
    let mut terminated = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let (sender, told) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        sender.send_replace(true);
    });
    Ok(told)
}

/// The instant that is `due` after the start.
fn at(due: TimeDelta, started: Instant) -> DateTime<Utc> {
    let behind = TimeDelta::from_std(started.elapsed()).unwrap_or_default() - due;
    Utc::now() - behind
}

fn summary(sent: &Sent, acknowledged: &BTreeMap<String, u64>) -> String {
    let mut lines = Vec::new();
    for (topic, [good, duplicates, bad]) in &sent.0 {
        let produced = acknowledged.get(topic.as_str()).copied().unwrap_or_default();
        lines.push(format!("{topic} {produced} ({good} good, {duplicates} duplicates, {bad} bad)\n"));
    }
    lines.push(format!("produced {}\n", acknowledged.values().sum::<u64>()));
    lines.concat()
}
