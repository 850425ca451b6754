//! What a function costs before its first invocation: its package's size, and its start beside a binary that does nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, bail};
use millrace_local_host::Manifest;
use millrace_test_support::stack::project_root;

use crate::figures::{percentile, short, times};
use crate::host::Bare;
use crate::machine;
use crate::options::Options;
use crate::report::Table;

/// The goals: a package's MB, and a start as a multiple of the bare binary's.
const GOAL: (f64, f64) = (6.0, 1.3);

/// What functions are told: services that nobody asks before the first invocation, and values instead of secrets.
const SETTINGS: [(&str, &str); 14] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "bench"),
    ("AWS_SECRET_ACCESS_KEY", "bench"),
    ("MILLRACE_MYSQL_URL", "mysql://bench@127.0.0.1:9/bench"),
    ("MILLRACE_MYSQL_PASSWORD", "bench"),
    ("MILLRACE_DOCUMENTS_URL", "mongodb://127.0.0.1:9/?retryWrites=false"),
    ("MILLRACE_DOCUMENTS_DATABASE", "bench"),
    ("MILLRACE_DOCUMENTS_USER", "bench"),
    ("MILLRACE_DOCUMENTS_PASSWORD", "bench"),
    ("MILLRACE_OBJECTS_ENDPOINT", "http://127.0.0.1:9"),
    ("MILLRACE_OBJECTS_BUCKET", "bench"),
    ("MILLRACE_KAFKA_BROKERS", "127.0.0.1:9"),
    (
        "MILLRACE_DASHBOARD_PASSWORD_HASH",
        "$argon2id$v=19$m=19456,t=2,p=1$YmVuY2gtb25seS1zYWx0$YmVuY2gtb25seS1ub3QtYS1yZWFsLWhhc2gtYXQtYWw",
    ),
    ("MILLRACE_SESSION_SECRET", "00000000000000000000000000000000000000000000000000000000000000ff"),
];

/// Starts every function as often as `host` starts its own, by turns with the bare binary, and reads the packages' sizes.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let functions = Manifest::load_all(&project_root().join("functions"))?;
    let Some(binaries) = &options.started else {
        bail!(
            "`package` needs --started FOLDER, the functions and `probe` as scripts/bench builds them for this machine"
        );
    };
    let (bare, nothing) = (binaries.join("examples/probe"), BTreeMap::new());
    let mut bare_ms = Vec::new();
    let mut starts_ms = vec![Vec::new(); functions.len()];
    // By turns, so that whatever else the machine does befalls all alike. The first turn reads the files from the disk.
    for turn in 0..=options.starts {
        let base = start(&bare, &nothing)?;
        let starts: Vec<f64> = functions
            .iter()
            .map(|function| start(&binaries.join(&function.name), &environment(function)))
            .collect::<anyhow::Result<_>>()?;
        if turn > 0 {
            bare_ms.push(base);
            starts_ms.iter_mut().zip(starts).for_each(|(all, start)| all.push(start));
        }
    }

    let mut text = format!(
        "## Packages and starts\n\n{}.\n\n\
         The zip is what Lambda is given, for arm64 and as `scripts/package` builds it (`scripts/deploy` adds the certificates' \
         authority). The start is from spawning the process to its first `next`: {} starts of each function and of a bare \
         `lambda_runtime` binary (the example `probe` of crates/local-host) by turns, from the file cache, driven by the same runtime \
         API of one thread, all of them built for this machine by the packages' profile (infra/packages/profile.toml). Passwords are \
         given as values: on AWS a function also reads its secrets then. Goals: {} MB, {} the bare binary's start.\n\n",
        machine::base()?,
        options.starts,
        short(GOAL.0),
        times(GOAL.1),
    );
    let mut table = Table::new(&["function", "zip", "start, p50", "start, p99", "p50 ÷ bare"]);
    let bare_p50 = percentile(&mut bare_ms, 0.5);
    table.row(&["bare binary", "", &milliseconds(bare_p50), &milliseconds(percentile(&mut bare_ms, 0.99))]);
    let mut above = Vec::new();
    for (function, starts) in functions.iter().zip(&mut starts_ms) {
        let megabytes = match &options.packages {
            Some(packages) => Some(megabytes(&packages.join(&function.name).join("bootstrap.zip"))?),
            None => None,
        };
        let (p50, p99) = (percentile(starts, 0.5), percentile(starts, 0.99));
        let zip = megabytes.map_or_else(|| "not built".to_owned(), |size| format!("{} MB", short(size)));
        eprintln!("  {}: {zip}, {}, {} bare", function.name, milliseconds(p50), times(p50 / bare_p50));
        table.row(&[&function.name, &zip, &milliseconds(p50), &milliseconds(p99), &times(p50 / bare_p50)]);
        if megabytes.is_some_and(|size| size > GOAL.0) || p50 / bare_p50 > GOAL.1 {
            above.push(function.name.as_str());
        }
    }
    text.push_str(table.text());
    if options.packages.is_none() {
        text.push_str("\nNo packages: cargo-lambda could not be had.\n");
    }
    if above.is_empty() {
        text.push_str("\nEvery figure is within the goals.\n");
    } else {
        let _ = write!(text, "\nAbove a goal: {}.\n", above.join(", "));
    }
    Ok(text)
}

/// One start, in milliseconds.
fn start(binary: &Path, environment: &BTreeMap<String, String>) -> anyhow::Result<f64> {
    Ok(Bare::start(binary, environment)?.start.as_secs_f64() * 1e3)
}

fn environment(function: &Manifest) -> BTreeMap<String, String> {
    let mut environment = function.environment.clone();
    environment.extend(SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    environment.insert("AWS_LAMBDA_FUNCTION_NAME".into(), function.name.clone());
    environment.insert("AWS_LAMBDA_FUNCTION_MEMORY_SIZE".into(), function.memory_mb.to_string());
    environment
}

fn megabytes(package: &Path) -> anyhow::Result<f64> {
    match std::fs::metadata(package) {
        Ok(metadata) => Ok(metadata.len() as f64 / 1e6),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{} is not there: scripts/package makes it", package.display())
        }
        Err(error) => Err(error).with_context(|| format!("can't read {}", package.display())),
    }
}

fn milliseconds(value: f64) -> String {
    format!("{value:.3} ms")
}
