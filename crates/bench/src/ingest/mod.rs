//! Events that wait in Kafka → rows in MySQL: `rate` through the local host, beside LOAD DATA and a Python consumer.

mod load_data;
mod python;
mod rate;

use std::fmt::Write as _;

use chrono::TimeDelta;

pub(crate) use rate::{Run, produce, run};

use crate::figures::{grouped, mebibytes, median, short, times};
use crate::machine;
use crate::options::Options;
use crate::report::Table;
use crate::stacks::Measured;

/// One run on one stack: ours, and the peers on the same rows.
struct Round {
    rate: Run,
    load_one: load_data::Run,
    load_four: load_data::Run,
    python: Option<python::Run>,
    rated: u64,
}

/// Measures with one partition, then with four.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let mut table = Table::new(&["", "1 partition", "4 partitions"]);
    let mut columns = Vec::new();
    let mut machine = String::new();
    let mut rated = 0;
    for partitions in [1, 4] {
        let mut rounds = Vec::new();
        for number in 1..=options.runs {
            eprintln!("  {partitions} partition(s), run {number} of {}", options.runs);
            let measured = Measured::start(without_window)?;
            machine = machine::describe(&measured)?;
            rounds.push(round(&measured, options, partitions)?);
        }
        rated += rounds.iter().map(|round| round.rated).sum::<u64>();
        columns.push(column(&rounds));
    }
    for ((heading, one), (_, four)) in columns[0].iter().zip(&columns[1]) {
        table.row(&[heading, one, four]);
    }
    let share = 100.0 * rated as f64 / (2 * u64::from(options.runs) * options.events) as f64;
    let mut text = format!("## Ingest\n\n{machine}\n\n");
    let _ = write!(
        text,
        "{} realistic events (the sample operator's, in the order of time over one day; {share:.0} % of them get a price, the \
         others a reason) wait in Kafka; measured from `millrace resume rate` to the last row of the ledger, with a batching \
         window of 0, so that the last batch does not wait to be filled. {}; ratios are taken within a run. LOAD DATA LOCAL loads the rows that `rate` stored, in the same \
         order, into an empty table of the same shape, indexes and partitions: one file for each connection, one transaction \
         for each file, which is its best case; it neither decodes, deduplicates, prices nor keeps a ledger. The Python \
         consumer ({}) reads the same topic, decodes and inserts into such a table, 1,000 rows a transaction, and commits its \
         offsets; it neither deduplicates nor prices. No other function runs, and changed pages are written out between \
         measurements.\n\n",
        grouped(options.events as f64),
        runs(options.runs),
        python::VERSIONS,
    );
    text.push_str(table.text());
    Ok(text)
}

/// The mapping of `rate` without its batching window.
pub(crate) fn without_window(kafka: &mut serde_json::Value) {
    kafka["batch_window_ms"] = 0.into();
}

fn runs(count: u8) -> String {
    match count {
        1 => "One run, on a new stack".to_owned(),
        _ => format!("Medians of {count} runs, each on a new stack"),
    }
}

fn round(measured: &Measured, options: &Options, partitions: i32) -> anyhow::Result<Round> {
    measured.pause_rate()?;
    let events = crate::events::Events::spread(options.events, TimeDelta::days(1))?;
    produce(measured, &events, 0..options.events, partitions)?;
    let rate = run(measured, options.events)?;
    eprintln!("    rate {} rows/s", grouped(rate.rows_per_second));
    let rated = measured.database.integer("SELECT COUNT(amount) FROM usage_events")?;
    let [load_one, load_four] = [1, 4].map(|connections| {
        measured.database.settle()?;
        let load = load_data::run(measured, connections)?;
        eprintln!("    LOAD DATA by {connections}: {} rows/s", grouped(load.rows_per_second));
        anyhow::Ok(load)
    });
    measured.database.settle()?;
    let python = options.python.as_deref().map(|python| python::run(python, measured, options.events)).transpose()?;
    if let Some(python) = &python {
        eprintln!("    Python {} rows/s", grouped(python.rows_per_second));
    }
    Ok(Round { rate, load_one: load_one?, load_four: load_four?, python, rated: u64::try_from(rated)? })
}

/// The table's lines for one number of partitions: heading and figure.
fn column(rounds: &[Round]) -> Vec<(String, String)> {
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure));
    let peak = rounds.iter().map(|round| round.rate.peak_memory).max().unwrap_or(0);
    let mut lines: Vec<(String, String)> = [
        ("`rate`, rows/s", grouped(of(|r| r.rate.rows_per_second))),
        ("LOAD DATA LOCAL by one connection, rows/s", grouped(of(|r| r.load_one.rows_per_second))),
        ("LOAD DATA LOCAL by four connections, rows/s", grouped(of(|r| r.load_four.rows_per_second))),
        (
            "**`rate` ÷ LOAD DATA by one**",
            format!("**{}**", times(of(|r| r.rate.rows_per_second / r.load_one.rows_per_second))),
        ),
        ("`rate` ÷ LOAD DATA by four", times(of(|r| r.rate.rows_per_second / r.load_four.rows_per_second))),
        ("`rate`, CPU seconds for a million events", short(of(|r| r.rate.cpu_per_million))),
        ("`rate`, peak memory of an instance", mebibytes(peak)),
        ("local host and supervisor, CPU seconds for a million", short(of(|r| r.rate.host_cpu_per_million))),
        ("database during `rate`, CPU seconds for a million", short(of(|r| r.rate.database_cpu_per_million))),
        (
            "database during LOAD DATA by one, CPU seconds for a million",
            short(of(|r| r.load_one.database_cpu_per_million)),
        ),
        (
            "database during LOAD DATA by four, CPU seconds for a million",
            short(of(|r| r.load_four.database_cpu_per_million)),
        ),
    ]
    .map(|(heading, figure)| (heading.to_owned(), figure))
    .into();
    let python = |figure: fn(&Round, &python::Run) -> f64| match rounds.iter().all(|round| round.python.is_some()) {
        true => {
            Some(median(rounds.iter().filter_map(|round| round.python.as_ref().map(|python| figure(round, python)))))
        }
        false => None,
    };
    let missing = || "not measured: no Python with its packages".to_owned();
    for (heading, figure) in [
        ("Python consumer, rows/s", python(|_, p| p.rows_per_second).map(grouped)),
        ("Python consumer, CPU seconds for a million", python(|_, p| p.cpu_per_million).map(short)),
        ("Python consumer, peak memory", python(|_, p| p.peak_memory as f64).map(|bytes| mebibytes(bytes as u64))),
        ("**`rate` ÷ Python consumer, rows/s**", python(|r, p| r.rate.rows_per_second / p.rows_per_second).map(times)),
        ("**`rate` ÷ Python consumer, CPU**", python(|r, p| r.rate.cpu_per_million / p.cpu_per_million).map(times)),
    ] {
        lines.push((heading.to_owned(), figure.unwrap_or_else(missing)));
    }
    lines
}
