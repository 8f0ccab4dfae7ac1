//! What commands cost in round trips to PostgreSQL, and the hot paths in memory. A number that grows here makes every
//! request slower.

use std::sync::Arc;

use gigwire::kernel::{Role, Roles};
use gigwire::resolvers::live::Item;
use serde_json::{Value, json};

use crate::support::inprocess::{InProcess, Person};
use crate::support::market::{id_of, key, usd};

const BOOKED: &str = "offer { id } booking { id } conversation { id } userErrors { code }";

struct Town {
    server: InProcess,
    ada: Person,
    bob: Person,
}

impl Town {
    async fn new() -> Self {
        let server = InProcess::postgres().await;
        let ada = server.person_as("Ada", Roles::of(&[Role::Customer])).await;
        let bob = server.person_as("Bob", Roles::of(&[Role::Contractor])).await;
        let town = Town { server, ada, bob };
        let deposit = json!({ "amount": usd("1000.00"), "idempotencyKey": key() });
        town.act(&town.ada, "depositCreate", deposit, "payment { id } userErrors { code }").await;
        town
    }

    /// The payload and the round trips of a mutation that is not refused.
    async fn act(&self, who: &Person, mutation: &str, input: Value, selection: &str) -> (Value, u64) {
        let meter = self.server.platform().db.meter();
        let before = meter.read();
        let payload = self.server.act(&who.caller, mutation, input, selection).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        (payload, meter.read() - before)
    }

    async fn offer(&self, from: &Person) -> (String, u64) {
        let post = json!({ "title": "Paint", "description": "White", "budget": usd("100.00") });
        let (posted, _) = self.act(&self.ada, "jobPost", post, "job { id } userErrors { code }").await;
        let mut send = json!({ "jobId": id_of(&posted, "job"), "amount": usd("100.00"), "idempotencyKey": key() });
        if from.id == self.ada.id {
            send["contractorId"] = json!(self.bob.id.to_string());
        }
        let (sent, spent) = self.act(from, "offerSend", send, "offer { id } userErrors { code }").await;
        (id_of(&sent, "offer"), spent)
    }
}

#[tokio::test]
async fn a_deal_keeps_to_its_round_trips() {
    let town = Town::new().await;
    let mut spent = Vec::new();
    let (offer, cost) = town.offer(&town.bob).await;
    spent.push(("offerSend by the contractor", cost));
    let accept = json!({ "offerId": offer, "idempotencyKey": key() });
    let (made, cost) = town.act(&town.ada, "offerAccept", accept.clone(), BOOKED).await;
    spent.push(("offerAccept by the customer", cost));
    let (_, cost) = town.act(&town.ada, "offerAccept", accept, "userErrors { code }").await;
    spent.push(("offerAccept once more", cost));
    let (offer, cost) = town.offer(&town.ada).await;
    spent.push(("offerSend by the customer", cost));
    let accept = json!({ "offerId": offer, "idempotencyKey": key() });
    let (_, cost) = town.act(&town.bob, "offerAccept", accept, BOOKED).await;
    spent.push(("offerAccept by the contractor", cost));
    let message = json!({ "conversationId": made["conversation"]["id"], "content": "Hello" });
    let (_, cost) = town.act(&town.ada, "messageSend", message, "message { id content } userErrors { code }").await;
    spent.push(("messageSend", cost));
    let booking = json!({ "bookingId": made["booking"]["id"] });
    for step in ["bookingStart", "bookingDeliver"] {
        town.act(&town.bob, step, booking.clone(), "userErrors { code }").await;
    }
    let complete = json!({ "bookingId": made["booking"]["id"], "idempotencyKey": key() });
    let (_, cost) = town.act(&town.ada, "bookingComplete", complete, "userErrors { code }").await;
    spent.push(("bookingComplete", cost));
    for (what, cost) in &spent {
        println!("{what}: {cost}");
    }
    let wanted = [
        ("offerSend by the contractor", 9),
        ("offerAccept by the customer", 12),
        ("offerAccept once more", 7),
        ("offerSend by the customer", 12),
        ("offerAccept by the contractor", 12),
        ("messageSend", 5),
        ("bookingComplete", 13),
    ];
    assert_eq!(spent, wanted);
}

