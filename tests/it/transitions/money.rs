//! The table of who gets what, row by row: what it says is what people then have.

use std::collections::BTreeSet;

use gigwire::features::offers::settling::expire_job;
use gigwire::features::wallet::outcomes::{Fee, Freed, Outcome, Price, TABLE};
use gigwire::features::{bookings, changes, disputes, offers};
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use serde_json::json;

use crate::support::app::{PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, key, usd, uuid};
use crate::support::pictures::pdf;
use crate::uploads::upload;

on_both_engines! {
    each_row_pays_what_it_says,
}

/// The customer of all deals begins each with this: two deals with their fees.
const PURSE: i64 = 21_000;

/// What a row does: the customer's available, held and escrow money, the contractor's, and the platform's, in cents, for a
/// price of 100 dollars.
type After = [i64; 5];

/// A row, and how to get there: what is done before it, who takes it, and what everybody has then.
struct Case {
    row: (&'static str, &'static str, &'static str),
    by_customer: bool,
    before: &'static [&'static str],
    after: After,
}

const fn case(
    row: (&'static str, &'static str, &'static str),
    by_customer: bool,
    before: &'static [&'static str],
    after: After,
) -> Case {
    Case { row, by_customer, before, after }
}

const HELD: After = [PURSE - 10_500, 10_500, 0, 0, 0];
const FREE: After = [PURSE, 0, 0, 0, 0];
const FUNDED: After = [PURSE - 10_500, 0, 10_000, 0, 500];

const PAID: After = [PURSE - 10_500, 0, 0, 8_000, 2_500];
/// A price of 120 dollars instead, and one of 66.67.
const DEARER: After = [PURSE - 12_600, 0, 12_000, 0, 600];
const CHEAPER: After = [PURSE - 7_000, 0, 6_667, 0, 333];
/// A quarter of the price goes back to the customer.
const SPLIT: After = [PURSE - 8_000, 0, 0, 6_000, 2_000];
const DELIVERED: &[&str] = &["offerAccept", "bookingStart", "bookingDeliver"];
const PUT_OFF: &[&str] = &["offerAccept", "bookingStart", "bookingDeliver", "put off"];
const BEGUN: &[&str] = &["offerAccept", "bookingStart"];
const DEAR: &[&str] = &["offerAccept", "propose 120.00"];
const CHEAP: &[&str] = &["offerAccept", "bookingStart", "propose 66.67"];
const RENEWED: &[&str] = &["offerAccept", "propose 120.00", "bookingChangeAccept"];
const DISPUTED: &[&str] = &["offerAccept", "bookingStart", "disputeOpen"];

