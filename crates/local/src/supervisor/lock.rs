//! One supervisor for each home: whoever holds the lock. The system lets go of it when the process ends, however it ends.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::Context;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::home::Home;

/// The lock of a home, held until it is dropped.
#[derive(Debug)]
pub struct HomeLock {
    _file: Flock<std::fs::File>,
}

impl HomeLock {
    /// Takes the lock; none when another supervisor holds it.
    ///
    /// # Errors
    /// When the lock's file can't be opened.
    pub fn take(home: &Home) -> anyhow::Result<Option<Self>> {
        let path = home.join("run/lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("can't open {}", path.display()))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(Some(Self { _file: file })),
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, error)) => Err(error).with_context(|| format!("can't lock {}", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_home_has_one_supervisor_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path()).unwrap();
        home.create().unwrap();
        let first = HomeLock::take(&home).unwrap();
        assert!(first.is_some());
        assert!(HomeLock::take(&home).unwrap().is_none());
        drop(first);
        assert!(HomeLock::take(&home).unwrap().is_some());
    }
}
