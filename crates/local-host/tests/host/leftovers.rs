//! A host that was killed leaves no process behind.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::support::{Setup, eventually, example, is_running, probe};

/// Starts a host in a process of its own, whose probe answers and then works for a minute; gives the two process ids.
fn host_process(folder: &std::path::Path) -> (std::process::Child, u64) {
    use std::io::{BufRead, BufReader};

    std::fs::create_dir(folder.join("bin")).unwrap();
    std::os::unix::fs::symlink(probe(), folder.join("bin").join("one")).unwrap();
    let mut host = Command::new(example("lone_host")).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(host.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (host, line.trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_function_ends_by_itself_when_its_host_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut host, pid) = host_process(folder.path());
    assert!(is_running(pid));
    host.kill().unwrap();
    host.wait().unwrap();
    eventually("the function ends", async || !is_running(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_a_killed_host_left_is_ended_by_the_next_host() {
    use std::os::unix::process::CommandExt;

    // A process that would not end by itself, noted as the host notes its functions'.
    let mut left = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
    let mut stranger = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
    let started = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap().parse::<u64>().unwrap()
    };
    let setup = Setup::new().function("one", json!({}));
    let run = setup.config.run.join("functions");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("one-1.pid"), format!("{} {}\n", left.id(), started(left.id()))).unwrap();
    // The id was given to another process since: it is none of ours.
    std::fs::write(run.join("one-2.pid"), format!("{} {}\n", stranger.id(), started(stranger.id()) - 1)).unwrap();
    let host = setup.start();
    tokio::time::timeout(Duration::from_secs(5), tokio::task::spawn_blocking(move || left.wait()))
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(is_running(stranger.id().into()));
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert_eq!(std::fs::read_dir(&run).unwrap().count(), 0);
    host.answer("one", json!({})).await;
    assert_eq!(std::fs::read_dir(&run).unwrap().count(), 1, "a running function is noted");
    host.host.stop().await;
    assert_eq!(std::fs::read_dir(&run).unwrap().count(), 0);
}
