//! One unit of work: a transaction that carries its events, tasks, audit rows and idempotency key with it.
//!
//! A command hands over owned input and a function; the function gets a [`Unit`] and states what follows from the
//! change. All of it commits together, then the streams' new heads go over the bus. The whole runs in a task of its
//! own, so that a client that hangs up cannot stop it half way, and it is repeated when the database lost a race.
//! Inside, only `unit.tx` may touch the database: a second connection could wait for the first for ever.
//!
//! [`Work::run`] is for most commands, [`Work::once`] for those with an idempotency key. [`Work::rehearsing`] runs the very
//! same commands and takes everything back. To let something follow from
//! every event of a kind, write a [`Projection`] and name it in `features/mod.rs`. To let a unit carry one more kind of
//! thing: a list in [`Unit`], and the statement that stores it in `commit`.

mod once;
mod unit;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

pub use once::{Effect, Once, forget_keys};
pub use unit::{AuditRow, Unit};

use super::bus::{Bus, Note};
use super::db::{Db, Kind};
use super::host;
use super::streams::{Draft, StreamName, append};
use crate::kernel::{Caller, Clock, Code, Error, Ids, Result};

/// How often a transaction is tried before the client is asked to.
const ATTEMPTS: u32 = 6;

/// What follows from an event in the same transaction: notifications, earnings, webhooks.
pub type Projection = for<'a> fn(&'a mut Unit, &'a Draft) -> BoxFuture<'a, Result<()>>;

/// What is looked at in a rehearsal, once everything was done and before it is taken back.
pub type Look = Arc<dyn for<'a> Fn(&'a mut Unit) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// Runs units of work.
#[derive(Clone)]
pub struct Work {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    bus: Arc<dyn Bus>,
    projections: &'static [Projection],
    running: TaskTracker,
    rehearsal: Option<Look>,
    /// Rung when a commit brought tasks.
    pub tasks_arrived: Arc<Notify>,
}

impl Work {
    /// Work on this database, telling this bus.
    pub fn new(db: Db, bus: Arc<dyn Bus>, clock: Clock, ids: Ids, projections: &'static [Projection]) -> Self {
        let running = TaskTracker::new();
        Work { db, bus, clock, ids, projections, running, rehearsal: None, tasks_arrived: Arc::default() }
    }

    /// Runs one unit of work to its commit, whatever becomes of the caller.
    pub async fn run<I, T, F>(&self, caller: &Caller, input: I, command: F) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Unit, &'t I) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        let work = self.clone();
        let caller = caller.clone();
        let task = self.running.spawn(async move { work.attempts(&caller, &input, &command).await });
        task.await.map_err(Error::internal)?
    }

    /// The same work without an effect: commands run to the brink of their commit, `look` sees what would be, and then
    /// everything is rolled back. No event, task, audit row or key stays, and nobody is told.
    pub fn rehearsing(&self, look: Look) -> Self {
        Work { rehearsal: Some(look), ..self.clone() }
    }

    /// Waits until every unit of work under way has ended.
    pub async fn drain(&self) {
        self.running.close();
        self.running.wait().await;
    }

    async fn attempts<I, T, F>(&self, caller: &Caller, input: &I, command: &F) -> Result<T>
    where
        F: for<'t> Fn(&'t mut Unit, &'t I) -> BoxFuture<'t, Result<T>>,
    {
        for attempt in 1.. {
            match self.attempt(caller, input, command).await {
                Err(error) if error.code == Code::Contended && attempt < ATTEMPTS => {
                    let pause = 1 + host::jitter(4 << attempt);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                outcome => return outcome,
            }
        }
        Err(Error::new(Code::Contended, "The database is busy; send the request again."))
    }

    async fn attempt<I, T, F>(&self, caller: &Caller, input: &I, command: &F) -> Result<T>
    where
        F: for<'t> Fn(&'t mut Unit, &'t I) -> BoxFuture<'t, Result<T>>,
    {
        let tx = self.db.begin().await?;
        let mut unit = Unit::new(tx, self.clock.now(), self.ids.clone(), caller.clone());
        let done = match (command(&mut unit, input).await, &self.rehearsal) {
            (Ok(value), None) => return self.commit(unit).await.map(|()| value),
            (Ok(value), Some(look)) => self.rehearse(&mut unit, look).await.map(|()| value),
            (Err(error), _) => Err(error),
        };
        // An explicit rollback frees the connection at once; a failure of it changes nothing.
        if let Err(cause) = unit.tx.rollback().await {
            tracing::debug!(%cause, "rollback failed");
        }
        done
    }

    async fn rehearse(&self, unit: &mut Unit, look: &Look) -> Result<()> {
        self.write(unit).await?;
        look(unit).await
    }

    /// Writes everything that follows from what the command did, and gives the new heads.
    async fn write(&self, unit: &mut Unit) -> Result<Vec<(StreamName, i64)>> {
        let mut projected = 0;
        // A projection may state facts of its own, which are projected as well.
        while projected < unit.drafts.len() {
            let draft = unit.drafts[projected].clone();
            for projection in self.projections {
                projection(unit, &draft).await?;
            }
            projected += 1;
        }
        let mut last = std::mem::take(&mut unit.later);
        last.extend(unit.audit_rows());
        last.extend(super::queue::enqueue(&unit.ids, unit.now, &unit.tasks));
        let actor = unit.actor();
        append(&mut unit.tx, &unit.ids, unit.now, &unit.caller, actor, &unit.drafts, last).await
    }

    async fn commit(&self, mut unit: Unit) -> Result<()> {
        let heads = self.write(&mut unit).await?;
        unit.tx.commit().await.map_err(|error| match error.kind {
            // Whether the commit happened is unknown when the connection broke: repeating it could do it twice.
            Kind::Away => Error::new(Code::Unavailable, "The database went away; look before you send it again."),
            _ => error.into(),
        })?;
        if !unit.tasks.is_empty() {
            self.tasks_arrived.notify_one();
        }
        if !heads.is_empty() {
            self.bus.publish(Note::Heads(heads.into_iter().map(|(stream, head)| (stream.shared(), head)).collect()));
        }
        for note in unit.notes {
            self.bus.publish(note);
        }
        Ok(())
    }
}
