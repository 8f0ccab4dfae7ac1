//! Lanes: small commands that come often are written together.
//!
//! Whoever asks puts its command into the lane of its kind and waits. What has gathered there becomes one unit of work: many
//! share its statements and its commit, and each is answered behind that. Nobody waits for a timer: what arrives while
//! one unit is under way makes up the next one, so that a lone command goes at once. If a command brings the whole unit
//! down, each of them is tried alone.
//!
//! To give a kind of command a lane: implement [`Lane`] for its input, and call [`Work::together`].

use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::{Unit, Work};
use crate::kernel::{Caller, Code, Error, Result};

/// Commands in one unit of work.
const AT_ONCE: usize = 64;
/// Commands that may wait in a lane. At the pace of a slow disk that is a few seconds.
const WAITING_MAX: usize = 4_096;

/// A command, and who gave it.
pub struct Asked<L> {
    /// Who.
    pub caller: Caller,
    /// What.
    pub input: L,
}

/// The input of commands that are written together.
pub trait Lane: Send + Sync + Sized + 'static {
    /// What each of them comes to.
    type Output: Send + 'static;

    /// Writes them in this order, and gives an outcome for each. What is refused changes nothing. An error of the whole
    /// undoes all of them.
    fn write<'t>(unit: &'t mut Unit, asked: &'t [Asked<Self>]) -> BoxFuture<'t, Result<Vec<Result<Self::Output>>>>;
}

