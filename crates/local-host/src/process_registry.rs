//! Which processes the host started, on disk: what a host that was killed left behind is ended by the next one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// A folder with one file for each process: its id and the moment it was started, so that an id that was given to another
/// process since is left alone.
pub(crate) struct ProcessRegistry {
    folder: PathBuf,
}

/// One process's file.
pub(crate) struct Registration(PathBuf);

impl ProcessRegistry {
    /// Opens the folder and ends what an earlier host left running.
    pub(crate) fn open(folder: &Path) -> std::io::Result<Arc<ProcessRegistry>> {
        std::fs::create_dir_all(folder)?;
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "pid") {
                end_stale(&path);
                std::fs::remove_file(&path)?;
            }
        }
        Ok(Arc::new(ProcessRegistry { folder: folder.to_owned() }))
    }

    pub(crate) fn add(&self, function: &str, pid: u32) -> Registration {
        let path = self.folder.join(format!("{function}-{pid}.pid"));
        let started = started_at(pid).unwrap_or_default();
        if let Err(error) = std::fs::write(&path, format!("{pid} {started}\n")) {
            tracing::warn!(path = %path.display(), %error, "cannot note the process of a function");
        }
        Registration(path)
    }
}

impl Registration {
    /// Forgets a process that has ended.
    pub(crate) fn end(self) {
        // A file that stays names a process that no longer has this start time: the next host removes it.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn end_stale(path: &Path) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let mut words = text.split_whitespace();
    let (Some(Ok(pid)), Some(Ok(started))) = (words.next().map(str::parse::<u32>), words.next().map(str::parse::<u64>))
    else {
        return;
    };
    if started_at(pid) == Some(started)
        && let Ok(raw) = i32::try_from(pid)
    {
        tracing::info!(pid, "ending a function's process that an earlier host left");
        // It may end by itself in this moment: a function whose host is gone does.
        let _ = killpg(Pid::from_raw(raw), Signal::SIGKILL);
    }
}

/// When a process was started, in clock ticks since the machine's start (field 22 of `/proc/<pid>/stat`).
fn started_at(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses, which may itself hold spaces and parentheses.
    stat[stat.rfind(')')? + 1..].split_whitespace().nth(19)?.parse().ok()
}
