//! Programs that turn lines into lines, and what they use.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use millrace_test_support::stack::project_root;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;

use crate::processes;

/// A filter from events to charges.
pub(super) struct Program {
    name: &'static str,
    words: Vec<String>,
}

/// What a run came to.
pub(super) struct Run {
    pub(super) seconds: f64,
    /// User and system.
    pub(super) cpu_seconds: f64,
    /// In bytes.
    pub(super) peak_memory: u64,
}

impl Program {
    pub(super) fn millrace(tariff: &Path) -> Self {
        let program = project_root().join("target/release/millrace");
        Self { name: "millrace rate", words: words(&[&program, Path::new("rate"), Path::new("--tariff"), tariff]) }
    }

    pub(super) fn python(tariff: &Path) -> Self {
        let program = project_root().join("tests/independent/rating.py");
        Self {
            name: "computation in Python",
            words: words(&[Path::new("python3"), &program, Path::new("--tariff"), tariff]),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

fn words(paths: &[&Path]) -> Vec<String> {
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Has a program answer a file's lines.
pub(super) fn run(program: &Program, input: &Path) -> anyhow::Result<Run> {
    let output = tempfile::tempfile()?;
    let before = children_cpu()?;
    let begun = Instant::now();
    let mut child = Command::new(&program.words[0])
        .args(&program.words[1..])
        .stdin(File::open(input)?)
        .stdout(Stdio::from(output))
        .spawn()
        .with_context(|| format!("can't run {}", program.words[0]))?;
    let mut peak_memory = 0;
    let status = loop {
        // The mark only rises: what is missed is what the last milliseconds added.
        peak_memory = processes::peak_memory(child.id()).unwrap_or(0).max(peak_memory);
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(std::time::Duration::from_millis(2)),
        }
    };
    if !status.success() {
        bail!("{} ended with {status}", program.name);
    }
    Ok(Run { seconds: begun.elapsed().as_secs_f64(), cpu_seconds: children_cpu()? - before, peak_memory })
}

/// CPU seconds of the processes that have ended.
fn children_cpu() -> anyhow::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("the CPU time of programs")?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// What a program answers to each line of a file: the amount, or the reason why there is none.
pub(super) fn amounts(program: &Program, input: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new(&program.words[0]).args(&program.words[1..]).stdin(File::open(input)?).output()?;
    let read = |line: &[u8]| {
        let answer: Value = serde_json::from_slice(line)?;
        match (answer["amount"].as_str(), answer["error"].as_str()) {
            // 0.30 and 0.3000 are one amount.
            (Some(amount), _) => Ok(amount.trim_end_matches('0').trim_end_matches('.').to_owned()),
            (None, Some(error)) => Ok(error.to_owned()),
            (None, None) => bail!("{} answered with neither an amount nor an error", program.name),
        }
    };
    output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(read).collect()
}
