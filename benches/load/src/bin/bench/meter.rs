//! What was used while something ran.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use load::Outcome;
use load::program::{cpu_of, cpu_of_children, cpu_of_ended_children, parent_of};
use load::report::quantiles;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ground::{Ground, Running};

/// What was found of one workload and one server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measure {
    /// What ran.
    pub work: String,
    /// On whom.
    pub peer: String,
    /// How large it was: pairs, subscribers, connections.
    #[serde(default)]
    pub size: usize,
    /// What is counted, such as `messages`.
    pub unit: String,
    /// How many.
    pub count: usize,
    /// Of them in each second.
    pub per_second: f64,
    /// The median of how long one took, in milliseconds.
    pub p50_ms: f64,
    /// What one in a hundred took longer than.
    pub p99_ms: f64,
    /// Microseconds of the server's processor time for each.
    pub cpu_us: f64,
    /// The same of PostgreSQL's processes that served it.
    pub postgres_us: f64,
    /// The same of Redis.
    pub redis_us: f64,
    /// The same of this program, to see that it was not what all waited for.
    pub generator_us: f64,
    /// Resident memory of the server at the end, in bytes.
    pub memory: u64,
    /// Of what was opened, resident bytes of each.
    #[serde(default)]
    pub bytes_each: f64,
}

impl Measure {
    /// With its size.
    pub fn of_size(self, size: usize) -> Self {
        Measure { size, ..self }
    }
}

/// Processor time at one moment.
struct Reading {
    server: Duration,
    postgres: Duration,
    redis: Duration,
    generator: Duration,
}

/// Notes what is used from a moment on.
pub struct Meter<'a> {
    running: &'a Running,
    postmaster: u32,
    redis: SocketAddr,
    begun: Instant,
    first: Reading,
}

impl<'a> Meter<'a> {
    /// From now on.
    pub async fn begin(ground: &Ground, running: &'a Running) -> Outcome<Self> {
        let postmaster = postmaster(&running.db).await?;
        let redis = ground.redis()?;
        let first = read(running, postmaster, redis).await?;
        Ok(Meter { running, postmaster, redis, begun: Instant::now(), first })
    }

    /// Until now: `count` of something were done, which took so many milliseconds each.
    pub async fn end(self, work: &str, unit: &str, count: usize, millis: &mut [f64]) -> Outcome<Measure> {
        Ok(self.hold(count).await?.tell(work, unit, millis))
    }

    /// Until now. How long each took is told later.
    pub async fn hold(self, count: usize) -> Outcome<Held> {
        let took = self.begun.elapsed();
        let last = read(self.running, self.postmaster, self.redis).await?;
        let each = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e6 / count as f64;
        Ok(Held(Measure {
            work: String::new(),
            peer: self.running.kind.name().to_owned(),
            size: 0,
            unit: String::new(),
            count,
            per_second: count as f64 / took.as_secs_f64(),
            p50_ms: 0.0,
            p99_ms: 0.0,
            cpu_us: each(self.first.server, last.server),
            postgres_us: each(self.first.postgres, last.postgres),
            redis_us: each(self.first.redis, last.redis),
            generator_us: each(self.first.generator, last.generator),
            memory: self.running.memory()?,
            bytes_each: 0.0,
        }))
    }
}

/// What was used, without the latencies.
pub struct Held(Measure);

impl Held {
    /// With them.
    pub fn tell(self, work: &str, unit: &str, millis: &mut [f64]) -> Measure {
        let [p50_ms, p99_ms] = quantiles(millis, [0.5, 0.99]);
        Measure { work: work.to_owned(), unit: unit.to_owned(), p50_ms, p99_ms, ..self.0 }
    }
}

async fn read(running: &Running, postmaster: u32, redis: SocketAddr) -> Outcome<Reading> {
    let mut postgres = cpu_of_children(postmaster, running.database())?;
    if running.programs.is_empty() {
        // Whoever worked without a server has gone again, and its processes in the database with it.
        postgres += cpu_of_ended_children(postmaster)?;
    }
    Ok(Reading {
        server: running.cpu()?,
        postgres,
        redis: redis_cpu(redis).await?,
        generator: cpu_of(std::process::id())?,
    })
}

/// The process that all of PostgreSQL's are children of.
async fn postmaster(db: &PgPool) -> Outcome<u32> {
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(db).await?;
    parent_of(u32::try_from(backend)?)
}

/// What Redis says of its own processor time.
async fn redis_cpu(address: SocketAddr) -> Outcome<Duration> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"INFO cpu\r\nQUIT\r\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    redis_used(&text)
}

fn redis_used(text: &str) -> Outcome<Duration> {
    let field = |name: &str| -> Outcome<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("Redis does not tell its time")?;
        Ok(line.trim().parse()?)
    };
    Ok(Duration::from_secs_f64(field("used_cpu_sys:")? + field("used_cpu_user:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_tells_its_time() {
        let text = "$99\r\n# CPU\r\nused_cpu_sys:1.25\r\nused_cpu_user:0.5\r\nused_cpu_sys_children:9\r\n\r\n+OK\r\n";
        assert_eq!(redis_used(text).unwrap(), Duration::from_millis(1_750));
        assert!(redis_used("-NOAUTH").is_err());
    }
}
