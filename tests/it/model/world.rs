//! The model: three users, their money, jobs, offers, bookings and changes of these, in plain sums.

use gigwire::kernel::Code;
use proptest::prelude::*;

use super::Foreseen;

/// What somebody does. Objects are numbers: any in what is made up, those of the model once resolved.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Deposit { by: usize, amount: i64 },
    Post { by: usize },
    Send { by: usize, job: usize, to: Option<usize>, amount: i64 },
    Accept { by: usize, offer: usize },
    Decline { by: usize, offer: usize },
    Withdraw { by: usize, offer: usize },
    Start { by: usize, booking: usize },
    Deliver { by: usize, booking: usize },
    Complete { by: usize, booking: usize },
    Cancel { by: usize, booking: usize },
    Propose { by: usize, booking: usize, amount: i64 },
    Agree { by: usize, change: usize },
    Refuse { by: usize, change: usize },
    Retract { by: usize, change: usize },
}

/// Stands for the user whose turn it is, which is what most steps are made up with.
const RIGHT: usize = 3;

/// Any step; those that lead on are likelier.
pub fn step() -> impl Strategy<Value = Step> {
    let (someone, any) = (|| 0..3_usize, || 0..1_000_usize);
    let user = || prop_oneof![2 => someone(), 5 => Just(RIGHT)];
    prop_oneof![
        4 => (someone(), 1..10_000_i64).prop_map(|(by, amount)| Step::Deposit { by, amount }),
        4 => someone().prop_map(|by| Step::Post { by }),
        10 => (someone(), any(), proptest::option::of(someone()), 1..2_000_i64)
            .prop_map(|(by, job, to, amount)| Step::Send { by, job, to, amount }),
        10 => (user(), any()).prop_map(|(by, offer)| Step::Accept { by, offer }),
        1 => (user(), any()).prop_map(|(by, offer)| Step::Decline { by, offer }),
        1 => (user(), any()).prop_map(|(by, offer)| Step::Withdraw { by, offer }),
        5 => (user(), any()).prop_map(|(by, booking)| Step::Start { by, booking }),
        5 => (user(), any()).prop_map(|(by, booking)| Step::Deliver { by, booking }),
        5 => (user(), any()).prop_map(|(by, booking)| Step::Complete { by, booking }),
        2 => (user(), any()).prop_map(|(by, booking)| Step::Cancel { by, booking }),
        6 => (user(), any(), 1..2_000_i64).prop_map(|(by, booking, amount)| Step::Propose { by, booking, amount }),
        5 => (user(), any()).prop_map(|(by, change)| Step::Agree { by, change }),
        3 => (user(), any()).prop_map(|(by, change)| Step::Refuse { by, change }),
        3 => (user(), any()).prop_map(|(by, change)| Step::Retract { by, change }),
    ]
}

struct Job {
    customer: usize,
    is_open: bool,
}

#[derive(Clone, Copy)]
struct Offer {
    job: usize,
    customer: usize,
    contractor: usize,
    by_customer: bool,
    amount: i64,
    is_pending: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Confirmed,
    InProgress,
    Delivered,
    Ended,
}

struct Booking {
    offer: usize,
    state: State,
    /// What is agreed now.
    price: i64,
}

#[derive(Clone, Copy)]
struct Change {
    booking: usize,
    by_customer: bool,
    price: i64,
    is_pending: bool,
}

/// Everything that there is.
#[derive(Default)]
pub struct World {
    /// Available, held and escrow of each user, in cents.
    money: [[i64; 3]; 3],
    jobs: Vec<Job>,
    offers: Vec<Offer>,
    bookings: Vec<Booking>,
    changes: Vec<Change>,
}

/// A share in basis points, rounded half up.
fn share(amount: i64, bps: i64) -> i64 {
    (amount * bps + 5_000) / 10_000
}

/// A price and its fee.
fn with_fee(price: i64) -> i64 {
    price + share(price, 500)
}

fn total(offer: &Offer) -> i64 {
    with_fee(offer.amount)
}

