//! A peer: LOAD DATA LOCAL INFILE of the rows that `rate` stored, by the database's own client program.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use crate::database::Database;
use crate::processes::{self, Meter};
use crate::stacks::Measured;

/// How many rows are read at a time when the files are written.
const PAGE: i64 = 20_000;
const TABLE: &str = "peer_load_data";
const COLUMNS: &str = "started_at, @event_id, day, service, subscriber, destination, usage_amount, cell, roaming, account_no, \
                       tariff_no, zone, amount, currency, rating_error";

/// What one load came to.
pub(crate) struct Run {
    pub(crate) rows_per_second: f64,
    /// CPU seconds of the database's server.
    pub(crate) database_cpu_per_million: f64,
}

/// Loads the rows of `usage_events` into a table of its shape by some connections at once.
pub(crate) fn run(measured: &Measured, connections: usize) -> anyhow::Result<Run> {
    let database = &measured.database;
    let folder = tempfile::tempdir()?;
    let (files, rows) = write_files(database, folder.path(), connections)?;
    database.execute(&format!("DROP TABLE IF EXISTS {TABLE}"))?;
    database.execute(&format!("CREATE TABLE {TABLE} LIKE usage_events"))?;
    database.execute("SET GLOBAL local_infile = 1")?;
    let server = processes::of_service(&measured.stack.status(), "mysql");

    let mut meter = Meter::begin(&server);
    let begun = Instant::now();
    let clients: Vec<_> = files.iter().map(|file| client(database, file)).collect::<anyhow::Result<_>>()?;
    for client in clients {
        let output = client.wait_with_output()?;
        if !output.status.success() {
            bail!("LOAD DATA: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    meter.read(&server);

    let loaded = database.integer(&format!("SELECT COUNT(*) FROM {TABLE}"))?;
    if loaded != rows {
        bail!("LOAD DATA loaded {loaded} of {rows} rows");
    }
    database.execute(&format!("DROP TABLE {TABLE}"))?;
    Ok(Run {
        rows_per_second: rows as f64 / seconds,
        database_cpu_per_million: meter.cpu_seconds() / (rows as f64 / 1e6),
    })
}

fn client(database: &Database, file: &Path) -> anyhow::Result<std::process::Child> {
    let statement = format!(
        "LOAD DATA LOCAL INFILE '{}' INTO TABLE {TABLE} CHARACTER SET utf8mb4 ({COLUMNS}) SET event_id = UNHEX(@event_id)",
        file.display(),
    );
    let spawn = |program: &str| {
        Command::new(program)
            .args([
                "--no-defaults",
                "--protocol=tcp",
                "--host=127.0.0.1",
                "--user=root",
                "--local-infile=1",
                "--database=millrace",
            ])
            .arg(format!("--port={}", database.port))
            .args(["--execute", &statement])
            .env("MYSQL_PWD", &database.password)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
    };
    spawn("mariadb")
        .or_else(|_| spawn("mysql"))
        .context("neither mariadb nor mysql, the database's client, can be started")
}

/// Writes the rows in the order in which they were stored, dealt out over the files one by one: each connection then loads
/// the same stretch of time, as consumers of several partitions do.
fn write_files(database: &Database, folder: &Path, count: usize) -> anyhow::Result<(Vec<PathBuf>, i64)> {
    let paths: Vec<PathBuf> = (0..count).map(|index| folder.join(format!("rows-{index}.tsv"))).collect();
    let mut files =
        paths.iter().map(|path| Ok(BufWriter::new(File::create(path)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let last = database.integer("SELECT MAX(seq) FROM usage_events")?;
    let mut rows = 0;
    for from in (0..last).step_by(PAGE as usize) {
        let page = database.lines(&format!(
            r"SELECT CONCAT_WS('\t', started_at, HEX(event_id), day, service, subscriber, destination, usage_amount, cell, roaming,
                IFNULL(account_no, '\\N'), IFNULL(tariff_no, '\\N'), zone, IFNULL(amount, '\\N'), IFNULL(currency, '\\N'), rating_error)
              FROM usage_events WHERE seq > {from} AND seq <= {from} + {PAGE} ORDER BY seq"
        ))?;
        for line in page {
            let file = &mut files[usize::try_from(rows)? % count];
            writeln!(file, "{line}")?;
            rows += 1;
        }
    }
    for file in &mut files {
        file.flush()?;
    }
    Ok((paths, rows))
}
