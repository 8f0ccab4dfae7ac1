//! What both parties hear, what they may read of it at that moment, and that no fact holds a word of a review.

use std::sync::Arc;

use gigwire::features::reviews::events::PUBLISHED;
use gigwire::kernel::id::{ReviewId, TypedId, UserId};
use gigwire::platform::db::q;
use gigwire::resolvers::live::Item;
use serde_json::{Value, json};

use super::Deal;
use crate::support::app::{TestApp, on_both_engines};
use crate::support::inprocess::{InProcess, Person};
use crate::support::market::{key, usd, uuid};

on_both_engines! {
    both_hear_of_everything_in_order,
}

async fn heard(app: &TestApp, user: &str) -> Vec<String> {
    let stream = format!("user:{}", uuid::<UserId>(user).uuid().simple());
    let rows = q("select kind from events where stream = $1 and noun = 'review' order by seq").bind(stream);
    rows.fetch(&app.server.platform.db).await.unwrap().iter().map(|row| row.get("kind").unwrap()).collect()
}

async fn both_hear_of_everything_in_order(app: &TestApp) {
    let deal = Deal::new(app).await;
    let (adas, bobs) = deal.both(app).await;
    let admin = app.admin().await;
    app.act(&deal.bob, "reviewReply", json!({ "reviewId": adas, "text": "Thank you." })).await.ok();
    app.act(&admin, "reviewHide", json!({ "reviewId": bobs, "reason": "Not nice." })).await.ok();
    app.act(&admin, "reviewUnhide", json!({ "reviewId": bobs })).await.ok();
    let posted = ["ReviewPosted", "ReviewPosted", "ReviewPublished", "ReviewPublished"];
    let wanted = [&posted[..], &["ReviewReplied", "ReviewHidden", "ReviewUnhidden"]].concat();
    for who in [&deal.ada, &deal.bob] {
        assert_eq!(heard(app, &who.id).await, wanted);
    }
    let facts = "select count(*) as n from events where noun = 'review' and facts <> '{}'";
    assert_eq!(app.count(facts).await, 0, "events hold no rating and no text");
    app.assert_books().await;
}

/// Two people in this process, with a completed booking.
struct Pair {
    server: InProcess,
    ada: Person,
    bob: Person,
    booking: Value,
}

impl Pair {
    async fn new(server: InProcess) -> Self {
        use gigwire::kernel::{Role, Roles};
        let ada = server.person_as("Ada", Roles::of(&[Role::Customer])).await;
        let bob = server.person_as("Bob", Roles::of(&[Role::Contractor])).await;
        let mut pair = Pair { server, ada, bob, booking: Value::Null };
        let deposit = json!({ "amount": usd("200.00"), "idempotencyKey": key() });
        pair.act(&pair.ada, "depositCreate", deposit, "payment { id }").await;
        let job = json!({ "title": "Paint", "description": "White", "budget": usd("100.00") });
        let job = pair.act(&pair.ada, "jobPost", job, "job { id }").await["job"]["id"].take();
        let offer = json!({ "jobId": job, "amount": usd("100.00"), "idempotencyKey": key() });
        let offer = pair.act(&pair.bob, "offerSend", offer, "offer { id }").await["offer"]["id"].take();
        let accept = json!({ "offerId": offer, "idempotencyKey": key() });
        pair.booking = pair.act(&pair.ada, "offerAccept", accept, "booking { id }").await["booking"]["id"].take();
        for step in ["bookingStart", "bookingDeliver"] {
            pair.act(&pair.bob, step, json!({ "bookingId": pair.booking }), "booking { id }").await;
        }
        let complete = json!({ "bookingId": pair.booking, "idempotencyKey": key() });
        pair.act(&pair.ada, "bookingComplete", complete, "booking { id }").await;
        pair
    }

    async fn act(&self, who: &Person, mutation: &str, input: Value, selection: &str) -> Value {
        let selection = format!("{selection} userErrors {{ code }}");
        let payload = self.server.act(&who.caller, mutation, input, &selection).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload}");
        payload
    }

    async fn post(&self, who: &Person, rating: i64) -> ReviewId {
        let input = json!({ "bookingId": self.booking, "rating": rating, "text": "Well done." });
        let posted = self.act(who, "reviewPost", input, "review { id }").await;
        uuid(posted["review"]["id"].as_str().unwrap())
    }

    /// The last event of a kind in somebody's stream, as that person's subscription shows it to `reader`.
    async fn last(&self, kind: &str, of: &Person, reader: &Person, root: &str) -> Value {
        let mut events = self.server.events(of.id).await;
        events.retain(|event| event.kind == kind);
        let item = Item::Event(Arc::new(events.pop().unwrap()), "cursor".to_owned());
        let query = format!(
            "subscription {{ {root} {{ __typename cursor ... on {kind} {{
                review {{ rating text }} booking {{ id reviews {{ rating }} }} actor {{ id }} }} }} }}"
        );
        self.server.deliver(&reader.caller, &query, item).await.unwrap()[root].take()
    }
}

async fn an_event_shows_what_its_hearer_may_read(server: InProcess) {
    let pair = Pair::new(server).await;
    let adas = pair.post(&pair.ada, 2).await;
    for root in ["reviewChanged", "eventAppended"] {
        let own = pair.last("ReviewPosted", &pair.ada, &pair.ada, root).await;
        assert_eq!((&own["__typename"], &own["review"]["rating"]), (&json!("ReviewPosted"), &json!(2)));
        let others = pair.last("ReviewPosted", &pair.bob, &pair.bob, root).await;
        assert_eq!(others["review"], Value::Null, "Bob learns that it is there, and not what it says");
        assert_eq!(others["booking"], json!({ "id": pair.booking, "reviews": [] }));
        assert_eq!(others["actor"]["id"], pair.ada.id.to_string());
    }
    let bobs = pair.post(&pair.bob, 5).await;
    let now = pair.last("ReviewPublished", &pair.bob, &pair.bob, "reviewChanged").await;
    assert_eq!(now["booking"]["reviews"], json!([{ "rating": 2 }, { "rating": 5 }]));
    assert!(now["review"].is_object());
    // Each is published to both, and says whom it is about to whoever reads the review.
    for who in [&pair.ada, &pair.bob] {
        let events = pair.server.events(who.id).await;
        let mut published: Vec<ReviewId> =
            events.iter().filter(|event| event.kind == PUBLISHED).map(|event| event.object_id()).collect();
        published.sort();
        let mut wanted = vec![adas, bobs];
        wanted.sort();
        assert_eq!(published, wanted);
    }
    // An event that comes to a stranger by mistake shows no booking.
    let eve = pair.server.person("Eve").await;
    let strange = pair.last("ReviewPublished", &pair.bob, &eve, "reviewChanged").await;
    assert_eq!(strange["booking"], Value::Null);
}

crate::chat::on_both! {
    an_event_shows_what_its_hearer_may_read,
}
