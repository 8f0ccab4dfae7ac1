//! Redis for tests: the shared server of `TEST_REDIS_URL`, and private ones to be mistreated.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;
use uuid::Uuid;

/// The address of the server that all tests share. Each of them keeps to a [`prefix`] of its own.
pub fn shared_url() -> String {
    std::env::var("TEST_REDIS_URL").expect(
        "TEST_REDIS_URL is not set: start `redis-server --save ''` and set TEST_REDIS_URL=redis://127.0.0.1:6379",
    )
}

/// A prefix that no other test uses.
pub fn prefix() -> String {
    format!("test-{}", Uuid::new_v4().simple())
}

/// A server of one test's own, that ends with it.
pub struct PrivateRedis {
    port: u16,
    folder: TempDir,
    server: Option<Child>,
}

impl PrivateRedis {
    /// Starts a server and waits until it answers.
    pub async fn start() -> Self {
        let mut redis = PrivateRedis::absent();
        redis.restart().await;
        redis
    }

    /// Finds a place for a server without starting it.
    pub fn absent() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        PrivateRedis { port, folder: tempfile::tempdir().unwrap(), server: None }
    }

    /// Where it is, or will be.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server, without a goodbye to its clients.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Kills the server if it runs, and starts it at the same address.
    pub async fn restart(&mut self) {
        self.kill();
        let server = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server cannot be started: install it (Debian: apt-get install redis-server)");
        self.server = Some(server);
        let begun = Instant::now();
        while !self.answers().await {
            assert!(begun.elapsed() < Duration::from_secs(10), "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops the server from running without closing anything, or lets it run on.
    pub fn freeze(&self, frozen: bool) {
        let id = self.server.as_ref().expect("the server runs").id();
        let signal = if frozen { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, &id.to_string()]).status().unwrap().success());
    }

    /// A connection for commands.
    pub async fn connection(&self) -> MultiplexedConnection {
        redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    /// Runs one command, its words separated by spaces.
    pub async fn run(&self, command: &str) {
        let mut words = command.split(' ');
        let mut call = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            call.arg(word);
        });
        call.query_async::<redis::Value>(&mut self.connection().await).await.unwrap();
    }

    async fn answers(&self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
        redis::cmd("PING").query_async::<()>(&mut connection).await.is_ok()
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
