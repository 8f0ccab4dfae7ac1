//! The program that is measured: started on a folder, asked for its gauges, looked at from outside, and ended.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::Outcome;
use crate::http::Http;
use crate::socket::Target;

/// The administrator that each run has.
pub const ADMIN: (&str, &str) = ("admin@example.org", "correct horse battery");
/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a program that starts is asked whether it is ready.
const PROBE_EVERY: Duration = Duration::from_millis(2);
/// Clock ticks of the kernel per second, in which /proc tells processor time.
const TICKS_PER_SECOND: u32 = 100;

/// A running gigwire.
pub struct Program {
    child: Child,
    pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// A client of it.
    pub http: Http,
    /// From its start until it was ready.
    pub took: Duration,
}

impl Program {
    /// Starts it and waits until it is ready. `settings` are names of its environment.
    pub async fn start(binary: &Path, folder: &Path, settings: &[(String, String)]) -> Outcome<Self> {
        let address = free_address()?;
        let mut command = Command::new(binary);
        command
            .args(["serve", "--host", "127.0.0.1", "--port", &address.port().to_string(), "--data-dir"])
            .arg(folder.join("data"))
            // Only what is named here: the settings of whoever runs this must not count.
            .env_clear()
            .envs([("ADMIN_EMAIL", ADMIN.0), ("ADMIN_PASSWORD", ADMIN.1)])
            // People come from many addresses, as a proxy in front would say it; and runs are longer than 15 minutes.
            .envs([("TRUSTED_PROXIES", "127.0.0.1"), ("ACCESS_MINUTES", "30"), ("LOG", "warn")])
            .envs(settings.iter().cloned());
        Program::launch(command, address, &folder.join("log"), Some("/readyz")).await
    }

    /// Starts anything that listens at an address, and waits until a path there answers well, or until it listens.
    pub async fn launch(mut command: Command, address: SocketAddr, log: &Path, probe: Option<&str>) -> Outcome<Self> {
        let output = std::fs::File::create(log)?;
        let begun = Instant::now();
        let mut child =
            command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).kill_on_drop(true).spawn()?;
        let pid = child.id().ok_or("the program ended at once")?;
        let http = Http::new(address)?;
        let is_ready = || async {
            match probe {
                Some(path) => http.get(path).await.is_ok(),
                None => TcpStream::connect(address).await.is_ok(),
            }
        };
        while !is_ready().await {
            if begun.elapsed() > PATIENCE || child.try_wait()?.is_some() {
                return Err(format!("it does not get ready: {}", std::fs::read_to_string(log)?).into());
            }
            sleep(PROBE_EVERY).await;
        }
        Ok(Program { child, pid, address, http, took: begun.elapsed() })
    }

    /// Where its sockets are.
    pub fn target(&self) -> Target {
        Target { address: self.address, path: "/graphql", protocol: "graphql-transport-ws" }
    }

    /// What it has of the machine right now.
    pub fn usage(&self) -> Outcome<Usage> {
        Usage::of(self.pid)
    }

    /// Its process.
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// The processor time that it has used so far.
    pub fn cpu(&self) -> Outcome<Duration> {
        cpu_of(self.pid)
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

/// Reads a setting of a program that is started, `NAME=VALUE`.
pub fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("wants NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
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

/// An address of the loopback where nobody listens.
pub fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// The processor time of a process so far, in user mode and in the kernel.
pub fn cpu_of(pid: u32) -> Outcome<Duration> {
    Ok(Stat::of(pid)?.own)
}

/// The processor time of those children of a process that have a word on their command line.
pub fn cpu_of_children(pid: u32, word: &str) -> Outcome<Duration> {
    let mut total = Duration::ZERO;
    for entry in std::fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let line = std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        if !line.split([' ', '\0']).any(|part| part == word) {
            continue;
        }
        // A process may end between the two looks.
        total += Stat::of(child).ok().filter(|stat| stat.parent == pid).map(|stat| stat.own).unwrap_or_default();
    }
    Ok(total)
}

/// The processor time of those children of a process that have ended.
pub fn cpu_of_ended_children(pid: u32) -> Outcome<Duration> {
    Ok(Stat::of(pid)?.ended_children)
}

/// The parent of a process.
pub fn parent_of(pid: u32) -> Outcome<u32> {
    Ok(Stat::of(pid)?.parent)
}

/// What /proc/PID/stat tells.
struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Stat {
    fn of(pid: u32) -> Outcome<Self> {
        Stat::read(&std::fs::read_to_string(format!("/proc/{pid}/stat"))?)
    }

    fn read(text: &str) -> Outcome<Self> {
        // The name stands in brackets and may hold anything.
        let (_, rest) = text.rsplit_once(')').ok_or("no name in /proc")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| -> Outcome<u32> { Ok(fields.get(number).ok_or("a short line in /proc")?.parse()?) };
        let time = |number: usize| -> Outcome<Duration> {
            Ok(Duration::from_secs((field(number)? + field(number + 1)?).into()) / TICKS_PER_SECOND)
        };
        Ok(Stat { parent: field(1)?, own: time(11)?, ended_children: time(13)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_proc_is_read_behind_the_name() {
        let line = "42 (a (b) c) S 7 42 42 0 -1 4194560 1 0 0 0 150 50 20 5 20 0 3 0 1 2 3";
        let stat = Stat::read(line).unwrap();
        assert_eq!(stat.parent, 7);
        assert_eq!(stat.own, Duration::from_secs(2));
        assert_eq!(stat.ended_children, Duration::from_millis(250));
        assert!(Stat::read("42 (a) S 7").is_err());
    }
}
