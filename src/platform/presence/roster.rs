//! What the instances know together, in Redis: `instances` with the last beat of each, for each instance its users with
//! their connections, and `online`, everybody who is with at least one of them, in the order of the ids.
//!
//! An instance writes what is so with it, never a difference, so that everything may be repeated. Its beat is the only
//! thing that it has to renew, however many users it has: when it ends, the others remove what it left.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{Client, FromRedisValue, Pipeline, RedisResult, Script, cmd, pipe};
use uuid::Uuid;

use super::table::Change;
use crate::kernel::Result;
use crate::kernel::page::Page;
use crate::platform::link;

/// How long an answer may take. A query then goes by what this instance knows itself.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
/// Entries of a hash that are read at once.
const SCAN_COUNT: usize = 500;

/// The shared list of who is where.
pub(super) struct Roster {
    client: Client,
    prefix: String,
    instance: String,
    gone_after: Duration,
    grace: Duration,
    mark: Script,
    beat: Script,
    connection: Mutex<Option<MultiplexedConnection>>,
}

/// What a beat has found.
pub(super) struct Beat {
    /// The others do not know this instance: they forgot it, or Redis did.
    pub(super) is_new: bool,
    /// Instances that say nothing any more.
    pub(super) dead: Vec<String>,
}

impl Roster {
    pub(super) fn new(url: &str, prefix: &str, instance: Uuid, gone_after: Duration, grace: Duration) -> Result<Self> {
        Ok(Roster {
            client: link::client(url)?,
            prefix: format!("{prefix}:presence:"),
            instance: instance.simple().to_string(),
            gone_after,
            grace,
            mark: Script::new(include_str!("mark.lua")),
            beat: Script::new(include_str!("beat.lua")),
            connection: Mutex::default(),
        })
    }

    /// Whether Redis answers, as far as anybody knows.
    pub(super) fn is_connected(&self) -> bool {
        self.connection().is_some()
    }

    pub(super) async fn connect(&self) -> RedisResult<()> {
        let connection = link::connect(&self.client).await?;
        *self.connection() = Some(connection);
        Ok(())
    }

    /// Notes changes of this instance, and tells who came online or left the last instance.
    pub(super) async fn mark(&self, changes: &[Change]) -> Option<Vec<(Uuid, bool)>> {
        self.mark_on(&self.instance, changes.iter().map(|change| (change.user, change.connections))).await
    }

    /// Says that this instance lives.
    pub(super) async fn beat(&self) -> Option<Beat> {
        let mut connection = self.connected()?;
        let mut call = self.beat.key(self.key("instances"));
        call.arg(&self.instance).arg(millis(self.gone_after)).arg(0);
        let answer: Vec<String> = self.judge(call.invoke_async(&mut connection)).await?;
        let mut answer = answer.into_iter();
        let is_new = answer.next().is_some_and(|count| count == "1");
        Some(Beat { is_new, dead: answer.filter(|instance| *instance != self.instance).collect() })
    }

    /// Says that this instance will be dead when the grace is over.
    pub(super) async fn leave(&self) {
        let Some(mut connection) = self.connected() else { return };
        let early = self.gone_after.saturating_sub(self.grace);
        let mut call = self.beat.key(self.key("instances"));
        call.arg(&self.instance).arg(millis(self.gone_after)).arg(millis(early));
        let _: Option<Vec<String>> = self.judge(call.invoke_async(&mut connection)).await;
    }

    /// Removes users of an instance, all but those that are `kept`, and tells who left the last one.
    pub(super) async fn sweep(&self, instance: &str, kept: impl Fn(Uuid) -> bool) -> Option<Vec<(Uuid, bool)>> {
        let (mut cursor, mut turned) = (0_u64, Vec::new());
        loop {
            let mut scan = cmd("HSCAN");
            scan.arg(self.key(instance)).arg(cursor).arg("COUNT").arg(SCAN_COUNT);
            let (next, entries): (u64, Vec<(Vec<u8>, i64)>) = self.ask(pipe().add_command(scan)).await.map(first)?;
            let users = entries.into_iter().filter_map(|(user, _)| Uuid::from_slice(&user).ok());
            let gone: Vec<_> = users.filter(|user| !kept(*user)).map(|user| (user, None)).collect();
            if !gone.is_empty() {
                turned.extend(self.mark_on(instance, gone.into_iter()).await?);
            }
            if next == 0 {
                return Some(turned);
            }
            cursor = next;
        }
    }

    /// Removes an instance that is dead, and tells who left with it.
    pub(super) async fn bury(&self, instance: &str) -> Option<Vec<(Uuid, bool)>> {
        let turned = self.sweep(instance, |_| false).await?;
        self.ask::<(i64, i64)>(
            pipe().cmd("DEL").arg(self.key(instance)).cmd("ZREM").arg(self.key("instances")).arg(instance),
        )
        .await?;
        Some(turned)
    }

