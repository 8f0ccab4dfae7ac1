//! One unit of work: a transaction that carries its events, tasks, audit rows and idempotency key with it.
//!
//! A command hands over owned input and a function; the function gets a [`Unit`] and states what follows from the
//! change. All of it commits together, then the streams' new heads go over the bus. The whole runs in a task of its
//! own, so that a client that hangs up cannot stop it half way, and it is repeated when the database lost a race.
//! Inside, only `unit.tx` may touch the database: a second connection could wait for the first for ever.
//!
//! [`Work::run`] is for most commands, [`Work::once`] for those with an idempotency key, [`Work::together`] for small ones
//! that come often. [`Work::rehearsing`] runs the very same commands and takes everything back. To let something follow from
//! every event of a kind, write a [`Projection`] and name it in `features/mod.rs`. To let a unit carry one more kind of
//! thing: a list in [`Unit`], and the statement that stores it in `commit`.

mod lane;
mod once;
mod unit;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

pub use lane::{Asked, Lane};
pub use once::{Effect, Once, forget_keys};
pub use unit::{AuditRow, Unit};

use super::bus::{Bus, Note};
use super::db::{Db, Kind};
use super::host;
use super::streams::{Draft, Growth, Hub, Stated, append};
use crate::kernel::{Caller, Clock, Code, Error, Ids, Result};

/// How often a transaction is tried before the client is asked to.
const ATTEMPTS: u32 = 6;

/// How long a transaction may be open. What is older is complete: the days of the ledger are sealed on that.
pub const TRANSACTION_MAX: Duration = Duration::from_secs(30);

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
    hub: Hub,
    projections: &'static [Projection],
    running: TaskTracker,
    longest: Duration,
    in_flight: once::InFlight,
    lanes: lane::Lanes,
    rehearsal: Option<Look>,
    /// Rung when a commit brought tasks.
    pub tasks_arrived: Arc<Notify>,
}

impl Work {
    /// Work on the hub's database, telling this bus.
    pub fn new(hub: Hub, bus: Arc<dyn Bus>, clock: Clock, ids: Ids, projections: &'static [Projection]) -> Self {
        let db = hub.reader().db().clone();
        let (running, longest, in_flight) = (TaskTracker::new(), TRANSACTION_MAX, Default::default());
        let (lanes, rehearsal, tasks_arrived) = (Default::default(), None, Arc::default());
        Work { db, bus, hub, clock, ids, projections, running, longest, in_flight, lanes, rehearsal, tasks_arrived }
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
        let work = async {
            let value = command(&mut unit, input).await?;
            let grown = self.write(&mut unit).await?;
            if let Some(look) = &self.rehearsal {
                look(&mut unit).await?;
            }
            Ok((value, grown))
        };
        let outcome = tokio::time::timeout(self.longest, work).await;
        // Dropped in the middle of a statement, the transaction rolls back by itself.
        let Ok(outcome) = outcome else { return Err(too_long()) };
        match outcome {
            Ok((value, grown)) if self.rehearsal.is_none() => {
                self.commit(unit, grown).await?;
                Ok(value)
            }
            outcome => {
                // An explicit rollback frees the connection at once; a failure of it changes nothing.
                if let Err(cause) = unit.tx.rollback().await {
                    tracing::debug!(%cause, "rollback failed");
                }
                outcome.map(|(value, _)| value)
            }
        }
    }

    /// Everything that commits with the change: what follows from its events, and the rows that were left for the end.
    async fn write(&self, unit: &mut Unit) -> Result<Vec<Growth>> {
        let mut projected = 0;
        // A projection may state facts of its own, which are projected as well.
        while let Some(Stated { author, draft }) = unit.stated.get(projected).cloned() {
            let own = unit.speak_as(author);
            for projection in self.projections {
                projection(unit, &draft).await?;
            }
            unit.speak_as(own);
            projected += 1;
        }
        let mut last = unit.last();
        last.extend(super::queue::enqueue(&unit.ids, unit.now, &unit.tasks));
        let streams_max = unit.streams_max();
        append(&mut unit.tx, &unit.ids, unit.now, &unit.stated, streams_max, last).await
    }

    async fn commit(&self, unit: Unit, grown: Vec<Growth>) -> Result<()> {
        unit.tx.commit().await.map_err(|error| match error.kind {
            // Whether the commit happened is unknown when the connection broke: repeating it could do it twice.
            Kind::Away | Kind::Silent => {
                Error::new(Code::Unavailable, "The database went away; look before you send it again.")
            }
            _ => error.into(),
        })?;
        if !unit.tasks.is_empty() {
            self.tasks_arrived.notify_one();
        }
        if !grown.is_empty() {
            let heads = grown.iter().map(|growth| (growth.stream.shared(), growth.head())).collect();
            self.hub.hand_over(grown);
            self.bus.publish(Note::Heads(heads));
        }
        for note in unit.notes {
            self.bus.publish(note);
        }
        Ok(())
    }
}

fn too_long() -> Error {
    Error::new(Code::Timeout, "This took longer than a transaction may and was undone; send the request again.")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::super::bus::MemoryBus;
    use super::super::db::q;
    use super::super::streams::Reader;
    use super::*;

    #[tokio::test]
    async fn a_transaction_that_takes_too_long_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("a.db").display()), 1).await.unwrap();
        db.migrate().await.unwrap();
        let clock = Clock::manual(Arc::new(AtomicI64::new(1)));
        let ids = Ids::new(clock.clone(), host::entropy());
        let hub = Hub::new(Reader::new(db.clone(), uuid::Uuid::nil()));
        let mut work = Work::new(hub, Arc::new(MemoryBus::new()), clock, ids, &[]);
        work.longest = Duration::from_millis(50);
        let pause = Arc::new(AtomicI64::new(60_000));
        for (ms, outcome) in [(60_000, Err(Code::Timeout)), (0, Ok(()))] {
            pause.store(ms, Ordering::SeqCst);
            let caller = Caller::system("test");
            let done = work.run(&caller, pause.clone(), |unit, pause| {
                Box::pin(async move {
                    q("insert into meta (name, value) values ('slow', 'yes')").execute(&mut unit.tx).await?;
                    tokio::time::sleep(Duration::from_millis(pause.load(Ordering::SeqCst).unsigned_abs())).await;
                    Ok(())
                })
            });
            assert_eq!(done.await.map_err(|error| error.code), outcome);
            let kept: i64 = q("select count(*) as n from meta where name = 'slow'").one(&db).await.unwrap();
            assert_eq!(kept, i64::from(outcome.is_ok()));
        }
    }
}
