//! The same function driven by the local host and by the least that can drive it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use millrace_local_host::{Host, HostConfig, Manifest};
use tokio::runtime::Runtime;

use super::bare::Bare;
use crate::options::Options;

const FUNCTION: &str = "probe";
/// Invocations before those that count.
const WARM_UP: u32 = 200;
/// An instance that is unused for so long is ended, so that the next invocation starts another.
const UNUSED: Duration = Duration::from_millis(100);

/// One thing measured both ways.
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) host_ms: Vec<f64>,
    pub(crate) bare_ms: Vec<f64>,
}

/// Warm invocations of a small and of a large event, and starts.
pub(crate) fn measure(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let binaries = binaries()?;
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let large = format!(r#"{{"do":"reserve","text":"{}"}}"#, "x".repeat(1024 * 1024)).into_bytes();
    let mut figures = Vec::new();
    for (what, event, divisor) in
        [("warm invocation, event of 2 bytes", b"{}".to_vec(), 1), ("warm invocation, event of 1 MiB", large, 10)]
    {
        let count = options.invocations.div_ceil(divisor);
        figures.push(Figure {
            what,
            host_ms: hosted(&runtime, &binaries, folder.path(), &event, count)?,
            bare_ms: bare(&binaries, &event, count)?,
        });
    }
    let host_ms = hosted_starts(&runtime, &binaries, folder.path(), options.starts)?;
    let bare_ms = (0..options.starts)
        .map(|_| Ok(milliseconds(Bare::start(&binaries.join(FUNCTION), &BTreeMap::new())?.start)))
        .collect::<anyhow::Result<_>>()?;
    figures.push(Figure { what: "spawn to the first `next`", host_ms, bare_ms });
    Ok(figures)
}

/// The folder of the local host's examples, beside this executable.
fn binaries() -> anyhow::Result<PathBuf> {
    let executable = std::env::current_exe()?.canonicalize()?;
    let folder = executable.parent().context("this executable has no folder")?.join("examples");
    if !folder.join(FUNCTION).is_file() {
        bail!("{} is not there: scripts/bench builds it", folder.join(FUNCTION).display());
    }
    Ok(folder)
}

fn host(binaries: &Path, folder: &Path, unused: Option<Duration>) -> anyhow::Result<Arc<Host>> {
    let manifest = r#"{"description": "answers at once", "timeout_seconds": 10, "memory_mb": 128}"#;
    let mut config = HostConfig::new(binaries.to_owned(), folder.join("logs"), folder.join("run"));
    config.functions = vec![Manifest::parse(FUNCTION, Path::new("function.json"), manifest)?];
    if let Some(unused) = unused {
        config.unused_limit = unused;
    }
    Ok(Host::start(config)?)
}

fn hosted(runtime: &Runtime, binaries: &Path, folder: &Path, event: &[u8], count: u32) -> anyhow::Result<Vec<f64>> {
    runtime.block_on(async {
        let host = host(binaries, folder, None)?;
        let mut durations = Vec::new();
        for index in 0..WARM_UP + count {
            let event = event.to_vec();
            let begun = Instant::now();
            let answer = host.invoke(FUNCTION, event).await?;
            let taken = begun.elapsed();
            if answer.function_error.is_some() {
                bail!("the function failed: {}", String::from_utf8_lossy(&answer.payload));
            }
            if index >= WARM_UP {
                durations.push(milliseconds(taken));
            }
        }
        host.stop().await;
        Ok(durations)
    })
}

fn bare(binaries: &Path, event: &[u8], count: u32) -> anyhow::Result<Vec<f64>> {
    let mut function = Bare::start(&binaries.join(FUNCTION), &BTreeMap::new())?;
    for _ in 0..WARM_UP {
        function.invoke(event)?;
    }
    (0..count).map(|_| Ok(milliseconds(function.invoke(event)?))).collect()
}

/// The starts' durations, as the host itself reports them in the log (`Init Duration`).
fn hosted_starts(runtime: &Runtime, binaries: &Path, folder: &Path, count: u32) -> anyhow::Result<Vec<f64>> {
    runtime.block_on(async {
        let host = host(binaries, folder, Some(UNUSED))?;
        let mut durations = Vec::new();
        for _ in 0..count {
            let answer = host.invoke(FUNCTION, "{}").await?;
            durations
                .push(init_duration(&answer.log_tail).with_context(|| format!("no start in {:?}", answer.log_tail))?);
            tokio::time::sleep(UNUSED * 4).await;
        }
        host.stop().await;
        Ok(durations)
    })
}

fn init_duration(log: &str) -> Option<f64> {
    log.split_once("Init Duration: ")?.1.split_once(" ms")?.0.parse().ok()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starts_duration_is_read_from_the_report() {
        let line = "REPORT RequestId: x\tDuration: 1.20 ms\tBilled Duration: 2 ms\tMax Memory Used: 5 MB\tInit Duration: 7.31 ms\n";
        assert_eq!(init_duration(line), Some(7.31));
        assert_eq!(init_duration("REPORT RequestId: x\tDuration: 1.20 ms\n"), None);
    }
}
