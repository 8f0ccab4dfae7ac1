//! Events of money: each carries the whole wallet as it was right then, however late it is delivered.

use std::sync::Arc;

use gigwire::features::wallet::events::NOUN;
use gigwire::kernel::{Role, Roles};
use gigwire::resolvers::live::Item;
use serde_json::{Value, json};

use crate::support::inprocess::{InProcess, Person};
use crate::support::market::{id_of, key, usd};

crate::chat::on_both! {
    each_event_carries_the_wallet_of_its_moment,
}

const CHANGED: &str = "subscription { walletChanged { __typename
    ... on WalletCredited { kind amount { amount } wallet { ...figures } }
    ... on WalletDebited { kind amount { amount } wallet { ...figures } }
    ... on PaymentCompleted { payment { status } wallet { ...figures } }
    ... on PaymentFailed { payment { status } code isRetryable wallet { ...figures } } } }
    fragment figures on Wallet { available { amount } held { amount } escrow { amount } }";

/// What a user's subscription shows of everything that happened to its money.
pub async fn heard(server: &InProcess, who: &Person) -> Vec<Value> {
    let mut items = Vec::new();
    for event in server.events(who.id).await.into_iter().filter(|event| event.noun == NOUN) {
        let item = Item::Event(Arc::new(event), "cursor".to_owned());
        items.push(server.deliver(&who.caller, CHANGED, item).await.unwrap()["walletChanged"].take());
    }
    items
}

fn line(event: &Value) -> String {
    let wallet = &event["wallet"];
    let figures = ["available", "held", "escrow"].map(|figure| wallet[figure]["amount"].as_str().unwrap());
    let name = event["__typename"].as_str().unwrap();
    let what = event["kind"].as_str().map(|kind| format!(" {kind} {}", event["amount"]["amount"])).unwrap_or_default();
    format!("{name}{what}: {}", figures.join(" ")).replace('"', "")
}

async fn each_event_carries_the_wallet_of_its_moment(server: InProcess) {
    let ada = server.person_as("Ada", Roles::of(&[Role::Customer])).await;
    let bob = server.person_as("Bob", Roles::of(&[Role::Contractor])).await;
    let deposit = json!({ "amount": usd("300.00"), "idempotencyKey": key() });
    server.act(&ada.caller, "depositCreate", deposit, "payment { id }").await;
    let mut bookings = Vec::new();
    for answer in ["offerDecline", "offerAccept", "offerAccept"] {
        let post = json!({ "title": "Paint", "description": "White", "budget": usd("50.00") });
        let job = id_of(&server.act(&ada.caller, "jobPost", post, "job { id }").await, "job");
        let send = json!({ "jobId": job, "contractorId": bob.id.to_string(), "amount": usd("50.00"), "idempotencyKey": key() });
        let offer = id_of(&server.act(&ada.caller, "offerSend", send, "offer { id }").await, "offer");
        let mut input = json!({ "offerId": offer });
        let mut selection = "offer { id }";
        if answer == "offerAccept" {
            input["idempotencyKey"] = json!(key());
            selection = "booking { id }";
        }
        let done = server.act(&bob.caller, answer, input, selection).await;
        if answer == "offerAccept" {
            bookings.push(id_of(&done, "booking"));
        }
    }
    for step in ["bookingStart", "bookingDeliver"] {
        server.act(&bob.caller, step, json!({ "bookingId": bookings[0] }), "booking { id }").await;
    }
    let complete = json!({ "bookingId": bookings[0], "idempotencyKey": key() });
    server.act(&ada.caller, "bookingComplete", complete, "booking { id }").await;
    let cancel = json!({ "bookingId": bookings[1], "idempotencyKey": key(), "reason": "No time" });
    server.act(&bob.caller, "bookingCancel", cancel, "booking { id }").await;
    let shown: Vec<_> = heard(&server, &ada).await.iter().map(line).collect();
    let wanted = [
        "PaymentCompleted: 300.00 0.00 0.00",
        "WalletCredited DEPOSIT 300.00: 300.00 0.00 0.00",
        "WalletDebited ESCROW 52.50: 247.50 52.50 0.00",
        "WalletCredited ESCROW 52.50: 300.00 0.00 0.00",
        "WalletDebited ESCROW 52.50: 247.50 52.50 0.00",
        "WalletDebited ESCROW 52.50: 247.50 0.00 50.00",
        "WalletDebited ESCROW 52.50: 195.00 52.50 50.00",
        "WalletDebited ESCROW 52.50: 195.00 0.00 100.00",
        "WalletDebited RELEASE 50.00: 195.00 0.00 50.00",
        "WalletCredited REFUND 52.50: 247.50 0.00 0.00",
    ];
    assert_eq!(shown, wanted);
    let shown: Vec<_> = heard(&server, &bob).await.iter().map(line).collect();
    assert_eq!(shown, ["WalletCredited RELEASE 40.00: 40.00 0.00 0.00"]);
}
