//! Who is there: which users have a live connection, over all instances.
//!
//! Each instance counts the connections of its own users in a `table`. With Redis it shares them in a `roster`; without,
//! or while Redis is away, it goes by what it knows itself. One task, the `keeper`, carries changes from the one to the
//! other, tells them as signals, and removes the users of instances that died. So a change costs one entry and one
//! signal, however many watch, and an idle connection costs nothing.
//!
//! - Somebody is online as long as one connection lives on any instance, and a few seconds longer: who comes back within
//!   them was never away. An instance that says nothing for a while is dead, and its users leave with it.
//! - A signal may be lost. Every [`RECONCILE`], and whenever the bus may have lost something, each instance compares what
//!   is watched here with what is known.
//!
//! Who may see it is not decided here but in `features/presence`.

mod keeper;
mod roster;
mod table;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::roster::Roster;
use self::table::Table;
use super::bus::{Bus, Note};
use super::config::Config;
use super::streams::{Hub, Signal};
use crate::kernel::id::{TypedId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Error, Result};

/// How often what is watched here is compared with what is known at least.
pub const RECONCILE: Duration = Duration::from_secs(20);

/// Where signals about a user go: this and the id.
const TOPIC: &str = "presence:";

/// Who is there.
#[derive(Clone)]
pub struct Presence {
    shared: Arc<Shared>,
}

struct Shared {
    table: Mutex<Table>,
    /// Rung when the table has changed.
    changed: Notify,
    roster: Option<Roster>,
    bus: Arc<dyn Bus>,
}

/// One live connection of one user. Dropping it ends it.
pub struct Stay {
    shared: Arc<Shared>,
    user: Uuid,
}

impl Presence {
    /// Nobody is there yet. `instance` is new for each process.
    pub fn start(
        config: &Config,
        instance: Uuid,
        bus: Arc<dyn Bus>,
        hub: &Hub,
        stop: CancellationToken,
    ) -> Result<Self> {
        let grace = Duration::from_secs(config.presence.grace_seconds.unsigned_abs());
        let gone_after = Duration::from_secs(config.presence.gone_after_seconds.unsigned_abs());
        let roster = match config.redis.url.is_set() {
            true => Some(Roster::new(config.redis.url.reveal(), &config.redis.prefix, instance, gone_after, grace)?),
            false => None,
        };
        let table = Mutex::new(Table::new(grace));
        let presence = Presence { shared: Arc::new(Shared { table, changed: Notify::new(), roster, bus }) };
        tokio::spawn(keeper::run(presence.clone(), hub.clone(), gone_after, stop));
        Ok(presence)
    }

    /// One more connection of a user, unless it has `at_most` here already.
    pub fn enter(&self, user: UserId, at_most: usize) -> Option<Stay> {
        let user = user.uuid();
        let entered = self.shared.table().enter(user, at_most);
        entered.then(|| {
            self.shared.changed.notify_one();
            Stay { shared: self.shared.clone(), user }
        })
    }

    /// How many users have a connection to this instance.
    pub fn users_here(&self) -> u64 {
        self.shared.table().len()
    }

    /// Which of these users are online.
    pub async fn online(&self, users: &[UserId]) -> HashSet<UserId> {
        let (here, rest): (Vec<UserId>, Vec<UserId>) = {
            let table = self.shared.table();
            users.iter().partition(|user| table.has(user.uuid()))
        };
        let mut online: HashSet<UserId> = here.into_iter().collect();
        if let (Some(roster), false) = (&self.shared.roster, rest.is_empty()) {
            let ids: Vec<_> = rest.iter().map(|user| user.uuid()).collect();
            let found = roster.online(&ids).await.unwrap_or_default();
            online.extend(rest.into_iter().zip(found).filter(|(_, is_online)| *is_online).map(|(user, _)| user));
        }
        online
    }

    /// How many live connections each of these users has, over all instances.
    pub async fn connections(&self, users: &[UserId]) -> HashMap<UserId, u64> {
        let ids: Vec<_> = users.iter().map(|user| user.uuid()).collect();
        let elsewhere = match &self.shared.roster {
            Some(roster) => roster.connections_elsewhere(&ids).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let table = self.shared.table();
        let elsewhere = elsewhere.into_iter().chain(std::iter::repeat(0));
        users.iter().zip(elsewhere).map(|(user, count)| (*user, table.connections(user.uuid()) + count)).collect()
    }

    /// How many users are online.
    pub async fn count(&self) -> u64 {
        match &self.shared.roster {
            Some(roster) => roster.count().await.unwrap_or_else(|| self.shared.table().len()),
            None => self.shared.table().len(),
        }
    }

    /// A page of the users who are online, in the order of their ids.
    pub async fn page(&self, page: &Page) -> Slice<UserId> {
        let read = match &self.shared.roster {
            Some(roster) => roster.page(page).await.unwrap_or_else(|| self.shared.table().page(page)),
            None => self.shared.table().page(page),
        };
        Slice::of(page, read.into_iter().map(UserId::of).collect())
    }

    /// Tells again how it stands with a user, because who may see it has changed.
    pub async fn renew(&self, user: UserId) {
        let is_online = self.online(&[user]).await.contains(&user);
        let signal = Signal { is_renewed: true, ..Signal::of(user.uuid(), is_online) };
        self.tell(signal);
    }

    /// Leaves in good order: what others were told of the users here holds a few seconds longer, until they are back
    /// elsewhere.
    pub async fn close(&self) {
        if let Some(roster) = &self.shared.roster {
            roster.leave().await;
        }
    }

    fn tell(&self, signal: Signal) {
        let topic = topic(UserId::of(signal.sender));
        match serde_json::to_string(&signal).map_err(Error::internal) {
            Ok(body) => self.shared.bus.publish(Note::Signal { topic: topic.into(), body: body.into() }),
            Err(error) => tracing::warn!(%error, "a signal of presence cannot be written"),
        }
    }
}

/// The topic of signals about a user.
pub fn topic(user: UserId) -> String {
    format!("{TOPIC}{}", user.uuid().simple())
}

/// The user that a topic is about.
fn subject(topic: &str) -> Option<UserId> {
    topic.strip_prefix(TOPIC)?.parse().ok().map(UserId::of)
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        // No code that holds the lock can leave the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.shared.table().exit(self.user, Instant::now());
        self.shared.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_names_its_user() {
        let user = UserId::of(Uuid::from_u128(7));
        assert_eq!(subject(&topic(user)), Some(user));
        assert_eq!(subject("typing:00000000000000000000000000000007"), None);
    }
}
