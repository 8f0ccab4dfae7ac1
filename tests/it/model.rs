//! Random lives of three users against a model in memory: every answer is the one that the model foresees, every balance
//! is the model's after each step, and in the end the books are proved.
//!
//! The usual lives are always the same ones: 2,000 on SQLite and 300 on PostgreSQL, in parts that run side by side.
//! `scripts/model` tries others, as many as one likes.

mod world;

use std::collections::BTreeSet;
use std::env;

use gigwire::features::bookings::commands as bookings;
use gigwire::features::changes::{Propose, commands as changes};
use gigwire::features::jobs::{NewJob, commands as jobs};
use gigwire::features::offers::{NewOffer, commands as offers};
use gigwire::features::proof;
use gigwire::features::wallet::commands::{self as wallet, Deposit};
use gigwire::features::wallet::history;
use gigwire::features::wallet::queries::balances_of;
use gigwire::kernel::id::{BookingId, ChangeId, JobId, OfferId, TypedId, UserId};
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

/// Lives on one database, so that looking through all of it stays cheap.
const ROUND: u32 = 25;
/// Every end that a booking, an offer and a change can come to here.
const ENDS: &str = "select 'booking ' || status as value from bookings where status in ('COMPLETED', 'CANCELLED')
    union select 'offer ' || status from offers union select 'change ' || status from booking_changes";

/// Where lives are lived.
struct Place {
    /// How many lives, when nobody says otherwise.
    lives: u32,
    /// In how many parts.
    parts: u8,
    /// Where somebody says otherwise.
    variable: &'static str,
}

const SQLITE: Place = Place { lives: 2_000, parts: 4, variable: "GIGWIRE_MODEL_CASES" };
const POSTGRES: Place = Place { lives: 300, parts: 2, variable: "GIGWIRE_MODEL_POSTGRES_CASES" };

/// One test for each part of the lives.
macro_rules! parts {
    ($($engine:ident in $place:ident { $($name:ident = $part:literal,)* })*) => {$(
        mod $engine {
            $(
                #[test]
                fn $name() {
                    super::live(&super::$place, $part, async || super::InProcess::$engine().await);
                }
            )*
        }
    )*};
}
parts! {
    sqlite in SQLITE { first = 0, second = 1, third = 2, fourth = 3, }
    postgres in POSTGRES { first = 0, second = 1, }
}

fn live(place: &Place, part: u8, open: impl AsyncFn() -> InProcess) {
    let asked: Option<u32> = env::var(place.variable).ok().map(|lives| lives.parse().unwrap());
    let lives = asked.unwrap_or(place.lives).div_ceil(u32::from(place.parts));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let life = vec((step(), any::<bool>()), 10..60);
    let mut ends = BTreeSet::new();
    for round in 0..lives.div_ceil(ROUND) {
        let server = runtime.block_on(open());
        let cases = ROUND.min(lives - round * ROUND);
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
        let mut runner = match asked {
            Some(_) => TestRunner::new(config),
            None => TestRunner::new_with_rng(config, usual(part, round)),
        };
        runner.run(&life, |steps| runtime.block_on(Life::begin(&server)).run(&runtime, &steps)).unwrap();
        runtime.block_on(async {
            ends.extend(q(ENDS).all::<String>(&server.platform().db).await.unwrap());
            let proof = proof::queries::patient(server.platform()).await.unwrap();
            assert!(proof.is_proved(), "{proof:?}");
            server.platform().close().await;
        });
    }
    assert!(lives < 400 || ends.len() == 12, "some life comes to each end: {ends:?}");
}

/// The same lives in each run, others in each part and round.
fn usual(part: u8, round: u32) -> TestRng {
    let mut seed = [part; 32];
    seed[..4].copy_from_slice(&round.to_be_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &seed)
}

/// The three users of one case and what they made, in the order of the model's numbers.
struct Life<'a> {
    server: &'a InProcess,
    world: World,
    users: Vec<(UserId, Caller)>,
    jobs: Vec<JobId>,
    offers: Vec<OfferId>,
    bookings: Vec<BookingId>,
    changes: Vec<ChangeId>,
}

impl<'a> Life<'a> {
    async fn begin(server: &'a InProcess) -> Self {
        let roles = Roles::of(&[Role::Customer, Role::Contractor]);
        let mut users = Vec::new();
        for _ in 0..3 {
            let id = insert_user(server, roles).await;
            let session = server.platform().ids.new_id();
            let viewer = Viewer { user: id, session, roles, disconnections: 0 };
            users.push((id, Caller { viewer: Some(viewer), ..Caller::system("model") }));
        }
        let (jobs, offers, bookings, changes) = Default::default();
        Life { server, world: World::default(), users, jobs, offers, bookings, changes }
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
            self.assert_explained().await;
        });
        Ok(())
    }

    /// Every figure is the sum of its causes, and the past up to now is the present.
    async fn assert_explained(&self) {
        let on = self.server.platform();
        for ((user, _), figures) in self.users.iter().zip(self.world.balances()) {
            let why = history::explain(on, *user, usd()).await.unwrap();
            let moved: i64 = why.movements.iter().map(|row| row.amount.minor).sum();
            let sum = |rows: &[history::Reserve]| rows.iter().map(|row| row.amount.minor).sum::<i64>();
            let (held, escrow) = (sum(&why.holds), sum(&why.escrows));
            assert_eq!([moved - held, held, escrow], figures, "{why:?}");
            let now = history::balance_at(on, *user, usd(), on.clock.now()).await.unwrap();
            assert_eq!(now, why.balance);
        }
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
                bookings::start(on, caller(by), bookings::Move::new(self.bookings[booking], None)?)
                    .await
                    .map(|_| None)?
            }
            Step::Deliver { by, booking } => {
                bookings::deliver(on, caller(by), bookings::Move::new(self.bookings[booking], None)?)
                    .await
                    .map(|_| None)?
            }
            Step::Complete { by, booking } => {
                let id = self.bookings[booking];
                Some(
                    bookings::complete(on, caller(by), once("bookingComplete"), bookings::Move::new(id, None)?)
                        .await?
                        .replayed,
                )
            }
            Step::Cancel { by, booking } => {
                let input = bookings::Cancel::new(self.bookings[booking], "No time")?;
                Some(bookings::cancel(on, caller(by), once("bookingCancel"), input).await?.replayed)
            }
            Step::Propose { by, booking, amount } => {
                let input = Propose::new(self.bookings[booking], Some(money(amount)), None, "")?;
                let made = changes::propose(on, caller(by), once("bookingChangePropose"), input).await?;
                Some(noted(made, &mut self.changes))
            }
            Step::Agree { by, change } => {
                let change = self.changes[change];
                Some(changes::accept(on, caller(by), once("bookingChangeAccept"), change).await?.replayed)
            }
            Step::Refuse { by, change } => {
                let input = changes::Decline::new(self.changes[change], None)?;
                changes::decline(on, caller(by), None, input).await.map(|_| None)?
            }
            Step::Retract { by, change } => {
                changes::withdraw(on, caller(by), None, self.changes[change]).await.map(|_| None)?
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
