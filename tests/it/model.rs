//! Random lives of three users against a model in memory: every answer is the one that the model foresees, and every
//! balance is the model's after each step.
//!
//! `GIGWIRE_MODEL_CASES` sets how many lives are tried.

mod world;

use std::env;

use gigwire::features::bookings::commands as bookings;
use gigwire::features::jobs::{NewJob, commands as jobs};
use gigwire::features::offers::{NewOffer, commands as offers};
use gigwire::features::wallet::commands::{self as wallet, Deposit};
use gigwire::features::wallet::queries::balances_of;
use gigwire::kernel::id::{BookingId, JobId, OfferId, TypedId, UserId};
use gigwire::kernel::{Caller, Code, Currency, Error, Money, Role, Roles, Viewer};
use gigwire::platform::db::q;
use gigwire::platform::work::{Effect, Once};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use self::world::{Step, World, step};
use crate::support::books::{assert_books, assert_streams};
use crate::support::inprocess::InProcess;
use crate::support::market::key;

/// How many lives are tried when nobody says otherwise.
const CASES: u32 = 60;
/// Every end that a booking and an offer can come to here.
const ENDS: &str = "select count(distinct status) as n from (select 'booking ' || status as status from bookings
    where status in ('COMPLETED', 'CANCELLED') union select 'offer ' || status from offers) as ends";

#[test]
fn answers_and_balances_are_those_of_the_model() {
    // The usual lives are always the same ones; whoever asks for a number of them gets new ones.
    let asked = env::var("GIGWIRE_MODEL_CASES").ok().map(|cases| cases.parse().unwrap());
    let cases = asked.unwrap_or(CASES);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(InProcess::sqlite());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let life = vec((step(), any::<bool>()), 10..60);
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    runner.run(&life, |steps| runtime.block_on(Life::begin(&server)).run(&runtime, &steps)).unwrap();
    let ends: i64 = runtime.block_on(q(ENDS).one(&server.platform().db)).unwrap();
    assert_eq!(ends, 6, "some life comes to each end");
}

/// The three users of one case and what they made, in the order of the model's numbers.
struct Life<'a> {
    server: &'a InProcess,
    world: World,
    users: Vec<(UserId, Caller)>,
    jobs: Vec<JobId>,
    offers: Vec<OfferId>,
    bookings: Vec<BookingId>,
}

impl<'a> Life<'a> {
    async fn begin(server: &'a InProcess) -> Self {
        let roles = Roles::of(&[Role::Customer, Role::Contractor]);
        let mut users = Vec::new();
        for _ in 0..3 {
            let id = insert_user(server, roles).await;
            let session = server.platform().ids.new_id();
            let viewer = Viewer { user: id, session, roles };
            users.push((id, Caller { viewer: Some(viewer), ..Caller::system("model") }));
        }
        Life { server, world: World::default(), users, jobs: Vec::new(), offers: Vec::new(), bookings: Vec::new() }
    }

    fn run(mut self, runtime: &tokio::runtime::Runtime, steps: &[(Step, bool)]) -> Result<(), TestCaseError> {
        for (step, again) in steps {
            // What names something that does not exist yet is left out.
            let Some(step) = self.world.resolve(step) else { continue };
            let used = key();
            let foreseen = self.world.foresee(&step);
            let answer = runtime.block_on(self.take(&step, &used)).map_err(|error| error.code);
            prop_assert_eq!(&answer.map(|_| ()), &foreseen, "{:?}", step);
            if *again && answer == Ok(Some(false)) {
                let repeated = runtime.block_on(self.take(&step, &used)).map_err(|error| error.code);
                prop_assert_eq!(repeated, Ok(Some(true)), "{:?} once more", step);
            }
            if foreseen.is_ok() {
                self.world.apply(&step);
            }
            prop_assert_eq!(runtime.block_on(self.balances()), self.world.balances(), "after {:?}", step);
        }
        runtime.block_on(async {
            assert_books(self.server.platform()).await;
            assert_streams(self.server.platform()).await;
        });
        Ok(())
    }

