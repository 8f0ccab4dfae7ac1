//! Where many act at once: on one SQLite, and over two instances on PostgreSQL.
//!
//! A case is a function of `&Arena` in `raced!`. What it repeats it repeats through [`Arena::each`] or, where the time
//! must move on for all of them, in [`Arena::waves`].

use std::ops::Range;
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::Barrier;

use super::app::{TestApp, TestUser};
use super::market::Done;

/// How often each race is run over two instances, unless `GIGWIRE_RACE_ROUNDS` says otherwise.
const ROUNDS: usize = 200;
/// SQLite has one writer, so there is less to find: one of so many rounds is run there.
const EMBEDDED_SHARE: usize = 4;
/// See [`Arena::fewer`].
const FEWER: usize = 4;
/// Rounds that run at once, about different jobs: while one waits for the database, another goes on.
const LANES: usize = 4;
/// Rounds that wait for the clock together. All of them meet at the same purse.
const WAVE: usize = 50;

/// One database with its instances, and how often to race on it.
pub struct Arena {
    /// The servers.
    pub app: TestApp,
    /// How many of them there are.
    pub instances: usize,
    /// How often a race is run.
    pub rounds: usize,
}

/// What somebody does in a race.
pub type Move<'a> = (&'a TestUser, &'static str, Value);

/// What became of a mutation in a race.
pub type Turn = (&'static str, Done);

impl Arena {
    /// One instance on SQLite.
    pub async fn sqlite() -> Self {
        Arena { app: TestApp::sqlite().await, instances: 1, rounds: rounds().div_ceil(EMBEDDED_SHARE) }
    }

    /// Two instances on PostgreSQL and Redis.
    pub async fn scaled() -> Self {
        Arena { app: TestApp::scaled(2).await, instances: 2, rounds: rounds() }
    }

    /// A customer with so much money, and two contractors.
    pub async fn people(&self, money: &str) -> (TestUser, TestUser, TestUser) {
        let ada = self.app.sign_up(&["CUSTOMER"]).await;
        self.app.deposit(&ada, money).await;
        (ada, self.app.sign_up(&["CONTRACTOR"]).await, self.app.sign_up(&["CONTRACTOR"]).await)
    }

    /// How often to run a race whose end is also that of another one, or that costs more than it shows.
    pub fn fewer(&self) -> usize {
        self.rounds.div_ceil(FEWER)
    }

    /// Runs so many rounds, a few at a time; each gets its number.
    pub async fn each(&self, rounds: usize, round: impl AsyncFn(usize)) {
        let round = &round;
        stream::iter(0..rounds).for_each_concurrent(LANES, |number| round(number)).await;
    }

    /// So many rounds in portions.
    pub fn waves(&self, rounds: usize) -> impl Iterator<Item = Range<usize>> {
        (0..rounds).step_by(WAVE).map(move |from| from..rounds.min(from + WAVE))
    }

    /// Makes something for each round of a wave, in their order.
    pub async fn made<T>(&self, wave: Range<usize>, make: impl AsyncFn(usize) -> T) -> Vec<T> {
        let make = &make;
        stream::iter(wave).map(|number| make(number)).buffered(LANES).collect().await
    }

    /// Does all of it at the same moment, spread over the instances.
    pub async fn at_once(&self, moves: Vec<Move<'_>>) -> Vec<Done> {
        let barrier = Arc::new(Barrier::new(moves.len()));
        let run = moves.into_iter().enumerate().map(|(turn, (who, mutation, input))| {
            let (barrier, on) = (barrier.clone(), self.app.on(turn % self.instances));
            async move {
                barrier.wait().await;
                on.act(who, mutation, input).await
            }
        });
        join_all(run).await
    }

    /// Does all of it at the same moment, so that in each round another one is first, and gives those that were done and
    /// those that were refused, by their mutations. Each refusal is for one of these reasons.
    pub async fn race(&self, round: usize, mut moves: Vec<Move<'_>>, codes: &[&str]) -> (Vec<Turn>, Vec<Turn>) {
        let turns = moves.len();
        moves.rotate_left(round % turns);
        let names: Vec<_> = moves.iter().map(|(_, name, _)| *name).collect();
        let done = self.at_once(moves).await;
        winners(&done, codes);
        names.into_iter().zip(done).partition(|(_, done)| done.refusal().is_none())
    }
}

fn rounds() -> usize {
    std::env::var("GIGWIRE_RACE_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

/// Which of them was done; the others were refused, each for one of these reasons.
#[track_caller]
pub fn winners(done: &[Done], codes: &[&str]) -> Vec<usize> {
    for refusal in done.iter().filter_map(Done::refusal) {
        assert!(codes.contains(&refusal), "{done:#?}");
    }
    (0..done.len()).filter(|turn| done[*turn].refusal().is_none()).collect()
}

/// Runs each case on one SQLite and on two instances.
macro_rules! raced {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&$crate::support::arena::Arena::sqlite().await).await;
            })*
        }
        mod scaled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&$crate::support::arena::Arena::scaled().await).await;
            })*
        }
    };
}
pub(crate) use raced;
