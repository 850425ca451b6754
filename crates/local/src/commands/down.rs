//! `millrace down`.

use std::{fs, io, time::Duration};

use anyhow::{Context, anyhow};
use clap::Args;
use tokio::time::{Instant, sleep};

use crate::{
    CommandError,
    control::Control,
    home::Home,
    services::compose::Compose,
    stack::{Engine, Stack},
    supervisor::{
        lock::HomeLock,
        process::{self, ProcessId},
    },
};

/// How long a whole stack may take to end.
const PATIENCE: Duration = Duration::from_secs(150);

/// What a stack keeps in its home, and `--wipe` deletes. Nothing else in the folder is touched.
const OWN: [&str; 7] = ["kafka", "mysql", "documents", "objects", "logs", "stack.json", "run"];

/// The options of `down`.
#[derive(Debug, Args)]
pub struct Down {
    /// Delete the stack's data, settings and logs too
    #[arg(long)]
    pub wipe: bool,
}

impl Down {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stack can't be stopped, or its data can't be deleted.
    pub async fn run(self) -> Result<(), CommandError> {
        let home = Home::find()?;
        if !home.path().is_dir() {
            eprintln!("there is no stack in {}", home.path().display());
            return Ok(());
        }
        home.create()?;
        // A file that is not understood must not keep anyone from deleting it.
        let stack = match home.stack_if_any() {
            Ok(stack) => stack,
            Err(error) if self.wipe => {
                eprintln!("{error:#}");
                None
            }
            Err(error) => return Err(error.into()),
        };
        let lock = match HomeLock::take(&home)? {
            Some(lock) => lock,
            None => stop(&home, stack.as_ref()).await?,
        };
        // What a supervisor that was killed has left.
        if let Some(stack) = &stack {
            for ended in process::end_stale(&home.join("run"), &stack.id, Duration::from_secs(20)).await {
                eprintln!("ended {ended}");
            }
            if stack.engine == Engine::Compose {
                let compose = Compose::new(stack)?;
                if self.wipe { compose.wipe().await? } else { compose.stop().await? }
            }
        }
        eprintln!("the stack in {} is stopped", home.path().display());
        if self.wipe {
            wipe(&home)?;
            eprintln!("its data are deleted");
        }
        drop(lock);
        Ok(())
    }
}

/// Tells the supervisor to end and waits until it lets go of the home.
async fn stop(home: &Home, stack: Option<&Stack>) -> Result<HomeLock, CommandError> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        if let Some(lock) = HomeLock::take(home)? {
            return Ok(lock);
        }
        if !told {
            told = match stack {
                Some(stack) => Control::new(stack).stop().await.unwrap_or(false),
                None => false,
            };
            // One that does not answer (yet) still listens to signals.
            told = told || signal_supervisor(home);
        }
        if Instant::now() >= deadline {
            return Err(anyhow!(
                "the supervisor did not end within {PATIENCE:?}; {} says why",
                home.log("supervisor").display()
            )
            .into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn signal_supervisor(home: &Home) -> bool {
    let file = fs::read(home.join("run/supervisor.json")).ok();
    let process = file.and_then(|text| serde_json::from_slice::<ProcessId>(&text).ok());
    process.is_some_and(|process| process.is_alive() && process.terminate())
}

fn wipe(home: &Home) -> anyhow::Result<()> {
    for name in OWN {
        let path = home.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("can't delete {}", path.display()));
            }
            _ => {}
        }
    }
    // Only when nothing of anyone else's is in it.
    let _ = fs::remove_dir(home.path());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_wipe_deletes_the_stack_s_own_files_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(&folder.path().join("home")).unwrap();
        home.create().unwrap();
        fs::create_dir_all(home.join("kafka/data")).unwrap();
        fs::write(home.join("stack.json"), "{}").unwrap();
        fs::write(home.join("letter.txt"), "mine").unwrap();
        wipe(&home).unwrap();
        let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["letter.txt"]);
        fs::remove_file(home.join("letter.txt")).unwrap();
        wipe(&home).unwrap();
        assert!(!home.path().exists());
    }
}
