//! Processes that a supervisor may have to end though another one started them: who they are, and how they are ended.
//!
//! A process id alone says little, as ids are used again. A [`ProcessId`] holds the start time too, and nothing is signalled
//! unless both agree.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::home;

/// The variable that marks every process of a stack with the stack's id.
pub const MARK: &str = "MILLRACE_PROCESS_OF";

/// One process of this machine since it was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The id.
    pub pid: i32,
    /// When it was started, in the system's own words: never parsed, only compared.
    pub started: String,
}

impl ProcessId {
    /// The process that has this id now.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    /// Whether it still runs. A zombie, which only waits for its parent to look, does not.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Asks it to end, waits, and kills it when `patience` is over. Returns whether it had to be killed.
    pub async fn end(&self, patience: Duration) -> bool {
        if self.signal(Signal::SIGTERM) && self.gone_within(patience).await {
            return false;
        }
        self.signal(Signal::SIGKILL) && self.gone_within(Duration::from_secs(5)).await
    }

    /// Asks it to end, if it is still the same process; whether there was one.
    #[must_use]
    pub fn terminate(&self) -> bool {
        self.signal(Signal::SIGTERM)
    }

    /// Waits until it is gone, for as long as `patience`; whether it is.
    async fn gone_within(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Signals it if it is still the same process; whether there was one.
    fn signal(&self, signal: Signal) -> bool {
        self.is_alive() && kill(Pid::from_raw(self.pid), signal).is_ok()
    }
}

/// Kills what is left of a process group after its leader has ended.
pub fn kill_group(leader: i32) {
    match killpg(Pid::from_raw(leader), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => tracing::debug!(leader, %error, "can't end the process group"),
    }
}

/// The file that tells a later supervisor of a process.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes `run/<name>.json`.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(run: &Path, name: &str, process: &ProcessId) -> anyhow::Result<Self> {
        let path = run.join(format!("{name}.json"));
        home::write_private(&path, &serde_json::to_vec(process).context("a process id is no JSON")?)?;
        Ok(Self { path })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // A file that stays behind names a process that is gone, which the next supervisor sees.
        let _ = fs::remove_file(&self.path);
    }
}

/// Ends the processes that an earlier supervisor of this home left behind: those in its pid files, and on Linux those that
/// carry the stack's mark (a function's instance, or one whose file was not yet written). Returns what was ended, by name.
pub async fn end_stale(run: &Path, stack_id: &str, patience: Duration) -> Vec<String> {
    let mut stale = Vec::new();
    for file in fs::read_dir(run).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        // A file that was cut short by the crash is no reason to stop.
        let process = fs::read(&file).ok().and_then(|text| serde_json::from_slice::<ProcessId>(&text).ok());
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let _ = fs::remove_file(&file);
        if let Some(process) = process.filter(ProcessId::is_alive) {
            stale.push((name, process));
        }
    }
    for process in marked(stack_id) {
        if !stale.iter().any(|(_, known)| *known == process) {
            stale.push((command_name(process.pid), process));
        }
    }
    let ends = stale.into_iter().map(|(name, process)| async move {
        process.end(patience).await;
        format!("{name} (process {})", process.pid)
    });
    futures::future::join_all(ends).await
}

/// The processes of this user that carry the stack's mark, without this one.
#[must_use]
pub fn marked(stack_id: &str) -> Vec<ProcessId> {
    let wanted = format!("{MARK}={stack_id}").into_bytes();
    let own = std::process::id();
    let pids = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| u32::try_from(*pid) != Ok(own))
        // Another user's environment can't be read, and is none of ours.
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|text| text.split(|byte| *byte == 0).any(|line| line == wanted))
        })
        .filter_map(ProcessId::of)
        .collect()
}

/// The name of a process's program, cut to 15 characters by the system.
#[must_use]
pub fn command_name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// When the process was started: on Linux the boot's id and the clock tick, elsewhere what `ps` says. None when there is no
/// such process, or only its zombie.
fn started(pid: i32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (state, threads, tick) = parse_stat(&stat)?;
        // The first thread is a zombie at once when all are killed; the others may still hold ports and files.
        let ended = matches!(state, 'Z' | 'X') && threads <= 1;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        return (!ended).then(|| format!("{} {tick}", boot.trim()));
    }
    let output =
        std::process::Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (state, since) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| since.trim().to_owned())
}

