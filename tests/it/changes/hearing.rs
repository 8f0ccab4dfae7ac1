//! What the two hear of a change: events of the booking, of their wallets, and notifications.

use std::collections::BTreeSet;
use std::sync::Arc;

use gigwire::features::bookings::events::NOUN;
use gigwire::kernel::{Role, Roles};
use gigwire::resolvers::live::Item;
use serde_json::{Value, json};

use crate::support::inprocess::{InProcess, Person};
use crate::support::market::{id_of, key, usd};

crate::chat::on_both! {
    both_hear_of_each_step_of_a_change,
}

const CHANGED: &str = "subscription { bookingChanged { __typename
    ... on BookingChangeProposed { change { status amount { amount } } booking { amount { amount } } }
    ... on BookingChangeStatusChanged { from to change { status } booking { amount { amount } escrow { amount } } } } }";

/// What the events of bookings show to somebody, without those of a booking's own life.
async fn heard(server: &InProcess, who: &Person) -> Vec<String> {
    let mut lines = Vec::new();
    let events = server.events(who.id).await.into_iter().filter(|event| event.noun == NOUN);
    for event in events.filter(|event| event.kind.starts_with("BookingChange")) {
        let item = Item::Event(Arc::new(event), "cursor".to_owned());
        let seen = server.deliver(&who.caller, CHANGED, item).await.unwrap()["bookingChanged"].take();
        let step = seen["to"].as_str().map(|to| format!(" {}", to.to_lowercase())).unwrap_or_default();
        let price = seen["booking"]["amount"]["amount"].as_str().unwrap().to_owned();
        lines.push(format!("{}{step}, {price}", seen["__typename"].as_str().unwrap()));
    }
    lines
}

async fn told(server: &InProcess, who: &Person) -> Vec<Value> {
    let text = "{ viewer { notifications(first: 50) { nodes { kind body subject { __typename } } } } }";
    let found = server.ask(&who.caller, text, json!({})).await;
    let nodes = found["data"]["viewer"]["notifications"]["nodes"].as_array().unwrap().clone();
    nodes.into_iter().filter(|node| node["kind"].as_str().unwrap().starts_with("BOOKING_CHANGE")).collect()
}

async fn both_hear_of_each_step_of_a_change(server: InProcess) {
    let ada = server.person_as("Ada", Roles::of(&[Role::Customer])).await;
    let bob = server.person_as("Bob", Roles::of(&[Role::Contractor])).await;
    let deposit = json!({ "amount": usd("300.00"), "idempotencyKey": key() });
    server.act(&ada.caller, "depositCreate", deposit, "payment { id }").await;
    let post = json!({ "title": "Paint", "description": "White", "budget": usd("50.00") });
    let job = id_of(&server.act(&ada.caller, "jobPost", post, "job { id }").await, "job");
    let send = json!({ "jobId": job, "amount": usd("50.00"), "idempotencyKey": key() });
    let offer = id_of(&server.act(&bob.caller, "offerSend", send, "offer { id }").await, "offer");
    let accept = json!({ "offerId": offer, "idempotencyKey": key() });
    let booking = id_of(&server.act(&ada.caller, "offerAccept", accept, "booking { id }").await, "booking");
    let propose = async |who: &Person, amount: &str| {
        let input = json!({ "bookingId": booking, "amount": usd(amount), "idempotencyKey": key() });
        id_of(&server.act(&who.caller, "bookingChangePropose", input, "change { id }").await, "change")
    };
    let settle = async |who: &Person, mutation: &str, change: &str| {
        let input = json!({ "changeId": change, "idempotencyKey": key() });
        server.act(&who.caller, mutation, input, "change { id }").await;
    };
    propose(&bob, "70.00").await;
    let dear = propose(&bob, "60.00").await;
    settle(&ada, "bookingChangeAccept", &dear).await;
    let cheap = propose(&ada, "40.00").await;
    settle(&bob, "bookingChangeDecline", &cheap).await;
    let cheap = propose(&ada, "55.00").await;
    settle(&ada, "bookingChangeWithdraw", &cheap).await;
    let wanted = [
        "BookingChangeProposed, 60.00",
        "BookingChangeStatusChanged replaced, 60.00",
        "BookingChangeProposed, 60.00",
        "BookingChangeStatusChanged accepted, 60.00",
        "BookingChangeProposed, 60.00",
        "BookingChangeStatusChanged declined, 60.00",
        "BookingChangeProposed, 60.00",
        "BookingChangeStatusChanged withdrawn, 60.00",
    ];
    for who in [&ada, &bob] {
        assert_eq!(heard(&server, who).await, wanted);
    }
    let line = |it: &Value| it["body"].as_str().unwrap().to_owned();
    let lines = |wanted: &[&str]| wanted.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
    let wanted = lines(&[
        "Bob proposes other terms for “Paint”, for 70.00 USD.",
        "Bob proposes other terms for “Paint”, for 60.00 USD.",
        "The other terms for “Paint” were declined; all stays as agreed.",
    ]);
    let seen = told(&server, &ada).await;
    assert!(seen.iter().all(|it| it["subject"]["__typename"] == "BookingChange"), "{seen:?}");
    assert_eq!(seen.iter().map(line).collect::<BTreeSet<_>>(), wanted);
    let wanted = lines(&[
        "Ada took back the other terms for “Paint”; all stays as agreed.",
        "Ada proposes other terms for “Paint”, for 55.00 USD.",
        "Ada proposes other terms for “Paint”, for 40.00 USD.",
        "Ada agreed to other terms for “Paint”, for 60.00 USD.",
    ]);
    assert_eq!(told(&server, &bob).await.iter().map(line).collect::<BTreeSet<_>>(), wanted);
    let moved: Vec<_> = crate::wallet::live::heard(&server, &ada).await;
    let last = moved.last().unwrap();
    assert_eq!((&last["__typename"], &last["amount"]["amount"]), (&json!("WalletDebited"), &json!("10.50")));
    assert_eq!((&last["kind"], &last["wallet"]["escrow"]["amount"]), (&json!("ESCROW"), &json!("60.00")));
}
