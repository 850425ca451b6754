//! The memory of the whole stack, by service and function.

use std::collections::BTreeMap;

use super::process;

/// Resident memory in MiB by name, and `total`: the services by their processes, every other process of the stack by its
/// program's name, and this process as `millrace`. Shared pages count in each process that maps them.
#[must_use]
pub fn by_name(stack_id: &str, services: &[(String, i32)]) -> BTreeMap<String, f64> {
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    let mut add =
        |name: String, pid: i32| *bytes.entry(name).or_default() += process::resident_bytes(pid).unwrap_or_default();
    for marked in process::marked(stack_id) {
        let name = services.iter().find(|(_, pid)| *pid == marked.pid).map(|(name, _)| name.clone());
        add(name.unwrap_or_else(|| process::command_name(marked.pid)), marked.pid);
    }
    if let Ok(own) = i32::try_from(std::process::id()) {
        add("millrace".to_owned(), own);
    }
    let total: u64 = bytes.values().sum();
    bytes.insert("total".to_owned(), total);
    bytes.into_iter().map(|(name, bytes)| (name, mebibytes(bytes))).collect()
}

/// With one decimal.
fn mebibytes(bytes: u64) -> f64 {
    (bytes as f64 / 1024.0 / 1024.0 * 10.0).round() / 10.0
}
