//! A host with one function, for the tests of what remains when a host is killed: `lone_host FOLDER` prints the process id
//! of the function and stays.

use std::path::{Path, PathBuf};

use millrace_local_host::{Host, HostConfig, Manifest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("a folder is needed")?);
    let mut config = HostConfig::new(folder.join("bin"), folder.join("logs"), folder.join("run"));
    let manifest = r#"{"description": "a probe", "timeout_seconds": 60, "memory_mb": 128}"#;
    config.functions.push(Manifest::parse("one", Path::new("function.json"), manifest)?);
    let host = Host::start(config)?;
    let answer = host.invoke("one", "{}").await?;
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload)?;
    println!("{}", answer["pid"]);
    std::future::pending().await
}