    /// Takes a step in earnest, and says for one with a key whether it was a repetition.
    async fn take(&mut self, step: &Step, used: &str) -> Result<Option<bool>, Error> {
        let on = self.server.platform();
        let once = |operation| Once::new(operation, used).unwrap();
        let caller = |user: usize| &self.users[user].1;
        Ok(match *step {
            Step::Deposit { by, amount } => {
                let input = Deposit { amount: money(amount), key: once("depositCreate") };
                Some(wallet::deposit(on, caller(by), input).await?.replayed)
            }
            Step::Post { by } => {
                let job = jobs::post(on, caller(by), None, NewJob::new("Work", "Much", money(100))?).await?.value;
                self.jobs.push(job);
                None
            }
            Step::Send { by, job, to, amount } => {
                let to = to.map(|to| self.users[to].0);
                let input = NewOffer::new(self.jobs[job], to, money(amount), "")?;
                let sent = offers::send(on, caller(by), once("offerSend"), input).await?;
                Some(noted(sent, &mut self.offers))
            }
            Step::Accept { by, offer } => {
                let made = bookings::accept(on, caller(by), once("offerAccept"), self.offers[offer]).await?;
                let booking = Effect { value: made.value.booking, replayed: made.replayed };
                Some(noted(booking, &mut self.bookings))
            }
            Step::Decline { by, offer } => {
                offers::decline(on, caller(by), None, self.offers[offer]).await.map(|_| None)?
            }
            Step::Withdraw { by, offer } => {
                offers::withdraw(on, caller(by), None, self.offers[offer]).await.map(|_| None)?
            }
            Step::Start { by, booking } => {
                bookings::start(on, caller(by), self.bookings[booking]).await.map(|_| None)?
            }
            Step::Deliver { by, booking } => {
                bookings::deliver(on, caller(by), self.bookings[booking]).await.map(|_| None)?
            }
            Step::Complete { by, booking } => {
                let id = self.bookings[booking];
                Some(bookings::complete(on, caller(by), once("bookingComplete"), id).await?.replayed)
            }
            Step::Cancel { by, booking } => {
                let input = bookings::Cancel::new(self.bookings[booking], "No time")?;
                Some(bookings::cancel(on, caller(by), once("bookingCancel"), input).await?.replayed)
            }
        })
    }

    /// Available, held and escrow of each user.
    async fn balances(&self) -> Vec<[i64; 3]> {
        let wanted: Vec<_> = self.users.iter().map(|(id, _)| (*id, usd())).collect();
        let found = balances_of(self.server.platform(), &wanted).await.unwrap();
        found.iter().map(|is| [is.available.minor, is.held.minor, is.escrow.minor]).collect()
    }
}

/// Remembers what was made, unless it was made before.
fn noted<T: Copy + PartialEq>(made: Effect<T>, known: &mut Vec<T>) -> bool {
    if made.replayed {
        assert!(known.last() == Some(&made.value), "a repetition gives the first effect");
    } else {
        known.push(made.value);
    }
    made.replayed
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

fn money(minor: i64) -> Money {
    Money::new(minor, usd())
}

/// A user without the work of hashing a password.
async fn insert_user(server: &InProcess, roles: Roles) -> UserId {
    let caller = Caller::system("model");
    let insert = server.platform().work.run(&caller, roles, |unit, roles| {
        Box::pin(async move {
            let id: UserId = unit.ids.new_id();
            q("insert into users (id, email, password_hash, display_name, roles, created_at, updated_at, version)
                values ($1, $2, '', 'Somebody', $3, $4, $4, 1)")
            .bind(id)
            .bind(id.uuid().to_string())
            .bind(roles.0)
            .bind(unit.now)
            .execute(&mut unit.tx)
            .await?;
            Ok(id)
        })
    });
    insert.await.unwrap()
}

/// What the model says about a step: done, or refused with this code.
type Foreseen = Result<(), Code>;
