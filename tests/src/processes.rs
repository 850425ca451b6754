//! The processes of a stack: found by what the stack says of itself or by their home, and signalled.

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::time::{Duration, Instant};

use millrace_test_support::stack::Stack;

/// The process of a service, or of the simulator.
pub fn service(stack: &Stack, name: &str) -> u32 {
    let status = stack.status();
    let service = status["services"].as_array().into_iter().flatten().find(|service| service["name"] == name);
    let pid = service.and_then(|service| service["pid"].as_u64()).and_then(|pid| pid.try_into().ok());
    pid.unwrap_or_else(|| panic!("{name} has no process in {status}"))
}

/// One of a function's instances.
pub fn instance(stack: &Stack, function: &str) -> u32 {
    let first = instances(stack, function).into_iter().next();
    first.unwrap_or_else(|| panic!("no instance of {function} runs"))
}

/// A function's instances, as the host notes them in `run/functions/<function>-<pid>.pid`.
pub fn instances(stack: &Stack, function: &str) -> Vec<u32> {
    let folder = fs::read_dir(stack.home().join("run/functions")).expect("the host notes its processes");
    let names = folder.flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| name.to_str()?.strip_prefix(function)?.strip_prefix('-')?.strip_suffix(".pid")?.parse().ok())
        .collect()
}

/// The supervisor's process.
pub fn supervisor(stack: &Stack) -> u32 {
    let status = stack.status();
    status["pid"].as_u64().and_then(|pid| pid.try_into().ok()).unwrap_or_else(|| panic!("no pid in {status}"))
}

/// Every process that was started for the stack's home and still runs: supervisor, services and functions' instances.
pub fn of_home(stack: &Stack) -> Vec<u32> {
    let home = [b"MILLRACE_HOME=", stack.home().as_os_str().as_bytes()].concat();
    let all = fs::read_dir("/proc").expect("/proc is there").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_of_home = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == home)
    };
    pids.filter(is_of_home).collect()
}

/// What these processes run, for messages.
pub fn names(pids: &[u32]) -> Vec<String> {
    let name = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
    pids.iter().map(name).collect()
}

/// Kills a process, giving it no chance to do anything.
pub fn kill(pid: u32) {
    signal(pid, "KILL");
}

/// Kills processes at once and waits until all are gone.
pub fn kill_all(pids: &[u32]) {
    let sent = Command::new("kill").arg("-KILL").args(pids.iter().map(u32::to_string)).status();
    assert!(sent.expect("kill runs").success(), "kill -KILL {pids:?}");
    let begun = Instant::now();
    while pids.iter().any(|pid| is_alive(*pid)) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{pids:?} are not gone");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal by its name without `SIG`.
pub fn signal(pid: u32, signal: &str) {
    let status = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().expect("kill runs");
    assert!(status.success(), "kill -{signal} {pid}");
}

/// Whether a process runs; a zombie, which only waits for its parent to look, does not.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The addresses at which these processes take TCP connections.
pub fn listening(pids: &[u32]) -> Vec<SocketAddr> {
    let descriptors = pids.iter().filter_map(|pid| fs::read_dir(format!("/proc/{pid}/fd")).ok()).flatten().flatten();
    let sockets: HashSet<String> = descriptors
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let mut addresses = Vec::new();
    for line in tables.iter().flat_map(|table| table.lines().skip(1)) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // 0A is LISTEN.
        if let [_, local, _, "0A", _, _, _, _, _, inode, ..] = fields[..]
            && sockets.contains(inode)
        {
            addresses.push(address(local).unwrap_or_else(|| panic!("an address in /proc/net: {line}")));
        }
    }
    addresses
}

/// Reads `0100007F:1F40`: the address as words in this machine's byte order, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let words = address.as_bytes().chunks(8).map(|word| {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        Some(word.to_ne_bytes())
    });
    let bytes = words.collect::<Option<Vec<_>>>()?.concat();
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(bytes) => IpAddr::from(Ipv4Addr::from(bytes)),
        Err(_) => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?)).to_canonical(),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}
