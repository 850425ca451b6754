//! The S3 server of a laptop: a folder, served on the loopback interface by `s3s`.

use std::net::SocketAddr;
use std::path::Path;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// An S3 server over a folder; it ends when it is dropped.
pub struct ObjectsServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsServerError {
    /// The folder cannot be used.
    #[error("cannot serve objects from the folder {folder}: {reason}")]
    Folder {
        /// The folder that was named.
        folder: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Address(SocketAddr, std::io::Error),
}

impl ObjectsServer {
    /// Serves the buckets in `folder` (made when it is not there) to whoever signs with this key.
    ///
    /// # Errors
    /// When the folder or the address cannot be used.
    pub async fn start(
        folder: &Path,
        address: SocketAddr,
        access_key: &str,
        secret_key: &SecretString,
    ) -> Result<ObjectsServer, ObjectsServerError> {
        let unusable = |reason: String| ObjectsServerError::Folder { folder: folder.display().to_string(), reason };
        std::fs::create_dir_all(folder).map_err(|error| unusable(error.to_string()))?;
        let files = s3s_fs::FileSystem::new(folder).map_err(|error| unusable(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(access_key, secret_key.expose_secret()));
        let service = builder.build();
        let refused = |error| ObjectsServerError::Address(address, error);
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let task = tokio::spawn(async move {
            // The connections end with this task.
            let mut connections = JoinSet::new();
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    // Out of file descriptors, most likely: others may be given back.
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                };
                while connections.try_join_next().is_some() {}
                let service = service.clone();
                connections.spawn(async move {
                    // A client that breaks off is no fault of the server's.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Ok(ObjectsServer { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ObjectsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