/// Messages that arrive together share their round trips.
#[tokio::test]
async fn messages_under_load_cost_less_than_a_round_trip_each() {
    let town = Town::new().await;
    let (offer, _) = town.offer(&town.bob).await;
    let accept = json!({ "offerId": offer, "idempotencyKey": key() });
    let (made, _) = town.act(&town.ada, "offerAccept", accept, BOOKED).await;
    let send = |number: u32| {
        let (who, conversation) =
            (if number.is_multiple_of(2) { &town.ada } else { &town.bob }, &made["conversation"]["id"]);
        let input = json!({ "conversationId": conversation, "content": "Hi", "clientMessageId": format!("m{number}") });
        town.act(who, "messageSend", input, "message { number } userErrors { code }")
    };
    let before = town.server.platform().db.meter().read();
    let sent = futures_util::future::join_all((0..256).map(send)).await;
    let spent = town.server.platform().db.meter().read() - before;
    println!("256 messages at once: {spent} round trips");
    let mut numbers: Vec<_> = sent.iter().map(|(payload, _)| payload["message"]["number"].as_i64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=256).map(Some).collect::<Vec<_>>());
    assert!(spent < 64, "{spent} round trips");
}

const PAGE: &str = "{ jobs(first: 20) { edges { cursor node { id title description budget { amount currency } status
    customer { id displayName } offers(first: 3) { edges { node { id amount { amount } contractor { id displayName } } } } } }
    pageInfo { hasNextPage endCursor } } }";
const HEARD: &str = "subscription { conversationChanged { id cursor ... on MessageCreated {
    message { id number content sender { id displayName } } } } }";

/// Kilobytes and allocations of each path at most: what was seen, and a seventh more.
const MESSAGE: (u64, u64) = (96, 460);
const JOBS: (u64, u64) = (760, 3_760);
const EVENT: (u64, u64) = (58, 241);

/// How often each path is taken before it is measured, and then.
const TIMES: usize = 20;

/// What one turn of a path allocates on this thread: kilobytes, and how often.
fn appetite<T>(runtime: &tokio::runtime::Runtime, turn: impl AsyncFn(usize) -> T) -> (u64, u64) {
    let turns = |from: usize| {
        runtime.block_on(async {
            for number in from..from + TIMES {
                turn(number).await;
            }
        });
    };
    turns(0);
    let spent = allocation_counter::measure(|| turns(TIMES));
    (spent.bytes_total / TIMES as u64 / 1_000, spent.count_total / TIMES as u64)
}

/// Shows a slow-down without a clock: what is allocated hardly depends on the machine. All of the server runs on one thread
/// here, and what the test makes of the answers is in it.
#[test]
fn the_hot_paths_keep_to_their_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (town, conversation) = runtime.block_on(async {
        let town = Town::new().await;
        for _ in 0..20 {
            town.offer(&town.bob).await;
        }
        let (offer, _) = town.offer(&town.bob).await;
        let accept = json!({ "offerId": offer, "idempotencyKey": key() });
        let (made, _) = town.act(&town.ada, "offerAccept", accept, BOOKED).await;
        let conversation = made["conversation"]["id"].clone();
        (town, conversation)
    });
    let send = async |number: usize| {
        let input = json!({ "conversationId": conversation, "content": "Hi", "clientMessageId": format!("m{number}") });
        town.act(&town.ada, "messageSend", input, "message { id number content } userErrors { code }").await
    };
    let message = appetite(&runtime, send);
    let page = appetite(&runtime, async |_| town.server.data(&town.ada.caller, PAGE, json!({})).await);
    let event = runtime.block_on(async {
        let event = town.server.events(town.bob.id).await.into_iter().rfind(|event| event.kind == "MessageCreated");
        Item::Event(Arc::new(event.unwrap()), "cursor".to_owned())
    });
    let caller = &town.bob.caller;
    let view = runtime.block_on(town.server.probe(caller, HEARD)).unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let heard = appetite(&runtime, async |_| town.server.show(caller, HEARD, &view, &event).await.unwrap());
    for (path, (kilobytes, times), most) in
        [("a message", message, MESSAGE), ("a page of 20 jobs", page, JOBS), ("an event for one viewer", heard, EVENT)]
    {
        println!("{path}: {kilobytes} kB in {times} allocations");
        assert!(kilobytes <= most.0 && times <= most.1, "{path}: {kilobytes} kB in {times}, at most {most:?}");
    }
}
