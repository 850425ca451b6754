//! Stacks to measure on: all services and `rate`; no other function runs in between.

use std::path::Path;

use anyhow::{Context, bail};
use millrace_test_support::stack::{Stack, project_root};
use serde_json::Value;

use crate::database::Database;
use crate::events;

/// A running stack with `rate` alone and the sample operator's reference data.
pub(crate) struct Measured {
    pub(crate) stack: Stack,
    pub(crate) database: Database,
    pub(crate) brokers: String,
    // Lives as long as the stack, which reads its manifests.
    _root: tempfile::TempDir,
}

impl Measured {
    /// Starts one; `change` may alter the mapping of `rate`.
    pub(crate) fn start(change: impl Fn(&mut Value)) -> anyhow::Result<Self> {
        Self::start_with(&[], change)
    }

    /// Starts one with further functions.
    pub(crate) fn start_with(functions: &[&str], change: impl Fn(&mut Value)) -> anyhow::Result<Self> {
        let root = tempfile::tempdir()?;
        for name in functions.iter().chain(&["migrate"]) {
            copy_manifest(root.path(), name, |_| ())?;
        }
        copy_manifest(root.path(), "rate", &change)?;
        let stack = Stack::start_at(root.path().to_owned());
        for file in events::sample()?.files() {
            let path = stack.home().join(format!("import-{}", file.kind));
            std::fs::write(&path, &file.bytes)?;
            succeed(&stack, &["import", file.kind, &path.to_string_lossy()])?;
        }
        let database = Database::connect(stack.home())?;
        let brokers =
            stack.status()["addresses"]["kafka"].as_str().context("status has no addresses.kafka")?.to_owned();
        Ok(Self { stack, database, brokers, _root: root })
    }

    /// Stops feeding `rate`; the batches in flight are finished.
    pub(crate) fn pause_rate(&self) -> anyhow::Result<()> {
        succeed(&self.stack, &["pause", "rate"])
    }

    /// Feeds `rate` again.
    pub(crate) fn resume_rate(&self) -> anyhow::Result<()> {
        succeed(&self.stack, &["resume", "rate"])
    }

    /// How many records of the topic have come to an end: stored, duplicate or reject.
    pub(crate) fn done(&self) -> anyhow::Result<u64> {
        let sum = self
            .database
            .integer("SELECT SUM(stored + duplicates + rejects) FROM ledger WHERE topic = 'usage-events'")?;
        Ok(u64::try_from(sum)?)
    }
}

fn succeed(stack: &Stack, arguments: &[&str]) -> anyhow::Result<()> {
    let output = stack.millrace(arguments);
    if !output.status.success() {
        bail!("millrace {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Copies a function's manifest to another root, its Kafka triggers changed by `change`.
fn copy_manifest(root: &Path, name: &str, change: impl Fn(&mut Value)) -> anyhow::Result<()> {
    let path = project_root().join("functions").join(name).join("function.json");
    let text = std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
    let mut manifest: Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    for trigger in manifest["triggers"].as_array_mut().into_iter().flatten() {
        if let Some(kafka) = trigger.get_mut("kafka") {
            change(kafka);
        }
    }
    let folder = root.join("functions").join(name);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("function.json"), manifest.to_string())?;
    Ok(())
}
