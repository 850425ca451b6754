//! Whether the rate of `ingest` holds while the table outgrows the buffer pool.

use chrono::TimeDelta;

use crate::events::Events;
use crate::figures::{grouped, short, times};
use crate::options::Options;
use crate::report::Table;
use crate::stacks::Measured;
use crate::{ingest, machine};

const BUFFER_POOL: u64 = 256 * 1024 * 1024;

/// Stores block after block on one stack, each measured on its own.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let measured = Measured::start(ingest::without_window)?;
    measured.database.execute(&format!("SET GLOBAL innodb_buffer_pool_size = {BUFFER_POOL}"))?;
    let machine = machine::describe(&measured)?;
    let blocks = u64::from(options.growth_blocks);
    // A month of events: the table's partitions by month, and the days of its index, are those of a real month.
    let events = Events::spread(options.growth_block * blocks, TimeDelta::days(30))?;
    let mut table = Table::new(&[
        "rows stored before",
        "rows/s",
        "÷ first",
        "`rate`, CPU seconds for a million",
        "database, CPU seconds for a million",
    ]);
    let mut rates = Vec::new();
    for block in 0..blocks {
        measured.pause_rate()?;
        let from = block * options.growth_block;
        ingest::produce(&measured, &events, from..from + options.growth_block, 4)?;
        let run = ingest::run(&measured, options.growth_block)?;
        eprintln!("  {} rows stored, then {} rows/s", grouped(from as f64), grouped(run.rows_per_second));
        rates.push(run.rows_per_second);
        table.row(&[
            grouped(from as f64),
            grouped(run.rows_per_second),
            times(run.rows_per_second / rates[0]),
            short(run.cpu_per_million),
            short(run.database_cpu_per_million),
        ]);
    }
    let size = measured.database.integer(
        "SELECT (data_length + index_length) DIV 1048576 FROM information_schema.tables WHERE table_schema = 'millrace' AND table_name = 'usage_events'",
    )?;
    Ok(format!(
        "## Growth\n\n{machine}\n\n`ingest` with four partitions, {} events at a time into one table, in the order of time over 30 \
         days; each block waits in Kafka before it is measured. At the end the table and its indexes hold {} MiB, {} the buffer \
         pool. **The last block runs at {} the rate of the first.**\n\n{}",
        grouped(options.growth_block as f64),
        grouped(size as f64),
        times(size as f64 * 1_048_576.0 / BUFFER_POOL as f64),
        times(rates.last().copied().unwrap_or(0.0) / rates[0]),
        table.text(),
    ))
}
