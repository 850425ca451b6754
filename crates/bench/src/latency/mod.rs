//! From the broker's timestamp of a record to the commit of its row, at two rates and two batching windows.

mod commits;
mod timestamps;

use std::time::{Duration, Instant};

use chrono::Utc;

use crate::events::Events;
use crate::figures::{grouped, percentile, short};
use crate::machine;
use crate::options::Options;
use crate::producer::Producer;
use crate::report::Table;
use crate::stacks::Measured;

const WINDOWS_MS: [u64; 2] = [0, 500];
const RATES: [u32; 2] = [100, 5_000];
/// Records of the first seconds are not counted: instances start and caches fill.
const WARM_UP: Duration = Duration::from_secs(5);

/// Measures each window on a stack of its own.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let mut table =
        Table::new(&["batching window", "records/s", "p50, ms", "p90, ms", "p99, ms", "largest, ms", "records"]);
    let mut machine = String::new();
    for window in WINDOWS_MS {
        let measured = Measured::start(|kafka| kafka["batch_window_ms"] = window.into())?;
        machine = machine::describe(&measured)?;
        for rate in RATES {
            let mut latencies = run(&measured, rate, WARM_UP + Duration::from_secs(options.seconds.into()))?;
            let mut figure = |share| percentile(&mut latencies, share);
            let figures = [0.5, 0.9, 0.99, 1.0].map(|share| short(figure(share)));
            eprintln!("  window {window} ms, {rate} records/s: p50 {} ms, p99 {} ms", figures[0], figures[2]);
            let [p50, p90, p99, largest] = figures;
            let count = grouped(latencies.len() as f64);
            table.row(&[format!("{window} ms"), grouped(rate.into()), p50, p90, p99, largest, count]);
        }
    }
    Ok(format!(
        "## Latency\n\n{machine}\n\nFrom the broker's timestamp of a record to the moment at which its commit is visible to another \
         connection, which asks the ledger every {} ms (so much too long a figure may be, and a millisecond for the timestamp's \
         grain). Four partitions, keys as in `ingest`, {} s at each rate after {} s that are not counted.\n\n{}",
        commits::EVERY.as_millis(),
        options.seconds,
        WARM_UP.as_secs(),
        table.text(),
    ))
}

/// Produces at a rate; every counted record's latency in milliseconds.
fn run(measured: &Measured, rate: u32, length: Duration) -> anyhow::Result<Vec<f64>> {
    let from = timestamps::ends(&measured.brokers)?;
    let watch = commits::watch(measured.stack.home())?;
    let produced = produce(measured, rate, length, from.values().sum());
    let to = timestamps::ends(&measured.brokers)?;
    let commits = watch.finish(&to)?;
    produced?;

    let records = timestamps::between(&measured.brokers, &from, &to)?;
    let first = records.iter().map(|record| record.timestamp_ms).min().unwrap_or(0);
    let counted_from = first + i64::try_from(WARM_UP.as_millis())?;
    let counted = records.iter().filter(|record| record.timestamp_ms >= counted_from);
    counted.map(|record| Ok(commits.seen_at(record.partition, record.offset)? - record.timestamp_ms as f64)).collect()
}

/// Sends `rate` records a second, evenly, for `length`. `first` keeps the events of two runs apart.
fn produce(measured: &Measured, rate: u32, length: Duration, first: i64) -> anyhow::Result<()> {
    let events = Events::live()?;
    let producer = Producer::connect(&measured.brokers, 1)?;
    let begun = Instant::now();
    let mut index = u64::try_from(first)?;
    let mut sent = 0;
    while begun.elapsed() < length {
        let due = (begun.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        while sent < due {
            let (key, value) = events.record_at(index, Utc::now())?;
            producer.send(&key, &value, None)?;
            index += 1;
            sent += 1;
        }
        producer.poll();
        std::thread::sleep(Duration::from_millis(1));
    }
    producer.finish()
}