impl World {
    /// Points a step at objects that there are, the youngest likelier; none when there is no such object yet.
    pub fn resolve(&self, step: &Step) -> Option<Step> {
        let pick = |any: usize, count: usize| (count > 0).then(|| count - 1 - (any % count.min(4)));
        let (offers, bookings, changes) = (self.offers.len(), self.bookings.len(), self.changes.len());
        Some(match *step {
            Step::Deposit { .. } | Step::Post { .. } => *step,
            Step::Send { by, job, to, amount } => Step::Send { by, job: pick(job, self.jobs.len())?, to, amount },
            Step::Accept { by, offer } => {
                let offer = pick(offer, offers)?;
                Step::Accept { by: self.side(by, offer, false), offer }
            }
            Step::Decline { by, offer } => {
                let offer = pick(offer, offers)?;
                Step::Decline { by: self.side(by, offer, false), offer }
            }
            Step::Withdraw { by, offer } => {
                let offer = pick(offer, offers)?;
                Step::Withdraw { by: self.side(by, offer, true), offer }
            }
            Step::Start { by, booking } => {
                let booking = pick(booking, bookings)?;
                Step::Start { by: self.party(by, booking, false), booking }
            }
            Step::Deliver { by, booking } => {
                let booking = pick(booking, bookings)?;
                Step::Deliver { by: self.party(by, booking, false), booking }
            }
            Step::Complete { by, booking } => {
                let booking = pick(booking, bookings)?;
                Step::Complete { by: self.party(by, booking, true), booking }
            }
            Step::Cancel { by, booking } => {
                let picked = pick(booking, bookings)?;
                Step::Cancel { by: self.party(by, picked, booking % 2 == 0), booking: picked }
            }
            Step::Propose { by, booking, amount } => {
                let picked = pick(booking, bookings)?;
                Step::Propose { by: self.party(by, picked, booking % 2 == 0), booking: picked, amount }
            }
            Step::Agree { by, change } => {
                let change = pick(change, changes)?;
                Step::Agree { by: self.hand(by, change, false), change }
            }
            Step::Refuse { by, change } => {
                let change = pick(change, changes)?;
                Step::Refuse { by: self.hand(by, change, false), change }
            }
            Step::Retract { by, change } => {
                let change = pick(change, changes)?;
                Step::Retract { by: self.hand(by, change, true), change }
            }
        })
    }

    /// Who acts on an offer: its maker or the other side, when it is their turn.
    fn side(&self, by: usize, offer: usize, as_maker: bool) -> usize {
        let offer = &self.offers[offer];
        let right = if offer.by_customer == as_maker { offer.customer } else { offer.contractor };
        if by == RIGHT { right } else { by }
    }

    /// Who acts on a booking: the customer or the contractor, when it is their turn.
    fn party(&self, by: usize, booking: usize, as_customer: bool) -> usize {
        let offer = &self.offers[self.bookings[booking].offer];
        let right = if as_customer { offer.customer } else { offer.contractor };
        if by == RIGHT { right } else { by }
    }

    /// Who acts on a change: its maker or the other party, when it is their turn.
    fn hand(&self, by: usize, change: usize, as_maker: bool) -> usize {
        let change = &self.changes[change];
        self.party(by, change.booking, change.by_customer == as_maker)
    }

