//! The bus of many instances: one Redis channel that all of them publish to and listen to.
//!
//! Two tasks with a connection each: the publisher empties the outbox, one frame at a time, and the subscriber hands
//! what the others say to the listeners of this process. Own notes never take the way through Redis to get home: they
//! are delivered on the spot, and their echo is dropped. So an instance hears itself with Redis down, or never there at
//! all.
//!
//! Redis keeps nothing for a subscriber that is away, so every subscription, and every end of one, is followed by a
//! [`Note::Resync`] for the listeners here. The publisher's losses are the others' to repair: it tells them by a resync
//! of its own in the next frame.
//!
//! To add a kind of note: a variant of [`Note`], and its form on the wire in `frame`.

mod frame;
mod outbox;
mod publisher;
mod subscriber;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::redis::{Client, RedisError};
use async_trait::async_trait;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use self::outbox::Outbox;
use super::{Bus, Listener, MemoryBus, Note};
use crate::kernel::Result;
use crate::platform::link;

/// How often an idle connection is asked whether it still lives.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long closing may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Tells the other instances over Redis.
pub struct RedisBus {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// A bus that is dropped without being closed must not leave its tasks behind.
    _stop_on_drop: DropGuard,
}

/// What the two tasks and the bus have in common.
struct Shared {
    client: Client,
    /// Tells our frames from those of others.
    instance: String,
    channel: String,
    local: MemoryBus,
    outbox: Outbox,
    publisher: Side,
    subscriber: Side,
}

/// Whether one of the two connections is up.
struct Side {
    name: &'static str,
    up: AtomicBool,
}

impl RedisBus {
    /// Starts the two tasks and returns at once, degraded until they are connected. Fails only when `url` is not an
    /// address. `prefix` keeps installations that share a server apart (the usual one is `gigwire`); `instance` is new for
    /// each process. Needs a tokio runtime around it.
    pub fn start(url: &str, prefix: &str, instance: Uuid) -> Result<Self> {
        let shared = Arc::new(Shared {
            client: link::client(url)?,
            instance: instance.simple().to_string(),
            channel: format!("{prefix}:notes"),
            local: MemoryBus::new(),
            outbox: Outbox::default(),
            publisher: Side::new("publisher"),
            subscriber: Side::new("subscriber"),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(publisher::run(Arc::clone(&shared), link::Backoff::new(instance), stop.clone()));
        tasks.spawn(subscriber::run(Arc::clone(&shared), link::Backoff::new(instance), stop.clone()));
        tasks.close();
        Ok(RedisBus { shared, tasks, _stop_on_drop: stop.clone().drop_guard(), stop })
    }
}

#[async_trait]
impl Bus for RedisBus {
    fn publish(&self, note: Note) {
        if note != Note::Resync {
            self.shared.outbox.push(note.clone(), Instant::now());
        }
        self.shared.local.publish(note);
    }

    fn subscribe(&self) -> Listener {
        self.shared.local.subscribe()
    }

    fn is_connected(&self) -> bool {
        !self.stop.is_cancelled() && self.shared.publisher.is_up() && self.shared.subscriber.is_up()
    }

    async fn close(&self) {
        self.shared.outbox.close();
        self.stop.cancel();
        if tokio::time::timeout(CLOSE_WITHIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("the bus was closed with notes left to send; the other instances find them by their sweep");
        }
    }
}

impl Side {
    fn new(name: &'static str) -> Self {
        Side { name, up: AtomicBool::new(false) }
    }

    fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    fn went_up(&self) {
        self.up.store(true, Ordering::Relaxed);
        tracing::info!(side = self.name, "the bus is connected to Redis");
    }

    /// Notes the end of a connection, or of an attempt at one. True when it was up: only that is news.
    fn went_down(&self, cause: &RedisError) -> bool {
        let was_up = self.up.swap(false, Ordering::Relaxed);
        if was_up {
            tracing::warn!(side = self.name, %cause, "the bus lost Redis; wakes wait for the sweep until it is back");
        } else {
            tracing::debug!(side = self.name, %cause, "Redis cannot be reached");
        }
        was_up
    }
}
