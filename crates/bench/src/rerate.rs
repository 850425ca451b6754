//! Pricing stored events again: `millrace rerate` over a month, when nothing changes and when every charge does.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::events::{self, Events};
use crate::figures::{grouped, mebibytes, short};
use crate::options::Options;
use crate::processes::{self, Meter};
use crate::report::Table;
use crate::stacks::Measured;
use crate::{ingest, machine};

/// How often the command's process is looked at.
const PROCESS_EVERY: Duration = Duration::from_millis(50);

/// Stores a month of events, then prices them again twice.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let measured = Measured::start(ingest::without_window)?;
    let machine = machine::describe(&measured)?;
    measured.pause_rate()?;
    let events = Events::spread(options.rerate_events, TimeDelta::days(30))?;
    ingest::produce(&measured, &events, 0..options.rerate_events, 4)?;
    ingest::run(&measured, options.rerate_events)?;
    let same = run(&measured)?;
    correct_tariffs(&measured)?;
    let corrected = run(&measured)?;
    let mut table = Table::new(&["", "nothing changes", "the tariffs are corrected"]);
    let mut row =
        |heading: &str, figure: fn(&Run) -> String| table.row(&[heading, &figure(&same), &figure(&corrected)]);
    row("events priced again", |run| grouped(run.events));
    row("events changed", |run| grouped(run.changed));
    row("**seconds**", |run| format!("**{}**", short(run.seconds)));
    row("events/s", |run| grouped(run.events / run.seconds));
    row("`millrace`, CPU seconds", |run| short(run.cpu));
    row("database, CPU seconds", |run| short(run.database_cpu));
    row("`millrace`, peak memory", |run| mebibytes(run.peak_memory));
    Ok(format!(
        "## Re-rating\n\n{machine}\n\n`millrace rerate` over all of {} events of the sample operator in 30 days, from the start of the \
         command to its end: as they were stored, then after an import that changes every connect fee and takes the allowances away. Each transaction takes whole \
         numbers, about 5,000 events, gives their allowances back and spends them anew; a changed event is written again and noted as \
         an adjustment.\n\n{}",
        grouped(options.rerate_events as f64),
        table.text(),
    ))
}

struct Run {
    events: f64,
    changed: f64,
    seconds: f64,
    cpu: f64,
    database_cpu: f64,
    peak_memory: u64,
}

fn run(measured: &Measured) -> anyhow::Result<Run> {
    measured.database.settle()?;
    let (from, to) = (Utc::now() - TimeDelta::days(60), Utc::now() + TimeDelta::days(1));
    let mut database = Meter::begin(&processes::of_service(&measured.stack.status(), "mysql"));
    let begun = Instant::now();
    let mut child = measured
        .stack
        .command(["rerate", "--json", "--from", &from.to_rfc3339(), "--to", &to.to_rfc3339()])
        .stdout(Stdio::piped())
        .spawn()
        .context("millrace rerate")?;
    let mut meter = Meter::begin(&[]);
    // Its answer is short and waits in the pipe.
    let status = loop {
        meter.read(&[child.id()]);
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(PROCESS_EVERY),
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    database.read(&processes::of_service(&measured.stack.status(), "mysql"));
    if !status.success() {
        bail!("millrace rerate ended with {status}");
    }
    let answer: Value = serde_json::from_reader(child.stdout.take().context("the answer of millrace rerate")?)?;
    let figure = |name: &str| answer[name].as_f64().with_context(|| format!("the answer has no {name}"));
    eprintln!("  {} events in {seconds:.1} s, {} changed", answer["events"], answer["changed"]);
    Ok(Run {
        events: figure("events")?,
        changed: figure("changed")?,
        seconds,
        cpu: meter.cpu_seconds(),
        database_cpu: database.cpu_seconds(),
        peak_memory: meter.peak_memory(),
    })
}

/// Imports the sample operator's tariffs with another connect fee and without allowances, so that nearly no charge stays.
fn correct_tariffs(measured: &Measured) -> anyhow::Result<()> {
    let sample = events::sample()?;
    let file = sample.files().into_iter().find(|file| file.kind == "tariffs").context("the sample has tariffs")?;
    let mut versions: Value = serde_json::from_slice(&file.bytes)?;
    for version in versions.as_array_mut().into_iter().flatten() {
        let tariff = &mut version["tariff"];
        tariff["allowances"] = json!([]);
        for rate in tariff["rates"].as_array_mut().into_iter().flatten() {
            rate["connect_fee"] = json!("0.1234");
        }
    }
    let path = measured.stack.home().join("corrected-tariffs.json");
    std::fs::write(&path, versions.to_string())?;
    let output = measured.stack.millrace(["import", "tariffs", &path.to_string_lossy()]);
    if !output.status.success() {
        bail!("millrace import tariffs: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
