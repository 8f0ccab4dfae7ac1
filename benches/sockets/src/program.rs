//! The program that is measured: started on a folder, asked for its gauges, looked at from outside, and ended.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::Outcome;
use crate::http::Http;
use crate::socket::Target;

/// The administrator that each run has.
pub const ADMIN: (&str, &str) = ("admin@example.org", "correct horse battery");
/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running gigwire.
pub struct Program {
    child: Child,
    pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// A client of it.
    pub http: Http,
}

impl Program {
    /// Starts it and waits until it is ready. `settings` are names of its environment.
    pub async fn start(binary: &Path, folder: &Path, settings: &[(String, String)]) -> Outcome<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let log = std::fs::File::create(folder.join("log"))?;
        let child = Command::new(binary)
            .args(["serve", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir"])
            .arg(folder.join("data"))
            // Only what is named here: the settings of whoever runs this must not count.
            .env_clear()
            .envs([("ADMIN_EMAIL", ADMIN.0), ("ADMIN_PASSWORD", ADMIN.1)])
            // People come from many addresses, as a proxy in front would say it; and runs are longer than 15 minutes.
            .envs([("TRUSTED_PROXIES", "127.0.0.1"), ("ACCESS_MINUTES", "30"), ("LOG", "warn")])
            .envs(settings.iter().cloned())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or("the program ended at once")?;
        let program = Program { child, pid, address, http: Http::new(address)? };
        let begun = Instant::now();
        while program.http.get("/readyz").await.is_err() {
            if begun.elapsed() > PATIENCE {
                return Err(format!("it does not get ready; see {}", folder.join("log").display()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(program)
    }

    /// Where its sockets are.
    pub fn target(&self) -> Target {
        Target { address: self.address, path: "/graphql", protocol: "graphql-transport-ws" }
    }

    /// What it has of the machine right now.
    pub fn usage(&self) -> Outcome<Usage> {
        Usage::of(self.pid)
    }

    /// Its gauges and counters, each with its labels as Prometheus writes them.
    pub async fn metrics(&self) -> Outcome<HashMap<String, f64>> {
        let text = self.http.get("/metrics").await?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Ok(lines
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(k, v)| Some((k.into(), v.parse().ok()?)))
            .collect())
    }

    /// One of its gauges; 0 if it has none of this name.
    pub async fn gauge(&self, name: &str) -> Outcome<f64> {
        Ok(self.metrics().await?.get(name).copied().unwrap_or_default())
    }

    /// Waits until a gauge is what it should be.
    pub async fn reaches(&self, name: &str, wanted: usize) -> Outcome<()> {
        let begun = Instant::now();
        loop {
            let now = self.gauge(name).await?;
            if (now - wanted as f64).abs() < 0.5 {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("{name} stays at {now}, {wanted} were expected").into());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it.
    pub async fn end(mut self) -> Outcome<()> {
        self.child.kill().await?;
        Ok(())
    }
}

/// What a process has of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Resident memory in bytes.
    pub memory: u64,
    /// Threads.
    pub threads: usize,
    /// Open file descriptors.
    pub files: usize,
}

impl Usage {
    /// Of this process, as /proc tells it.
    pub fn of(pid: u32) -> Outcome<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| -> Outcome<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line in /proc")?;
            Ok(line.trim_start_matches(':').split_whitespace().next().unwrap_or_default().parse()?)
        };
        Ok(Usage {
            memory: field("VmRSS")? << 10,
            threads: usize::try_from(field("Threads")?)?,
            files: std::fs::read_dir(format!("/proc/{pid}/fd"))?.count(),
        })
    }
}
