//! Java programs out of the cache of jars.

use std::{env, path::PathBuf};

use anyhow::{Context, bail};
use tokio::process::Command;

use super::programs;
use crate::project;

/// A folder of the cache that `scripts/up` filled.
#[derive(Debug, Clone)]
pub struct Jars {
    folder: PathBuf,
}

impl Jars {
    /// The jars of a service, such as `kafka-4.3.1`.
    ///
    /// # Errors
    /// When they are not there in full.
    pub fn of(name: &str) -> anyhow::Result<Self> {
        let folder = project::services_cache()?.join(name);
        if !folder.join("complete").is_file() {
            bail!("{} does not hold the whole of {name}; scripts/up fetches it", folder.display());
        }
        Ok(Self { folder })
    }

    /// A JVM for a small machine: one collector thread, no optimising compiler, and an end at the first lack of memory, so
    /// that it is restarted and not left half alive. Sizes of its heap are as the JVM takes them, such as `64M`.
    ///
    /// # Errors
    /// When there is no `java`.
    pub fn command(&self, start_heap: &str, most_heap: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(java()?);
        command
            .arg(format!("-Xms{start_heap}"))
            .arg(format!("-Xmx{most_heap}"))
            .args([
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xss512k",
                "-XX:+ExitOnOutOfMemoryError",
                "-Djava.awt.headless=true",
            ])
            // The other way to add options would change what was tried.
            .env_remove("JAVA_TOOL_OPTIONS")
            .env_remove("JDK_JAVA_OPTIONS")
            .env_remove("CLASSPATH");
        let classpath = format!("{0}/classes:{0}/lib/*", self.folder.display());
        command.args(["-cp", &classpath]);
        Ok(command)
    }
}

fn java() -> anyhow::Result<PathBuf> {
    let of_home =
        env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java")).filter(|java| java.is_file());
    of_home
        .or_else(|| programs::find("java"))
        .context("there is no java on the PATH; scripts/up says how to install it")
}