    /// This instance's own name.
    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    /// Whether each of these is online.
    pub(super) async fn online(&self, users: &[Uuid]) -> Option<Vec<bool>> {
        let mut pipeline = pipe();
        users.iter().for_each(|user| {
            pipeline.cmd("ZSCORE").arg(self.key("online")).arg(user.as_bytes().as_slice());
        });
        let scores: Vec<Option<f64>> = self.ask(&pipeline).await?;
        Some(scores.into_iter().map(|score| score.is_some()).collect())
    }

    /// How many connections each of these has on the other instances.
    pub(super) async fn connections_elsewhere(&self, users: &[Uuid]) -> Option<Vec<u64>> {
        let instances = pipe().cmd("ZRANGE").arg(self.key("instances")).arg(0).arg(-1).clone();
        let instances: Vec<String> = self.ask(&instances).await.map(first)?;
        let mut sums = vec![0; users.len()];
        let others: Vec<_> = instances.into_iter().filter(|other| *other != self.instance).collect();
        if others.is_empty() || users.is_empty() {
            return Some(sums);
        }
        let mut pipeline = pipe();
        for other in &others {
            pipeline.cmd("HMGET").arg(self.key(other));
            users.iter().for_each(|user| {
                pipeline.arg(user.as_bytes().as_slice());
            });
        }
        let counts: Vec<Vec<Option<u64>>> = self.ask(&pipeline).await?;
        for of_instance in counts {
            sums.iter_mut().zip(of_instance).for_each(|(sum, count)| *sum += count.unwrap_or(0));
        }
        Some(sums)
    }

    /// How many users are online.
    pub(super) async fn count(&self) -> Option<u64> {
        self.ask(pipe().cmd("ZCARD").arg(self.key("online"))).await.map(first)
    }

    /// Up to one user more than the page has, in reading direction.
    pub(super) async fn page(&self, page: &Page) -> Option<Vec<Uuid>> {
        let bound = |id: Uuid| [b"(", &id.as_bytes()[..]].concat();
        let after = page.after.map_or_else(|| b"-".to_vec(), |cursor| bound(cursor.id));
        let before = page.before.map_or_else(|| b"+".to_vec(), |cursor| bound(cursor.id));
        let mut range = if page.forward { cmd("ZRANGEBYLEX") } else { cmd("ZREVRANGEBYLEX") };
        let (from, to) = if page.forward { (after, before) } else { (before, after) };
        range.arg(self.key("online")).arg(from).arg(to).arg("LIMIT").arg(0).arg(page.size + 1);
        let found: Vec<Vec<u8>> = self.ask(pipe().add_command(range)).await.map(first)?;
        Some(found.iter().filter_map(|user| Uuid::from_slice(user).ok()).collect())
    }

    async fn mark_on(
        &self,
        instance: &str,
        users: impl Iterator<Item = (Uuid, Option<u32>)>,
    ) -> Option<Vec<(Uuid, bool)>> {
        let mut connection = self.connected()?;
        let mut call = self.mark.key(self.key("instances"));
        call.key(self.key("online")).key(self.key(instance)).arg(&self.prefix);
        for (user, connections) in users {
            call.arg(user.as_bytes().as_slice()).arg(connections.map_or_else(String::new, |count| count.to_string()));
        }
        let turned: Vec<(Vec<u8>, u8)> = self.judge(call.invoke_async(&mut connection)).await?;
        let turn = |(user, is_online): (Vec<u8>, u8)| Some((Uuid::from_slice(&user).ok()?, is_online == 1));
        Some(turned.into_iter().filter_map(turn).collect())
    }

    async fn ask<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Option<T> {
        let mut connection = self.connected()?;
        self.judge(pipeline.query_async(&mut connection)).await
    }

    /// The answer; without one in time the connection is given up, so that nobody else waits for it.
    async fn judge<T>(&self, work: impl Future<Output = RedisResult<T>>) -> Option<T> {
        match link::within(ANSWER_WITHIN, work).await {
            Ok(answer) => Some(answer),
            Err(cause) => {
                if self.connection().take().is_some() {
                    tracing::warn!(%cause, "presence lost Redis; each instance goes by what it knows itself");
                }
                None
            }
        }
    }

    fn connected(&self) -> Option<MultiplexedConnection> {
        self.connection().clone()
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn connection(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        // No code that holds the lock can leave the option half changed.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pipeline of one command answers with a list of one.
fn first<T>((answer,): (T,)) -> T {
    answer
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