/// `by_customer` says who made the offer.
const CASES: [Case; 49] = [
    case(("offerSend", "", "customer"), true, &[], HELD),
    case(("offerSend", "", "contractor"), false, &[], FREE),
    case(("offerAccept", "PENDING", "receiver"), true, &[], FUNDED),
    case(("offerAccept", "PENDING", "receiver"), false, &[], FUNDED),
    case(("offerAccept", "PENDING", "rival"), true, &[], FUNDED),
    case(("offerDecline", "PENDING", "receiver"), true, &[], FREE),
    case(("offerDecline", "PENDING", "receiver"), false, &[], FREE),
    case(("offerCounter", "", "customer"), false, &[], HELD),
    case(("offerCounter", "", "contractor"), true, &[], FREE),
    case(("offerCounter", "PENDING", "receiver"), true, &[], FREE),
    case(("jobCancel", "PENDING", "customer"), true, &[], FREE),
    case(("offerWithdraw", "PENDING", "maker"), true, &[], FREE),
    case(("offerWithdraw", "PENDING", "maker"), false, &[], FREE),
    case(("bookingStart", "CONFIRMED", "contractor"), true, &["offerAccept"], FUNDED),
    case(("bookingDeliver", "IN_PROGRESS", "contractor"), true, &["offerAccept", "bookingStart"], FUNDED),
    case(("bookingComplete", "DELIVERED", "customer"), true, DELIVERED, PAID),
    case(("bookingCancel", "CONFIRMED", "customer"), true, &["offerAccept"], [PURSE - 500, 0, 0, 0, 500]),
    case(("bookingCancel", "CONFIRMED", "contractor"), true, &["offerAccept"], FREE),
    case(("bookingStart", "CONFIRMED", "staff"), true, &["offerAccept"], FUNDED),
    case(("bookingDeliver", "IN_PROGRESS", "staff"), true, &["offerAccept", "bookingStart"], FUNDED),
    case(("bookingComplete", "DELIVERED", "staff"), true, DELIVERED, PAID),
    case(("bookingCancel", "CONFIRMED IN_PROGRESS DELIVERED", "staff"), true, DELIVERED, FREE),
    case(("bookingChangePropose", "CONFIRMED IN_PROGRESS", "customer"), true, &["offerAccept"], FUNDED),
    case(("bookingChangePropose", "CONFIRMED IN_PROGRESS", "contractor"), true, BEGUN, FUNDED),
    case(("bookingChangeAccept", "PENDING", "receiver"), true, DEAR, DEARER),
    case(("bookingChangeAccept", "PENDING", "receiver"), true, CHEAP, CHEAPER),
    case(("bookingChangeDecline", "PENDING", "receiver"), true, DEAR, FUNDED),
    case(("bookingChangeDecline", "PENDING", "staff"), true, CHEAP, FUNDED),
    case(("bookingChangeWithdraw", "PENDING", "maker"), true, DEAR, FUNDED),
    // What stands in the table for the old price holds for the new one.
    case(("bookingCancel", "CONFIRMED", "customer"), true, RENEWED, [PURSE - 600, 0, 0, 0, 600]),
    case(("bookingCancel", "CONFIRMED", "contractor"), true, RENEWED, FREE),
    case(("disputeOpen", "CONFIRMED IN_PROGRESS DELIVERED", "customer"), true, DELIVERED, FUNDED),
    case(("disputeOpen", "CONFIRMED IN_PROGRESS DELIVERED", "contractor"), true, &["offerAccept"], FUNDED),
    case(("disputePropose", "OPEN ESCALATED", "customer"), true, DISPUTED, FUNDED),
    case(("disputePropose", "OPEN ESCALATED", "contractor"), true, DISPUTED, FUNDED),
    case(("disputePropose", "OPEN ESCALATED", "staff"), true, DISPUTED, FUNDED),
    case(("disputeAddEvidence", "OPEN ESCALATED", "customer"), true, DISPUTED, FUNDED),
    case(("disputeAddEvidence", "OPEN ESCALATED", "contractor"), true, DISPUTED, FUNDED),
    case(("disputeAcceptProposal", "OPEN ESCALATED", "customer"), true, DISPUTED, SPLIT),
    case(("disputeAcceptProposal", "OPEN ESCALATED", "contractor"), true, DISPUTED, SPLIT),
    case(("disputeWithdraw", "OPEN ESCALATED", "maker"), true, DISPUTED, FUNDED),
    case(("disputeDecide", "OPEN ESCALATED", "staff"), true, DISPUTED, [PURSE - 7_000, 0, 0, 6_000, 1_000]),
    // The last ones, since they make everybody's tokens old.
    case(("dispute.escalate", "OPEN", "timer"), true, DISPUTED, FUNDED),
    case(("job.expire", "PENDING", "timer"), true, &[], FREE),
    case(("offer.expire", "PENDING", "timer"), true, &[], FREE),
    case(("change.expire", "PENDING", "timer"), true, CHEAP, FUNDED),
    case(("booking.complete", "DELIVERED", "timer"), true, DELIVERED, PAID),
    case(("booking.release", "COMPLETED", "timer"), true, PUT_OFF, PAID),
    case(("booking.lapse", "CONFIRMED IN_PROGRESS", "timer"), true, &["offerAccept"], FREE),
];

