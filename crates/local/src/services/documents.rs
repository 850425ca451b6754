//! The document server: a `mongod` that is on the PATH, else the embedded one over an H2 file.

use std::path::PathBuf;

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

use super::{java::Jars, memory, programs};
use crate::{
    home::{self, Home},
    stack::Stack,
    supervisor::service::Service,
};

const JARS: &str = "documents-1.47.0";
/// The most memory of the embedded server's heap, unless `MILLRACE_DOCUMENTS_MEMORY` says otherwise. It holds what a query sorts.
const MEMORY: &str = "512M";

#[derive(Debug)]
enum Flavour {
    Mongod(PathBuf),
    Embedded { jars: Jars, memory: String },
}

/// The document server of a stack.
#[derive(Debug)]
pub struct Documents {
    flavour: Flavour,
    folder: PathBuf,
    port: u16,
}

impl Documents {
    /// The server of a home, with its data in `documents/`, in a folder for each kind of server.
    ///
    /// # Errors
    /// When there is no `mongod` and the embedded server's jars are not there, or `MILLRACE_DOCUMENTS_MEMORY` is no size.
    pub fn new(home: &Home, stack: &Stack) -> anyhow::Result<Self> {
        let flavour = match programs::find("mongod") {
            Some(program) => Flavour::Mongod(program),
            None => {
                Flavour::Embedded { jars: Jars::of(JARS)?, memory: memory::of("MILLRACE_DOCUMENTS_MEMORY", MEMORY)? }
            }
        };
        let folder = home.join("documents").join(match flavour {
            Flavour::Mongod(_) => "mongod",
            Flavour::Embedded { .. } => "embedded",
        });
        Ok(Self { flavour, folder, port: stack.ports()?.documents() })
    }
}

impl Service for Documents {
    fn name(&self) -> &'static str {
        "documents"
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        home::create_private_folder(&self.folder)
    }

    fn command(&self) -> anyhow::Result<Command> {
        let port = self.port.to_string();
        let command = match &self.flavour {
            Flavour::Mongod(program) => {
                let mut command = Command::new(program);
                command.arg("--dbpath").arg(&self.folder).args(["--port", &port, "--bind_ip", "127.0.0.1"]);
                command.args(["--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", "0.25"]);
                command
            }
            Flavour::Embedded { jars, memory } => {
                let mut command = jars.command("16M", memory)?;
                command
                    .args([
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        "-Dorg.slf4j.simpleLogger.showDateTime=true",
                    ])
                    .args([
                        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
                        "-Dio.netty.allocator.type=unpooled",
                    ])
                    .args(["DocumentServer", "127.0.0.1", &port])
                    .arg(self.folder.join("documents.h2"));
                command
            }
        };
        Ok(command)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        ping(self.port).await
    }
}

/// Sends a document server the command `{ping: 1, $db: "admin"}`.
///
/// # Errors
/// When there is no answer with `ok: 1`.
pub async fn ping(port: u16) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.context("its port does not answer")?;
    stream.write_all(&ping_message()).await?;
    let length = usize::try_from(stream.read_i32_le().await?)?;
    if !(21..=65_536).contains(&length) {
        bail!("it answered {length} bytes, which is no answer to ping");
    }
    let mut answer = vec![0; length - 4];
    stream.read_exact(&mut answer).await?;
    // The field `ok` as BSON has it: a double of 1.
    let ok = [b"\x01ok\0".as_slice(), &1f64.to_le_bytes()].concat();
    if !answer.windows(ok.len()).any(|window| window == ok) {
        bail!("its answer to ping is not ok");
    }
    Ok(())
}

/// An OP_MSG with one BSON document, by hand: the driver is linked in one crate only, and this is all that is asked here.
fn ping_message() -> Vec<u8> {
    let fields =
        [b"\x10ping\0".as_slice(), &1i32.to_le_bytes(), b"\x02$db\0", &6i32.to_le_bytes(), b"admin\0"].concat();
    let document = [with_length(fields.len() + 5).as_slice(), &fields, b"\0"].concat();
    let header =
        |length: usize| [with_length(length), 1i32.to_le_bytes(), 0i32.to_le_bytes(), 2013i32.to_le_bytes()].concat();
    // Header, no flags, one section of kind 0.
    [header(16 + 5 + document.len()).as_slice(), &0i32.to_le_bytes(), b"\0", &document].concat()
}

fn with_length(length: usize) -> [u8; 4] {
    i32::try_from(length).unwrap_or(i32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_message_s_lengths_are_its_own() {
        let message = ping_message();
        assert_eq!(i32::from_le_bytes(message[..4].try_into().unwrap()) as usize, message.len());
        assert_eq!(i32::from_le_bytes(message[21..25].try_into().unwrap()) as usize, message.len() - 21);
    }
}
