//! What the local host costs, and the stack without traffic.

mod bare;
mod idle;
mod invocations;

pub(crate) use bare::Bare;

use std::fmt::Write as _;
use std::time::Duration;

use crate::figures::{grouped, percentile, short, times};
use crate::machine;
use crate::options::Options;
use crate::report::Table;
use idle::Idle;

/// Measures the host with a function that does next to nothing, then an idle stack.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let mut text = format!("## Host\n\n{}.\n\n", machine::base()?);
    invocations_of(options, &mut text)?;
    let (idle, database) = idle::watch(Duration::from_secs(options.seconds.into()))?;
    let (cpu, memory) = (Idle::sum(&idle.cpu_percent), Idle::sum(&idle.memory_mib));
    eprintln!("  idle stack: {} % of a core, {} MiB", short(cpu), grouped(memory));
    let _ = write!(
        text,
        "\nThe whole stack without traffic, all schedules on (`up --empty`, database {database}), over {} s: **{} % of one core**, \
         **{} MiB** (each process's own memory and its part of what is shared).\n\n",
        options.seconds,
        short(cpu),
        grouped(memory),
    );
    let mut table = Table::new(&["process", "% of a core", "MiB"]);
    for (name, memory) in &idle.memory_mib {
        let cpu = idle.cpu_percent.iter().find(|(other, _)| other == name).map_or(0.0, |(_, cpu)| *cpu);
        table.row(&[name.clone(), short(cpu), grouped(*memory)]);
    }
    text.push_str(table.text());
    Ok(text)
}

fn invocations_of(options: &Options, text: &mut String) -> anyhow::Result<()> {
    let mut figures = invocations::measure(options)?;
    let _ = write!(
        text,
        "One `lambda_runtime` binary (the example `probe` of crates/local-host), driven by the local host's `Host::invoke` \
         and by the least that can drive it: a runtime API of one blocking thread. {} warm invocations with the small event, a tenth as many \
         with the large one, {} starts. The host's start of an instance includes its memory limit.\n\n",
        grouped(options.invocations.into()),
        options.starts,
    );
    let mut table = Table::new(&["", "local host", "bare", "host ÷ bare", "host adds"]);
    for figure in &mut figures {
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let (host, bare) = (percentile(&mut figure.host_ms, share), percentile(&mut figure.bare_ms, share));
            eprintln!("  {} {name}: {}, bare {}", figure.what, milliseconds(host), milliseconds(bare));
            table.row(&[
                format!("{}, {name}", figure.what),
                milliseconds(host),
                milliseconds(bare),
                times(host / bare),
                milliseconds(host - bare),
            ]);
        }
    }
    text.push_str(table.text());
    Ok(())
}

fn milliseconds(value: f64) -> String {
    format!("{value:.3} ms")
}
