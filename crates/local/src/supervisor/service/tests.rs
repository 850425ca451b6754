#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// A shell script as a service; it is ready when it has written the file `ready`.
struct Script {
    text: &'static str,
    folder: PathBuf,
    patience: Duration,
}

impl Service for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new("bash");
        command.args(["-c", self.text]).current_dir(&self.folder);
        Ok(command)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        self.folder.join("ready").exists().then_some(()).context("no file yet")
    }

    fn start_patience(&self) -> Duration {
        self.patience
    }

    fn stop_patience(&self) -> Duration {
        Duration::from_millis(500)
    }
}

fn start(text: &'static str) -> (tempfile::TempDir, Supervised) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path()).unwrap();
    home.create().unwrap();
    let script = Script { text, folder: folder.path().to_owned(), patience: Duration::from_millis(800) };
    let supervised = Supervised::start(script, &home, "test");
    (folder, supervised)
}

async fn reaches(supervised: &Supervised, what: impl FnMut(&ServiceStatus) -> bool) -> ServiceStatus {
    let mut status = supervised.status.clone();
    let reached = timeout(Duration::from_secs(10), status.wait_for(what)).await;
    reached.expect("the state is reached in time").expect("the supervision goes on").clone()
}

#[tokio::test]
async fn a_process_that_dies_is_started_again_and_its_end_is_told() {
    let (folder, supervised) = start("touch ready; echo out of paper >&2; exec sleep 60");
    supervised.ready().await.unwrap();
    let first = supervised.status();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(first.pid.unwrap()), nix::sys::signal::Signal::SIGKILL).unwrap();
    let again = reaches(&supervised, |status| status.state == State::Ready && status.restarts == 1).await;
    assert_ne!(again.pid, first.pid);
    let failure = again.last_failure.unwrap();
    assert!(failure.contains("script died (signal 9)") && failure.contains("out of paper"), "{failure}");
    assert!(folder.path().join("run/script.json").exists());
    supervised.stop().await;
    assert!(!folder.path().join("run/script.json").exists());
    assert_eq!(ProcessId::of(again.pid.unwrap()), None);
}

#[tokio::test]
async fn a_process_that_ends_at_once_fails_the_start_with_its_last_words() {
    let (_folder, supervised) = start("echo wrong flag; exit 3");
    let error = supervised.ready().await.unwrap_err().to_string();
    assert!(
        error.contains("script ended before it was ready (exit status 3)") && error.contains("wrong flag"),
        "{error}"
    );
    assert_eq!(supervised.status().state, State::Failed);
    supervised.stop().await;
}

#[tokio::test]
async fn a_process_that_never_answers_fails_the_start_and_is_ended() {
    let (_folder, supervised) = start("exec sleep 60");
    let pid = reaches(&supervised, |status| status.pid.is_some()).await.pid.unwrap();
    let error = supervised.ready().await.unwrap_err().to_string();
    assert!(error.contains("not ready within 800ms: no file yet"), "{error}");
    assert_eq!(ProcessId::of(pid), None);
    supervised.stop().await;
}

#[tokio::test]
async fn a_stop_ends_children_too_and_kills_what_does_not_listen() {
    let (_folder, supervised) = start("trap '' TERM; touch ready; sleep 61 & sleep 62; sleep 63");
    supervised.ready().await.unwrap();
    let leader = supervised.status().pid.unwrap();
    supervised.stop().await;
    let left = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), None);
    assert!(left.is_err() || group_is_dead(leader).await);
}

/// Killed children are the init process's to reap, which may take a moment.
async fn group_is_dead(leader: i32) -> bool {
    for _ in 0..100 {
        if nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), None).is_err() {
            return true;
        }
        sleep(Duration::from_millis(20)).await;
    }
    false
}