/// Two people and their one offer.
struct Deal<'a> {
    app: &'a TestApp,
    customer: TestUser,
    contractor: TestUser,
    offer: String,
    booking: Option<String>,
    dispute: Option<String>,
    change: Option<String>,
    staff: &'a TestUser,
    by_customer: bool,
    fees: i64,
}

async fn fees(app: &TestApp) -> i64 {
    let sum = "select cast(coalesce(sum(credits_posted - debits_posted), 0) as bigint) as n from purses
        where class = 'FEES'";
    app.count(sum).await
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

impl<'a> Deal<'a> {
    async fn new(app: &'a TestApp, staff: &'a TestUser, by_customer: bool) -> Self {
        let (customer, contractor) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
        app.deposit(&customer, "210.00").await;
        let fees = fees(app).await;
        let job = app.post_job(&customer).await;
        let sent = if by_customer {
            app.offer_to(&customer, &job, &contractor, "100.00").await
        } else {
            app.offer(&contractor, &job, "100.00").await
        };
        Deal {
            app,
            offer: id_of(&sent.ok(), "offer"),
            customer,
            contractor,
            booking: None,
            dispute: None,
            change: None,
            staff,
            by_customer,
            fees,
        }
    }

    fn person(&self, by: &str) -> &TestUser {
        match (by, self.by_customer) {
            ("staff", _) => self.staff,
            ("customer", _) | ("maker", true) | ("receiver", false) => &self.customer,
            _ => &self.contractor,
        }
    }

    async fn take(&mut self, transition: &str, by: &str) {
        match (transition, by) {
            ("offerSend", _) => {}
            ("job.expire", _) => self.outlive().await,
            ("put off", _) => self.put_off().await,
            (_, "timer") => self.wait(transition).await,
            (dispute, _) if dispute.starts_with("dispute") => self.quarrel(dispute, by).await,
            (change, _) if change.starts_with("propose ") || change.starts_with("bookingChange") => {
                self.alter(change, by).await;
            }
            ("offerCounter", _) => {
                self.app.counter(self.person("receiver"), &self.offer, "100.00").await.ok();
            }
            ("jobCancel", _) => {
                self.app.cancel_job(&self.customer, &self.job().await).await.ok();
            }
            ("offerAccept", "rival") => self.lose().await,
            ("offerAccept", _) => {
                let made = self.app.answer(self.person("receiver"), transition, &self.offer).await.ok();
                self.booking = Some(id_of(&made, "booking"));
            }
            ("offerDecline" | "offerWithdraw", _) => {
                self.app.answer(self.person(by), transition, &self.offer).await.ok();
            }
            _ => {
                self.app.step(self.person(by), transition, self.booking.as_ref().unwrap()).await.ok();
            }
        }
    }

    /// Time goes by, and the task of this one deal runs.
    async fn wait(&mut self, task: &str) {
        let (platform, caller) = (&self.app.server.platform, Caller::system("test"));
        let booking = async || {
            let booking = uuid(self.booking.as_ref().unwrap());
            let found = bookings::queries::by_ids(platform, &[booking]).await.unwrap().pop().unwrap();
            bookings::timers::Silence { booking, version: found.version }
        };
        match task {
            "offer.expire" => {
                self.app.clock.advance(7 * DAY);
                offers::commands::expire(platform, &caller, uuid(&self.offer)).await.unwrap();
            }
            "dispute.escalate" => {
                self.app.clock.advance(4 * DAY);
                let dispute = uuid(self.dispute.as_ref().unwrap());
                disputes::commands::escalate(platform, &caller, dispute).await.unwrap();
            }
            "change.expire" => {
                self.app.clock.advance(4 * DAY);
                let change = uuid(self.change.as_ref().unwrap());
                changes::commands::expire(platform, &caller, change).await.unwrap();
            }
            task => {
                self.app.clock.advance(if task == "booking.lapse" { 76 } else { 15 } * DAY);
                bookings::timers::end_silence(platform, &caller, booking().await).await.unwrap();
            }
        }
        for user in [&mut self.customer, &mut self.contractor] {
            *user = self.app.sign_in(&user.email, PASSWORD).await;
        }
    }

    /// Nobody moves a delivered booking on, on a server that puts the release off.
    async fn put_off(&self) {
        self.app.clock.advance(15 * DAY);
        let mut platform = (*self.app.server.platform).clone();
        platform.config.bookings.release_delay_days = 2;
        let booking = uuid(self.booking.as_ref().unwrap());
        let version = bookings::queries::by_ids(&platform, &[booking]).await.unwrap()[0].version;
        let silence = bookings::timers::Silence { booking, version };
        bookings::timers::end_silence(&platform, &Caller::system("test"), silence).await.unwrap();
    }

    /// The customer opens a dispute, unless it is the contractor's turn. Proposals are a quarter back.
    async fn quarrel(&mut self, mutation: &str, by: &str) {
        let dispute = self.dispute.clone();
        let propose = json!({ "disputeId": dispute, "toCustomer": usd("25.00") });
        let input = match mutation {
            "disputeOpen" => json!({ "bookingId": self.booking, "reason": "OTHER", "evidence": "Look.",
                "idempotencyKey": key() }),
            "disputePropose" => propose,
            "disputeAddEvidence" => {
                let file = upload(self.app, self.person(by), "EVIDENCE", "application/pdf", pdf()).await;
                json!({ "disputeId": dispute, "fileIds": [file["id"]] })
            }
            "disputeAcceptProposal" => {
                let other = self.person(if by == "customer" { "contractor" } else { "customer" });
                self.app.act(other, "disputePropose", propose).await.ok();
                json!({ "disputeId": dispute, "proposalNumber": 1, "idempotencyKey": key() })
            }
            "disputeDecide" => json!({ "disputeId": dispute, "toCustomer": usd("30.00"), "toContractor": usd("60.00"),
                "toPlatform": usd("10.00"), "platformFee": "BACK", "reason": "So be it.", "idempotencyKey": key() }),
            _ => json!({ "disputeId": dispute }),
        };
        let done = self.app.act(self.person(by), mutation, input).await.ok();
        self.dispute = Some(id_of(&done, "dispute"));
    }

    /// The contractor proposes another price, unless it is the customer's turn, and the customer answers.
    async fn alter(&mut self, mutation: &str, by: &str) {
        let change = self.change.clone().unwrap_or_default();
        let done = match (mutation, by) {
            (_, "staff") => {
                let input = json!({ "changeId": change, "reason": "An insult." });
                self.app.act(self.staff, mutation, input).await
            }
            ("bookingChangePropose", _) => self.app.propose(self.person(by), self.booking(), "90.00").await,
            ("bookingChangeWithdraw", _) => self.app.settle(&self.contractor, mutation, &change).await,
            ("bookingChangeAccept" | "bookingChangeDecline", _) => {
                self.app.settle(&self.customer, mutation, &change).await
            }
            (propose, _) => {
                let amount = propose.trim_start_matches("propose ");
                self.app.propose(&self.contractor, self.booking(), amount).await
            }
        };
        self.change = Some(id_of(&done.ok(), "change"));
    }

    fn booking(&self) -> &str {
        self.booking.as_ref().unwrap()
    }

    /// The job's time is over before the task of its offer comes.
    async fn outlive(&mut self) {
        let job = self.job().await;
        self.app.clock.advance(31 * DAY);
        let caller = Caller::system("test");
        expire_job(&self.app.server.platform, &caller, uuid(&job)).await.unwrap();
        for user in [&mut self.customer, &mut self.contractor] {
            *user = self.app.sign_in(&user.email, PASSWORD).await;
        }
        assert_eq!(self.app.offer_status(&self.customer, &self.offer).await, "EXPIRED");
    }

    async fn job(&self) -> String {
        let text = "query ($id: ID!) { node(id: $id) { ... on Offer { job { id } } } }";
        let found = self.app.gql(&self.customer, text, json!({ "id": self.offer })).await;
        found["data"]["node"]["job"]["id"].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
    }

    /// Somebody else's offer for as much wins: its money is what the lost one held.
    async fn lose(&self) {
        let rival = self.app.sign_up(&["CONTRACTOR"]).await;
        let input = json!({ "jobId": self.job().await, "amount": usd("100.00"), "idempotencyKey": key() });
        let sent = self.app.act(&rival, "offerSend", input).await.ok();
        self.app.answer(&self.customer, "offerAccept", &id_of(&sent, "offer")).await.ok();
        assert_eq!(self.app.offer_status(&self.contractor, &self.offer).await, "DECLINED");
    }

    async fn after(&self) -> After {
        let [available, held, escrow] = self.app.money(&self.customer).await.map(|amount| cents(&amount));
        let earned = cents(&self.app.money(&self.contractor).await[0]);
        [available, held, escrow, earned, fees(self.app).await - self.fees]
    }
}

/// Who takes the steps that lead to a case.
fn usual(transition: &str) -> &'static str {
    match transition {
        "offerAccept" => "receiver",
        "bookingComplete" | "disputeOpen" => "customer",
        _ => "contractor",
    }
}