/// State, number of threads and start tick (fields 3, 20 and 22) of `/proc/<pid>/stat`. The second field is the program's name
/// in brackets, and may hold spaces and brackets itself.
fn parse_stat(stat: &str) -> Option<(char, u64, u64)> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let threads = fields.nth(16)?.parse().ok()?;
    Some((state, threads, fields.nth(1)?.parse().ok()?))
}

/// The resident memory of a process in bytes, as far as the system tells (Linux).
#[must_use]
pub fn resident_bytes(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// How long a process has computed, on all processors together, as far as the system tells (Linux).
#[must_use]
pub fn processor_time(pid: i32) -> Option<Duration> {
    parse_processor_time(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// User and system time (fields 14 and 15) of `/proc/<pid>/stat`, in ticks of which Linux tells a hundred a second.
fn parse_processor_time(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Duration::from_millis((user + system) * 10))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::process::{Child, Command};

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    fn id(child: &Child) -> i32 {
        i32::try_from(child.id()).unwrap()
    }

    #[test]
    fn a_program_s_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let fields = "1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 31 0 987654 10 11";
        assert_eq!(parse_stat(&format!("42 (a) b (c)) S {fields}")), Some(('S', 31, 987_654)));
        assert_eq!(
            parse_processor_time(&format!("42 (a) b (c)) S {fields}")),
            Some(Duration::from_millis(110)),
            "5 ticks of user time and 6 of the system's"
        );
        assert_eq!(parse_stat("42 (cut"), None);
        assert_eq!(parse_stat("42 (short) S 1 2"), None);
    }

    #[tokio::test]
    async fn a_process_is_ended_and_then_known_to_be_gone() {
        let mut child = sleeper();
        let process = ProcessId::of(id(&child)).unwrap();
        assert!(process.is_alive());
        let killed = process.end(Duration::from_secs(5)).await;
        assert!(!killed && !process.is_alive());
        child.wait().unwrap();
        assert_eq!(ProcessId::of(process.pid), None);
    }

    #[tokio::test]
    async fn a_process_that_does_not_listen_is_killed() {
        let mut child =
            Command::new("bash").args(["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]).spawn().unwrap();
        let process = ProcessId::of(id(&child)).unwrap();
        sleep(Duration::from_millis(200)).await;
        assert!(process.end(Duration::from_millis(300)).await);
        child.wait().unwrap();
    }

    #[tokio::test]
    async fn an_id_that_another_process_has_now_is_left_alone() {
        let mut child = sleeper();
        let reused = ProcessId { pid: id(&child), started: "an earlier boot 17".to_owned() };
        let run = tempfile::tempdir().unwrap();
        let file = PidFile::write(run.path(), "kafka", &reused).unwrap();
        assert_eq!(end_stale(run.path(), "none", Duration::from_secs(1)).await, Vec::<String>::new());
        drop(file);
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[tokio::test]
    async fn what_an_earlier_supervisor_left_is_ended_by_its_file_or_by_its_mark() {
        let stack_id = format!("test{}", std::process::id());
        let run = tempfile::tempdir().unwrap();
        let mut in_file = sleeper();
        std::mem::forget(PidFile::write(run.path(), "mysql", &ProcessId::of(id(&in_file)).unwrap()).unwrap());
        fs::write(run.path().join("half.json"), "{\"pid\":").unwrap();
        let mut marked = Command::new("sleep").arg("60").env(MARK, &stack_id).spawn().unwrap();
        let mut other = Command::new("sleep").arg("60").env(MARK, format!("{stack_id}x")).spawn().unwrap();
        let ended = end_stale(run.path(), &stack_id, Duration::from_secs(5)).await;
        assert_eq!(ended.len(), 2, "{ended:?}");
        assert!(ended[0].starts_with("mysql (process ") && ended[1].starts_with("sleep (process "), "{ended:?}");
        assert!(other.try_wait().unwrap().is_none());
        assert_eq!(fs::read_dir(run.path()).unwrap().count(), 0);
        other.kill().unwrap();
        for child in [&mut in_file, &mut marked, &mut other] {
            child.wait().unwrap();
        }
    }
}
