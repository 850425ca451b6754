//! Ours: `rate`, driven by the local host.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::events::Events;
use crate::processes::{self, Meter};
use crate::producer::Producer;
use crate::stacks::Measured;

/// How often the ledger is asked, and how often the processes are.
const LEDGER_EVERY: Duration = Duration::from_millis(20);
const PROCESSES_EVERY: Duration = Duration::from_millis(250);
/// A run that takes longer is broken.
const LIMIT: Duration = Duration::from_secs(1_800);

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) rows_per_second: f64,
    /// CPU seconds of all instances for a million events.
    pub(crate) cpu_per_million: f64,
    /// The largest instance's peak, in bytes.
    pub(crate) peak_memory: u64,
    /// CPU seconds of the supervisor, which the local host is part of.
    pub(crate) host_cpu_per_million: f64,
    /// CPU seconds of the database's server.
    pub(crate) database_cpu_per_million: f64,
}

/// Puts events into the topic: all into partition 0, or each where its key belongs.
pub(crate) fn produce(measured: &Measured, events: &Events, range: Range<u64>, partitions: i32) -> anyhow::Result<()> {
    let producer = Producer::connect(&measured.brokers, 20)?;
    for index in range {
        let (key, value) = events.record(index)?;
        producer.send(&key, &value, (partitions == 1).then_some(0))?;
        if index % 1_000 == 0 {
            producer.poll();
        }
    }
    producer.finish()
}

/// Lets `rate` store `count` events that wait, and measures it from the command to the last commit.
pub(crate) fn run(measured: &Measured, count: u64) -> anyhow::Result<Run> {
    measured.database.settle()?;
    let status = measured.stack.status();
    let database = processes::of_service(&status, "mysql");
    let supervisor = processes::supervisor(&status)?;
    let goal = measured.done()? + count;

    let mut rate_meter = Meter::begin(&processes::of_function(supervisor, "rate"));
    let mut host_meter = Meter::begin(&[supervisor]);
    let mut database_meter = Meter::begin(&database);
    let begun = Instant::now();
    measured.resume_rate()?;
    let mut read_at = Instant::now();
    while measured.done()? < goal {
        if begun.elapsed() > LIMIT {
            bail!("only {} of {goal} records were done after {LIMIT:?}", measured.done()?);
        }
        if read_at.elapsed() > PROCESSES_EVERY {
            rate_meter.read(&processes::of_function(supervisor, "rate"));
            read_at = Instant::now();
        }
        std::thread::sleep(LEDGER_EVERY);
    }
    let seconds = begun.elapsed().as_secs_f64();
    rate_meter.read(&processes::of_function(supervisor, "rate"));
    host_meter.read(&[supervisor]);
    database_meter.read(&database);

    let millions = count as f64 / 1e6;
    Ok(Run {
        rows_per_second: count as f64 / seconds,
        cpu_per_million: rate_meter.cpu_seconds() / millions,
        peak_memory: rate_meter.peak_memory(),
        host_cpu_per_million: host_meter.cpu_seconds() / millions,
        database_cpu_per_million: database_meter.cpu_seconds() / millions,
    })
}
