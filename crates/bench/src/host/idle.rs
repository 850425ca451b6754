//! What the whole stack uses when nothing happens.

use std::time::{Duration, Instant};

use crate::processes;

/// How long a new stack is left alone before it is watched: instances and the JVM's compilers come to rest.
const SETTLE: Duration = Duration::from_secs(30);

/// An idle stack.
pub(crate) struct Idle {
    /// Percent of one core, by the first word of each process's command line, largest first.
    pub(crate) cpu_percent: Vec<(String, f64)>,
    /// MiB, likewise.
    pub(crate) memory_mib: Vec<(String, f64)>,
}

/// Watches a stack without traffic, all its schedules on.
pub(crate) fn watch(length: Duration) -> anyhow::Result<(Idle, String)> {
    let stack = millrace_test_support::stack::Stack::start();
    std::thread::sleep(SETTLE);
    let status = stack.status();
    let supervisor = processes::supervisor(&status)?;
    let before: Vec<(u32, f64)> =
        processes::family(supervisor).into_iter().filter_map(|pid| Some((pid, processes::cpu_seconds(pid)?))).collect();
    let begun = Instant::now();
    std::thread::sleep(length);
    let mut idle = Idle { cpu_percent: Vec::new(), memory_mib: Vec::new() };
    let seconds = begun.elapsed().as_secs_f64();
    // A process that a schedule started in between counts whole; one that ended in between is missed.
    for pid in processes::family(supervisor) {
        let used = before.iter().find(|(known, _)| *known == pid).map_or(0.0, |(_, cpu)| *cpu);
        let Some(cpu) = processes::cpu_seconds(pid) else { continue };
        add(&mut idle.cpu_percent, &name(pid), 100.0 * (cpu - used) / seconds);
        add(&mut idle.memory_mib, &name(pid), processes::memory(pid).unwrap_or(0) as f64 / 1_048_576.0);
    }
    Ok((idle, crate::database::Database::connect(stack.home())?.description()?))
}

impl Idle {
    /// All processes together.
    pub(crate) fn sum(parts: &[(String, f64)]) -> f64 {
        parts.iter().map(|(_, part)| part).sum()
    }
}

fn add(parts: &mut Vec<(String, f64)>, name: &str, amount: f64) {
    match parts.iter_mut().find(|(other, _)| other == name) {
        Some((_, sum)) => *sum += amount,
        None => parts.push((name.to_owned(), amount)),
    }
    parts.sort_by(|one, other| other.1.total_cmp(&one.1));
}

/// The program's name; of a Java program, its main class.
fn name(pid: u32) -> String {
    let line = processes::command_line(pid);
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("?").rsplit('/').next().unwrap_or("?").to_owned();
    if program != "java" {
        return program;
    }
    let mut previous = "";
    for word in words {
        if !word.starts_with('-') && !matches!(previous, "-cp" | "-classpath") {
            return format!("java {word}");
        }
        previous = word;
    }
    program
}
