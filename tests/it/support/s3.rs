//! A small S3-compatible store inside the test, with a bucket and a key of its own.

use std::path::PathBuf;

use gigwire::platform::config::{Config, Secret};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

const BUCKET: &str = "files";
const ACCESS_KEY: &str = "test-access-key";
const SECRET_KEY: &str = "test-secret-key";

/// A running store, gone when it is dropped.
pub struct Store {
    endpoint: String,
    folder: TempDir,
    serving: JoinHandle<()>,
}

impl Store {
    /// Starts one on a free port of this machine.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            // Aborted with this task, so that no open connection outlives the store.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // A client that hangs up ends its connection, and that is all.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Store { endpoint, folder, serving }
    }

    /// Settings that use it.
    pub fn configure(&self, config: &mut Config) {
        config.storage.bucket = BUCKET.to_owned();
        config.storage.endpoint = self.endpoint.clone();
        config.storage.path_style = true;
        config.storage.access_key = Secret::new(ACCESS_KEY);
        config.storage.secret_key = Secret::new(SECRET_KEY);
    }

    /// Where it keeps the objects.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// Makes it unreachable.
    pub fn stop(&self) {
        self.serving.abort();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
