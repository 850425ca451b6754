//! `millrace rate` and the library in it: usage events to charges on one core, without a stack, beside a computation in Python.

mod programs;

use std::hint::black_box;
use std::path::Path;

use anyhow::Context;
use chrono::TimeDelta;
use millrace_domain::rating::price;
use millrace_domain::tariffs::Tariff;
use millrace_domain::usage::UsageEvent;
use millrace_rating_filter::Filter;
use millrace_wire::{reference, tariff, usage};

use crate::events::{Events, sample};
use crate::figures::{grouped, mebibytes, median, short, times};
use crate::machine;
use crate::options::Options;
use crate::report::Table;
use crate::timing::{RUNS, per_second};
use programs::Program;

/// The sample operator's richest tariff: two timings, steps, allowances of calls and data.
const TARIFF: &str = "plus";
/// Events that the computation in Python prices.
const PEER_EVENTS: usize = 50_000;

/// Prices the same events by the library alone, by the filter in memory, by the command, and in Python.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let tariff = sample_tariff()?;
    let lines = lines(options.rated_events)?;
    let events: Vec<UsageEvent> =
        lines.iter().map(|line| usage::decode_untimed(line)).collect::<Result<_, _>>().context("an event of ours")?;
    let priced = events.iter().filter(|event| price(&tariff, event, 0).is_ok()).count();

    let library = per_second(events.len(), || {
        for event in &events {
            black_box(price(black_box(&tariff), event, 0).ok());
        }
    });
    eprintln!("  library: {} events/s", grouped(library));
    let input: Vec<u8> = lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
    let mut failed = None;
    let in_memory = per_second(events.len(), || {
        failed = millrace_rating_filter::run(Filter::new(&tariff), &input[..], std::io::sink()).err().or(failed.take());
    });
    if let Some(error) = failed {
        return Err(error).context("the filter in memory");
    }
    eprintln!("  filter in memory: {} events/s", grouped(in_memory));

    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("tariff.json"), tariff::write(&tariff))?;
    std::fs::write(path("events.jsonl"), &input)?;
    let few: Vec<u8> = lines.iter().take(PEER_EVENTS).flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
    std::fs::write(path("few.jsonl"), few)?;
    drop((input, events));
    let tariff_file = path("tariff.json");
    let command = median_of(&Program::millrace(&tariff_file), &path("events.jsonl"), RUNS)?;
    let peer = median_of(&Program::python(&tariff_file), &path("few.jsonl"), 3)?;
    // The same lines by both, so that the figures are of the same work.
    let ours = programs::amounts(&Program::millrace(&tariff_file), &path("few.jsonl"))?;
    let theirs = programs::amounts(&Program::python(&tariff_file), &path("few.jsonl"))?;
    anyhow::ensure!(ours == theirs, "the command and the computation in Python differ");

    let count = lines.len() as f64;
    let by_core = count / command.cpu_seconds;
    let peer_count = lines.len().min(PEER_EVENTS) as f64;
    let peer_by_core = peer_count / peer.cpu_seconds;
    let mut table = Table::new(&["", "events/s and core", "peak memory"]);
    table.row(&["library (`millrace_domain::rating::price`)".to_owned(), grouped(library)]);
    table.row(&["filter in memory: decode, price, spend, answer".to_owned(), grouped(in_memory)]);
    table.row(&["**`millrace rate`**, from file to file".to_owned(), grouped(by_core), mebibytes(command.peak_memory)]);
    table.row(&["computation in Python".to_owned(), grouped(peer_by_core), mebibytes(peer.peak_memory)]);
    table.row(&["**`millrace rate` ÷ computation in Python**".to_owned(), times(by_core / peer_by_core)]);
    table.row(&["**library ÷ goal of 2 million**".to_owned(), times(library / 2e6)]);
    table.row(&["**`millrace rate` ÷ goal of 1 million**".to_owned(), times(by_core / 1e6)]);
    Ok(format!(
        "## Rating\n\n{}.\n\n{} realistic events (the sample operator's, over 30 days; {} % of them get a price) by its tariff \
         `{TARIFF}`: two timings in Africa/Casablanca, steps, allowances of calls and of data. One thread; medians of {RUNS} runs. \
         For programs, events by a second of CPU time, user and system ({} s of it for {} s on the clock). A usual event takes \
         nothing from the heap in the first two rows, which a test shows by counting. The computation in Python is the \
         independent one of the tests (`tests/independent/rating.py`, CPython with exact fractions), which is written to be \
         plain and not fast; it prices the first {} of the same events, and its answers are the same.\n\n{}",
        machine::base()?,
        grouped(count),
        short(priced as f64 * 100.0 / count),
        short(command.cpu_seconds),
        short(command.seconds),
        grouped(peer_count),
        table.text(),
    ))
}

fn sample_tariff() -> anyhow::Result<Tariff> {
    let files = sample()?.files();
    let file = files.iter().find(|file| file.kind == "tariffs").context("the sample operator has no tariffs")?;
    let versions = reference::parse_tariffs(&file.bytes, chrono_tz::Africa::Casablanca);
    let versions = versions.map_err(|faulty| anyhow::anyhow!("the sample operator's tariffs: {:?}", faulty.errors))?;
    let version = versions.into_iter().find(|version| version.name == TARIFF);
    Ok(version.with_context(|| format!("the sample operator has no tariff {TARIFF}"))?.tariff)
}

fn lines(count: u64) -> anyhow::Result<Vec<Vec<u8>>> {
    let events = Events::spread(count, TimeDelta::days(30))?;
    (0..count).map(|index| Ok(events.record(index)?.1)).collect()
}

fn median_of(program: &Program, input: &Path, runs: usize) -> anyhow::Result<programs::Run> {
    let runs = (0..runs).map(|_| programs::run(program, input)).collect::<anyhow::Result<Vec<_>>>()?;
    let run = programs::Run {
        seconds: median(runs.iter().map(|run| run.seconds)),
        cpu_seconds: median(runs.iter().map(|run| run.cpu_seconds)),
        peak_memory: runs.iter().map(|run| run.peak_memory).max().unwrap_or(0),
    };
    eprintln!("  {}: {} s of CPU", program.name(), short(run.cpu_seconds));
    Ok(run)
}