async fn each_row_pays_what_it_says(app: &TestApp) {
    let staff = app.admin().await;
    for case in &CASES {
        let (transition, _, by) = case.row;
        let mut deal = Deal::new(app, &staff, case.by_customer).await;
        for step in case.before {
            deal.take(step, usual(step)).await;
        }
        deal.take(transition, by).await;
        assert_eq!(deal.after().await, case.after, "{transition} by the {by}");
        app.assert_books().await;
    }
    let tried: BTreeSet<_> = CASES.iter().map(|case| case.row).collect();
    let rows: BTreeSet<_> =
        TABLE.iter().flat_map(|row| row.by.iter().map(|by| (row.transition, row.from.join(" "), by.name()))).collect();
    let rows: BTreeSet<_> = rows.iter().map(|(name, from, by)| (*name, from.as_str(), *by)).collect();
    assert_eq!(tried, rows, "each row of the table has a case here");
}

/// A row of the table in words, as `docs/money.md` shows it.
fn words(outcome: Outcome) -> [&'static str; 2] {
    match outcome {
        Outcome::Nothing => ["stays", "stays"],
        Outcome::Held => ["held in the customer's wallet", "held in the customer's wallet"],
        Outcome::Freed(Freed::Voided) => ["free again", "free again"],
        Outcome::Freed(Freed::Expired) => ["free again, as expired", "free again, as expired"],
        Outcome::Funded => ["into the escrow", "to the platform"],
        Outcome::Repriced => ["the difference into the escrow, or back", "the difference to the platform, or back"],
        Outcome::Ended { price, fee } => [
            match price {
                Price::Back => "back to the customer",
                Price::Paid => "to the contractor, less the service fee",
                Price::Split => "split as decided",
            },
            match fee {
                Fee::Kept => "kept by the platform",
                Fee::Back => "back to the customer",
                Fee::Decided => "as decided",
            },
        ],
    }
}

#[test]
fn the_documents_show_the_table() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/money.md")).unwrap();
    let mut table = "| transition | from | by | the price | the platform fee |\n|---|---|---|---|---|\n".to_owned();
    for row in TABLE {
        let from = if row.from.is_empty() { "new".to_owned() } else { format!("`{}`", row.from.join("`, `")) };
        let by: Vec<_> = row.by.iter().map(|by| by.name()).collect();
        let [price, fee] = words(row.outcome);
        table += &format!("| `{}` | {from} | {} | {price} | {fee} |\n", row.transition, by.join(", "));
    }
    assert!(text.contains(&table), "docs/money.md should show this table:\n\n{table}");
}
