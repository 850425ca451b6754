//! An instance's memory limit: by a cgroup of its own where one can be made, else by watching its resident memory. Never
//! by a limit of the address space, which counts what is only reserved.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::sync::watch;

/// How often resident memory is looked at while the instance works.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The limit of one process.
pub(crate) struct Memory {
    pid: u32,
    limit_bytes: u64,
    group: Option<Group>,
}

/// A memory cgroup, removed once its process has ended.
struct Group {
    folder: PathBuf,
    /// The file that counts the kernel's out-of-memory kills, as `oom_kill <count>`.
    events: &'static str,
    /// Whether the process is in it; `None` while it is being moved there.
    joined: watch::Receiver<Option<bool>>,
}

impl Memory {
    pub(crate) fn limit(pid: u32, memory_mb: u32) -> Memory {
        let limit_bytes = u64::from(memory_mb) * 1024 * 1024;
        Memory { pid, limit_bytes, group: Group::make(pid, limit_bytes) }
    }

    /// Comes to an end when the process uses more than it may; the kernel sees to it where there is a cgroup.
    pub(crate) async fn exceeded(&self) {
        if let Some(group) = &self.group
            && group.has_joined().await
        {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if resident_bytes(self.pid).is_some_and(|bytes| bytes > self.limit_bytes) {
                return;
            }
        }
    }

    /// Whether the kernel ended the process for its memory.
    pub(crate) fn was_exceeded(&self, status: Option<&ExitStatus>) -> bool {
        use std::os::unix::process::ExitStatusExt;

        status.is_some_and(|status| status.signal() == Some(9)) && self.group.as_ref().is_some_and(Group::killed)
    }

    /// The most resident memory so far, in MiB; 0 when the process has ended.
    pub(crate) fn peak_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default().div_ceil(1024)
    }
}

fn resident_bytes(pid: u32) -> Option<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_bytes())
}

fn page_bytes() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| size.try_into().ok())
        .unwrap_or(4096)
}

impl Group {
    fn make(pid: u32, limit_bytes: u64) -> Option<Group> {
        let (parent, limit, events) = hierarchy()?;
        let folder = parent.join(format!("millrace-{pid}"));
        // One that a killed host left for a process of the same id is empty, and goes.
        let _ = std::fs::remove_dir(&folder);
        std::fs::create_dir(&folder).ok()?;
        let (moved, joined) = watch::channel(None);
        let group = Group { folder, events, joined };
        std::fs::write(group.folder.join(limit), limit_bytes.to_string()).ok()?;
        // The first move in a while waits in the kernel for all processors, some 10 to 20 ms: the process starts meanwhile.
        let processes = group.folder.join("cgroup.procs");
        tokio::task::spawn_blocking(move || {
            moved.send_replace(Some(std::fs::write(processes, pid.to_string()).is_ok()));
        });
        Some(group)
    }

    async fn has_joined(&self) -> bool {
        let mut joined = self.joined.clone();
        joined.wait_for(Option::is_some).await.is_ok_and(|joined| *joined == Some(true))
    }

    fn killed(&self) -> bool {
        let events = std::fs::read_to_string(self.folder.join(self.events)).unwrap_or_default();
        let count = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.is_some_and(|count| count.trim() != "0")
    }
}

/// Removes the groups that a killed host left. One that has a process is not removed by the kernel.
pub(crate) fn sweep() {
    let Some((parent, ..)) = hierarchy() else { return };
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("millrace-") {
            let _ = std::fs::remove_dir(entry.path());
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if std::fs::remove_dir(&self.folder).is_ok() {
            return;
        }
        // The kernel refuses while the process is still ending.
        let folder = self.folder.clone();
        std::thread::spawn(move || {
            for _ in 0..50 {
                if std::fs::remove_dir(&folder).is_ok() || !folder.exists() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    }
}

/// Where this process may make memory groups: its own group, or the root's when that is what it is in. The folder, the
/// limit's file and the events' file, of cgroup v2 or v1.
fn hierarchy() -> Option<(PathBuf, &'static str, &'static str)> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let path = path.trim_start_matches('/');
        if controllers.split(',').any(|controller| controller == "memory") {
            let folder = Path::new("/sys/fs/cgroup/memory").join(path);
            return folder.is_dir().then_some((folder, "memory.limit_in_bytes", "memory.oom_control"));
        }
        let unified = Path::new("/sys/fs/cgroup").join(path);
        let delegated = std::fs::read_to_string(unified.join("cgroup.subtree_control"));
        if controllers.is_empty() && delegated.is_ok_and(|list| list.split_whitespace().any(|name| name == "memory")) {
            return Some((unified, "memory.max", "memory.events"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::process::{Command, Stdio};

    use super::*;

    #[tokio::test]
    async fn without_a_cgroup_resident_memory_over_the_limit_is_noticed() {
        // It keeps the last 300 MB of what never ends.
        let mut zeros = Command::new("cat").arg("/dev/zero").stdout(Stdio::piped()).spawn().unwrap();
        let mut hog = Command::new("tail")
            .args(["-c", "300000000"])
            .stdin(zeros.stdout.take().unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let memory = Memory { pid: hog.id(), limit_bytes: 128 * 1024 * 1024, group: None };
        let noticed = tokio::time::timeout(Duration::from_secs(20), memory.exceeded()).await;
        let peak = memory.peak_mb();
        for process in [&mut hog, &mut zeros] {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        noticed.expect("more than 128 MiB are resident within 20 s");
        assert!(peak > 128, "{peak} MiB");
    }

    #[tokio::test]
    async fn a_process_within_its_limit_is_left_alone() {
        let mut small = Command::new("sleep").arg("60").spawn().unwrap();
        let memory = Memory { pid: small.id(), limit_bytes: 128 * 1024 * 1024, group: None };
        let noticed = tokio::time::timeout(Duration::from_millis(300), memory.exceeded()).await;
        small.kill().unwrap();
        small.wait().unwrap();
        assert!(noticed.is_err());
    }
}