    /// What the answer to a step has to be.
    pub fn foresee(&self, step: &Step) -> Foreseen {
        match *step {
            Step::Deposit { .. } | Step::Post { .. } => Ok(()),
            Step::Send { by, job, to, amount } => self.foresee_send(by, job, to, amount),
            Step::Accept { by, offer } => {
                self.may_answer(by, offer, false)?;
                let offer = self.offers[offer];
                let freed: i64 = self.rivals(offer.job).map(|at| self.held_by(at)).sum();
                let available = self.money[offer.customer][0];
                if available + freed >= total(&offer) { Ok(()) } else { Err(Code::InsufficientFunds) }
            }
            Step::Decline { by, offer } => self.may_answer(by, offer, false),
            Step::Withdraw { by, offer } => self.may_answer(by, offer, true),
            Step::Start { by, booking } => self.may_step(by, booking, false, State::Confirmed),
            Step::Deliver { by, booking } => self.may_step(by, booking, false, State::InProgress),
            Step::Complete { by, booking } => self.may_step(by, booking, true, State::Delivered),
            Step::Cancel { by, booking } => {
                let offer = self.offers[self.bookings[booking].offer];
                self.may_step(by, booking, by == offer.customer, State::Confirmed)
            }
            Step::Propose { by, booking, amount } => self.foresee_proposal(by, booking, amount),
            Step::Agree { by, change } => {
                self.may_settle(by, change, false)?;
                let Change { booking, price, .. } = self.changes[change];
                let more = with_fee(price) - with_fee(self.bookings[booking].price);
                let customer = self.offers[self.bookings[booking].offer].customer;
                if self.money[customer][0] >= more { Ok(()) } else { Err(Code::InsufficientFunds) }
            }
            Step::Refuse { by, change } => self.may_settle(by, change, false),
            Step::Retract { by, change } => self.may_settle(by, change, true),
        }
    }

    fn foresee_send(&self, by: usize, job: usize, to: Option<usize>, amount: i64) -> Foreseen {
        let customer = self.jobs[job].customer;
        if !self.jobs[job].is_open {
            return Err(Code::Conflict);
        }
        match to {
            None if by == customer => return Err(Code::OwnJob),
            Some(_) if by != customer => return Err(Code::Forbidden),
            Some(to) if to == by => return Err(Code::OwnJob),
            _ => {}
        }
        let new = Self::new_offer(by, job, customer, to, amount);
        let is_twin = |offer: &Offer| (offer.contractor, offer.by_customer) == (new.contractor, new.by_customer);
        if self.rivals(job).any(|at| is_twin(&self.offers[at])) {
            return Err(Code::OfferExists);
        }
        let is_covered = !new.by_customer || self.money[by][0] >= total(&new);
        if is_covered { Ok(()) } else { Err(Code::InsufficientFunds) }
    }

    fn foresee_proposal(&self, by: usize, booking: usize, amount: i64) -> Foreseen {
        let Booking { offer, state, price } = &self.bookings[booking];
        let offer = &self.offers[*offer];
        if by != offer.customer && by != offer.contractor {
            return Err(Code::NotFound);
        }
        match state {
            State::Confirmed | State::InProgress if amount == *price => Err(Code::NothingChanges),
            State::Confirmed | State::InProgress => Ok(()),
            _ => Err(Code::Conflict),
        }
    }

    fn may_settle(&self, by: usize, change: usize, as_maker: bool) -> Foreseen {
        let change = &self.changes[change];
        let offer = &self.offers[self.bookings[change.booking].offer];
        if by != offer.customer && by != offer.contractor {
            return Err(Code::NotFound);
        }
        if ((by == offer.customer) == change.by_customer) != as_maker {
            return Err(Code::Forbidden);
        }
        if change.is_pending { Ok(()) } else { Err(Code::Conflict) }
    }

    const fn new_offer(by: usize, job: usize, customer: usize, to: Option<usize>, amount: i64) -> Offer {
        let (contractor, by_customer) = match to {
            Some(to) => (to, true),
            None => (by, false),
        };
        Offer { job, customer, contractor, by_customer, amount, is_pending: true }
    }

    /// The pending offers of a job.
    fn rivals(&self, job: usize) -> impl Iterator<Item = usize> {
        (0..self.offers.len()).filter(move |at| self.offers[*at].job == job && self.offers[*at].is_pending)
    }

    fn held_by(&self, offer: usize) -> i64 {
        let offer = &self.offers[offer];
        if offer.by_customer && offer.is_pending { total(offer) } else { 0 }
    }

    fn may_answer(&self, by: usize, offer: usize, as_maker: bool) -> Foreseen {
        let offer = &self.offers[offer];
        let is_customer = by == offer.customer;
        if !is_customer && by != offer.contractor {
            return Err(Code::NotFound);
        }
        if (is_customer == offer.by_customer) != as_maker {
            return Err(Code::Forbidden);
        }
        if offer.is_pending { Ok(()) } else { Err(Code::Conflict) }
    }

