//! What processes use, as `/proc` tells it.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::Value;

/// Ticks of `/proc/<pid>/stat` in a second: `USER_HZ`, 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds that a process has used since its start; nothing when it is gone.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    let fields = stat(pid)?;
    // utime and stime: fields 14 and 15 of the file, so 11 and 12 after the name.
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / TICKS_PER_SECOND)
}

/// The most memory that a process has held at once, in bytes (`VmHWM`).
pub(crate) fn peak_memory(pid: u32) -> Option<u64> {
    kibibytes(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmHWM:")
}

/// The memory that a process holds now, in bytes; what it shares with others is counted in parts (`Pss`).
pub(crate) fn memory(pid: u32) -> Option<u64> {
    kibibytes(&std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?, "Pss:")
}

/// A process and all that it started, and those in turn.
pub(crate) fn family(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
            && let Some(parent) = parent(pid)
        {
            parents.push((pid, parent));
        }
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(pid, _)| *pid));
        next += 1;
    }
    family
}

/// The supervisor's process, which the local host is part of and which started all others, from `status --json`.
pub(crate) fn supervisor(status: &Value) -> anyhow::Result<u32> {
    let pid = status["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
    pid.context("status has no pid of the supervisor")
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// The command line of a process, its words separated by spaces.
pub(crate) fn command_line(pid: u32) -> String {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ")
}

/// The process of a service in `status --json`; none when it has ended.
pub(crate) fn of_service(status: &Value, name: &str) -> Vec<u32> {
    let services = status["services"].as_array().into_iter().flatten().filter(|service| service["name"] == name);
    services.filter_map(|service| service["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())).collect()
}

/// The instances of a function, which come and go and which `status` only counts: processes that the supervisor started and
/// whose program is named as the function.
pub(crate) fn of_function(supervisor: u32, name: &str) -> Vec<u32> {
    let mut family = family(supervisor);
    family.retain(|&pid| runs(&command_line(pid), name));
    family
}

fn runs(command_line: &str, name: &str) -> bool {
    let program = command_line.split(' ').next().unwrap_or_default();
    program.rsplit('/').next() == Some(name)
}

/// Follows the processes of one kind through a run, those that start or end in it too.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    before: BTreeMap<u32, f64>,
    last: BTreeMap<u32, f64>,
    peak: u64,
}

impl Meter {
    /// Begins with the processes that are there.
    pub(crate) fn begin(pids: &[u32]) -> Self {
        let before: BTreeMap<u32, f64> = pids.iter().filter_map(|&pid| Some((pid, cpu_seconds(pid)?))).collect();
        Self { last: before.clone(), before, peak: 0 }
    }

    /// Reads what they used so far. One that ends later keeps the figure of the last reading.
    pub(crate) fn read(&mut self, pids: &[u32]) {
        for &pid in pids {
            if let Some(cpu) = cpu_seconds(pid) {
                self.last.insert(pid, cpu);
            }
            self.peak = self.peak.max(peak_memory(pid).unwrap_or(0));
        }
    }

    /// CPU seconds of all of them from the beginning to the last reading.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        self.last.iter().map(|(pid, cpu)| cpu - self.before.get(pid).unwrap_or(&0.0)).sum()
    }

    /// The largest peak of one of them, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.peak
    }
}

fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold spaces and parentheses itself.
    Some(text[text.rfind(')')? + 1..].split_whitespace().map(str::to_owned).collect())
}

fn kibibytes(text: &str, label: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn this_process_is_measured_and_found_below_its_parent() {
        let me = std::process::id();
        let mut meter = Meter::begin(&[]);
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 60 {}
        meter.read(&[me]);
        assert!(meter.cpu_seconds() >= 0.03, "{meter:?}");
        assert!(meter.peak_memory() > 500_000, "{meter:?}");
        assert!(memory(me).unwrap() > 100_000);
        assert!(family(parent(me).unwrap()).contains(&me));
        assert!(command_line(me).contains("millrace_bench"));
    }

    #[test]
    fn a_service_is_found_in_a_status_and_a_function_among_the_supervisor_s_processes() {
        let status = serde_json::json!({"services": [{"name": "mysql", "pid": 7}, {"name": "kafka", "pid": null}]});
        assert_eq!(of_service(&status, "mysql"), [7]);
        assert!(of_service(&status, "kafka").is_empty());
        assert!(
            runs("/home/me/target/release/bill ", "bill") && !runs("/home/me/target/release/millrace bill", "bill")
        );
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        // Until it has begun, the new process is a copy of this one.
        while !runs(&command_line(child.id()), "sleep") {}
        assert_eq!(of_function(std::process::id(), "sleep"), [child.id()]);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