/// All lanes, by what is asked in them.
#[derive(Clone, Default)]
pub(super) struct Lanes(Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Lanes {
    fn of<L: Lane>(&self) -> Result<Arc<Queue<L>>> {
        let mut all = lock(&self.0);
        let lane = all.entry(TypeId::of::<L>()).or_insert_with(|| Arc::new(Queue::<L>::default()));
        lane.clone().downcast().map_err(|_| Error::internal("a lane of another kind"))
    }
}

/// The outcome of one command, on its way.
type Answer<L> = oneshot::Sender<Result<<L as Lane>::Output>>;

/// What waits in one lane.
struct Queue<L: Lane>(Mutex<State<L>>);

struct State<L: Lane> {
    waiting: VecDeque<(Asked<L>, Answer<L>)>,
    is_served: bool,
}

impl<L: Lane> Default for Queue<L> {
    fn default() -> Self {
        Queue(Mutex::new(State { waiting: VecDeque::new(), is_served: false }))
    }
}

impl<L: Lane> Queue<L> {
    /// Adds a command, and says whether somebody must begin to serve the lane.
    fn push(&self, asked: Asked<L>, answer: Answer<L>) -> Result<bool> {
        let mut state = lock(&self.0);
        if state.waiting.len() >= WAITING_MAX {
            return Err(Error::new(Code::Unavailable, "More is being written than can be; send it again in a moment."));
        }
        state.waiting.push_back((asked, answer));
        Ok(!std::mem::replace(&mut state.is_served, true))
    }

    /// The next ones; when there are none, the lane is not served any more.
    fn take(&self) -> (Vec<Asked<L>>, Vec<Answer<L>>) {
        let mut state = lock(&self.0);
        let count = state.waiting.len().min(AT_ONCE);
        state.is_served = count > 0;
        state.waiting.drain(..count).unzip()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here panics while it holds a lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work {
    /// Runs a command to its commit together with others of its kind, whatever becomes of the caller.
    pub async fn together<L: Lane>(&self, caller: &Caller, input: L) -> Result<L::Output> {
        let lane = self.lanes.of::<L>()?;
        let (answer, answered) = oneshot::channel();
        if lane.push(Asked { caller: caller.clone(), input }, answer)? {
            let work = self.clone();
            self.running.spawn(async move { work.serve(&lane).await });
        }
        answered.await.map_err(Error::internal)?
    }

    /// Serves a lane until it is empty.
    async fn serve<L: Lane>(&self, lane: &Queue<L>) {
        loop {
            let (asked, answers) = lane.take();
            if asked.is_empty() {
                return;
            }
            let work = self.clone();
            // In a task of its own, so that a panic fails these and not the lane.
            let Ok(outcomes) = tokio::spawn(async move { work.write_all(asked).await }).await else { continue };
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Whoever asked may be gone.
                drop(answer.send(outcome));
            }
        }
    }

    async fn write_all<L: Lane>(&self, asked: Vec<Asked<L>>) -> Vec<Result<L::Output>> {
        let nobody = Caller::system("lane");
        let crowd = Crowd(asked);
        let outcome = self.attempts(&nobody, &crowd, &write::<L>).await;
        let Crowd(asked) = crowd;
        match outcome {
            Ok(outcomes) => outcomes,
            // It may be that all of it was done, or that nothing can be done now: no reason to try them one by one.
            Err(error) if asked.len() == 1 || is_passing(error.code) => {
                asked.iter().map(|_| Err(error.clone())).collect()
            }
            Err(error) => {
                tracing::warn!(%error, count = asked.len(), "commands failed together; each is tried alone");
                let mut outcomes = Vec::with_capacity(asked.len());
                for one in asked {
                    outcomes.extend(Box::pin(self.write_all(vec![one])).await);
                }
                outcomes
            }
        }
    }
}

/// Commands on their way through a unit of work.
struct Crowd<L>(Vec<Asked<L>>);

fn write<'t, L: Lane>(unit: &'t mut Unit, Crowd(asked): &'t Crowd<L>) -> BoxFuture<'t, Result<Vec<Result<L::Output>>>> {
    L::write(unit, asked)
}

const fn is_passing(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::Timeout | Code::Contended)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::join_all;

    use super::super::super::bus::MemoryBus;
    use super::super::super::db::{Db, q};
    use super::super::super::host;
    use super::super::super::streams::{Hub, Reader};
    use super::*;
    use crate::kernel::{Clock, Ids};

    /// Adds a name; a bad one fails the whole unit, and an odd one panics.
    struct Name(&'static str);

    impl Lane for Name {
        type Output = usize;

        fn write<'t>(unit: &'t mut Unit, asked: &'t [Asked<Self>]) -> BoxFuture<'t, Result<Vec<Result<usize>>>> {
            Box::pin(async move {
                for Asked { input, .. } in asked {
                    assert_ne!(input.0, "odd");
                    if input.0 == "bad" {
                        return Err(Error::internal("a bad one"));
                    }
                    q("insert into meta (name, value) values ($1, 'x')").bind(input.0).execute(&mut unit.tx).await?;
                }
                Ok(asked.iter().map(|_| Ok(asked.len())).collect())
            })
        }
    }

    async fn work() -> (tempfile::TempDir, Work) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("a.db").display()), 1).await.unwrap();
        db.migrate().await.unwrap();
        let clock = Clock::manual(Arc::default());
        let ids = Ids::new(clock.clone(), host::entropy());
        let hub = Hub::new(Reader::new(db, uuid::Uuid::nil()));
        (folder, Work::new(hub, Arc::new(MemoryBus::new()), clock, ids, &[]))
    }

    #[tokio::test]
    async fn what_gathers_is_written_together_and_one_that_fails_fails_alone() {
        let (_folder, work) = work().await;
        let caller = Caller::system("test");
        let ask = |name| work.together(&caller, Name(name));
        assert_eq!(ask("first").await.unwrap(), 1, "nobody waits for others");
        let outcomes = join_all(["a", "b", "bad", "c"].map(ask)).await;
        assert!(outcomes[2].is_err());
        assert!([0, 1, 3].iter().all(|n| outcomes[*n].is_ok()), "{outcomes:?}");
        let kept: i64 = q("select count(*) as n from meta where value = 'x'").one(&work.db).await.unwrap();
        assert_eq!(kept, 4);
        let outcomes = join_all(["d", "e", "f"].map(ask)).await;
        assert_eq!(outcomes.into_iter().map(Result::unwrap).max(), Some(3));
    }

    #[tokio::test]
    async fn a_panic_does_not_end_the_lane() {
        let (_folder, work) = work().await;
        let caller = Caller::system("test");
        assert!(work.together(&caller, Name("odd")).await.is_err());
        assert_eq!(work.together(&caller, Name("fine")).await.unwrap(), 1);
    }
}
