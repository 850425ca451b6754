//! Where and with what a benchmark ran.

use std::process::Command;

use anyhow::Context;
use chrono::Utc;

use crate::processes;
use crate::stacks::Measured;

/// One paragraph: date, machine, versions, commit.
pub(crate) fn describe(measured: &Measured) -> anyhow::Result<String> {
    let status = measured.stack.status();
    let kafka =
        processes::of_service(&status, "kafka").first().map(|&pid| kafka_version(&processes::command_line(pid)));
    Ok(format!("{}; Kafka {}; database {}.", base()?, kafka.unwrap_or_else(unknown), measured.database.description()?))
}

/// The same without the services.
pub(crate) fn base() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism().context("the number of cores")?;
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: f64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0.0);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let commit = answer("git", &["rev-parse", "--short", "HEAD"]);
    let changed =
        if answer("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() { "" } else { " with changes" };
    Ok(format!(
        "{}; {cores} cores ({}), {:.0} GiB, Linux {}; {}; commit {commit}{changed}",
        Utc::now().format("%Y-%m-%d %H:%M UTC"),
        processor(),
        kib / 1_048_576.0,
        kernel.trim(),
        answer("rustc", &["--version"]),
    ))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    model.map_or_else(unknown, |(_, model)| model.trim().to_owned())
}

/// The version stands in the broker's class path: `…/kafka-4.3.1/lib/*`.
fn kafka_version(command_line: &str) -> String {
    let versions = command_line.split("/kafka-").skip(1).filter_map(|rest| rest.split('/').next());
    versions
        .into_iter()
        .find(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        .map_or_else(unknown, str::to_owned)
}

fn answer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn unknown() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kafkas_version_is_read_from_its_class_path() {
        assert_eq!(kafka_version("java -cp /srv/millrace/services/kafka-4.3.1/lib/* kafka.Kafka /tmp/x"), "4.3.1");
        assert_eq!(kafka_version("java -cp /opt/jars/* kafka.Kafka /tmp/x"), "unknown");
    }
}