    fn may_step(&self, by: usize, booking: usize, as_customer: bool, from: State) -> Foreseen {
        let offer = &self.offers[self.bookings[booking].offer];
        if by != offer.customer && by != offer.contractor {
            return Err(Code::NotFound);
        }
        if (by == offer.customer) != as_customer {
            return Err(Code::Forbidden);
        }
        if self.bookings[booking].state == from { Ok(()) } else { Err(Code::Conflict) }
    }

    /// Does what was foreseen to be done.
    pub fn apply(&mut self, step: &Step) {
        match *step {
            Step::Deposit { by, amount } => self.money[by][0] += amount,
            Step::Post { by } => self.jobs.push(Job { customer: by, is_open: true }),
            Step::Send { by, job, to, amount } => {
                self.offers.push(Self::new_offer(by, job, self.jobs[job].customer, to, amount));
                let held = self.held_by(self.offers.len() - 1);
                self.free(by, -held);
            }
            Step::Accept { offer, .. } => self.accept(offer),
            Step::Decline { offer, .. } | Step::Withdraw { offer, .. } => self.end(offer),
            Step::Start { booking, .. } => self.bookings[booking].state = State::InProgress,
            Step::Deliver { booking, .. } => {
                self.forget(booking);
                self.bookings[booking].state = State::Delivered;
            }
            Step::Complete { booking, .. } => {
                let (Offer { customer, contractor, .. }, price) = self.close(booking);
                self.money[customer][2] -= price;
                self.money[contractor][0] += price - share(price, 2_000);
            }
            Step::Cancel { by, booking } => {
                let (offer, price) = self.close(booking);
                self.money[offer.customer][2] -= price;
                let back = if by == offer.customer { price } else { with_fee(price) };
                self.money[offer.customer][0] += back;
            }
            Step::Propose { by, booking, amount } => {
                self.forget(booking);
                let by_customer = by == self.offers[self.bookings[booking].offer].customer;
                self.changes.push(Change { booking, by_customer, price: amount, is_pending: true });
            }
            Step::Agree { change, .. } => self.agree(change),
            Step::Refuse { change, .. } | Step::Retract { change, .. } => self.changes[change].is_pending = false,
        }
    }

    fn free(&mut self, user: usize, held: i64) {
        self.money[user][0] += held;
        self.money[user][1] -= held;
    }

    fn end(&mut self, offer: usize) {
        let held = self.held_by(offer);
        self.free(self.offers[offer].customer, held);
        self.offers[offer].is_pending = false;
    }

    fn accept(&mut self, winner: usize) {
        let offer = self.offers[winner];
        let rivals: Vec<_> = self.rivals(offer.job).collect();
        for rival in rivals {
            self.end(rival);
        }
        self.money[offer.customer][0] -= total(&offer);
        self.money[offer.customer][2] += offer.amount;
        self.jobs[offer.job].is_open = false;
        self.bookings.push(Booking { offer: winner, state: State::Confirmed, price: offer.amount });
    }

    fn agree(&mut self, change: usize) {
        self.changes[change].is_pending = false;
        let Change { booking, price, .. } = self.changes[change];
        let booking = &mut self.bookings[booking];
        let money = &mut self.money[self.offers[booking.offer].customer];
        money[0] -= with_fee(price) - with_fee(booking.price);
        money[2] += price - booking.price;
        booking.price = price;
    }

    /// What is pending of a booking ends.
    fn forget(&mut self, booking: usize) {
        self.changes.iter_mut().filter(|change| change.booking == booking).for_each(|change| change.is_pending = false);
    }

    fn close(&mut self, booking: usize) -> (Offer, i64) {
        self.forget(booking);
        self.bookings[booking].state = State::Ended;
        (self.offers[self.bookings[booking].offer], self.bookings[booking].price)
    }

    /// Available, held and escrow of each user.
    pub fn balances(&self) -> Vec<[i64; 3]> {
        self.money.to_vec()
    }
}
