//! Reviews through the API: who may write one, who reads it when, and what becomes of it.

mod live;
mod races;
mod rating;

use gigwire::features::reviews::commands::publish;
use gigwire::kernel::clock::{DAY, HOUR};
use gigwire::kernel::{Caller, Role};
use gigwire::platform::db::q;
use serde_json::{Value, json};

use crate::support::app::{ANONYMOUS, PASSWORD, TestApp, TestUser, eventually, on_both_engines};
use crate::support::market::{Done, id_of, uuid};

on_both_engines! {
    nobody_reads_the_other_before_both_have_written,
    a_review_that_stays_alone_is_published_by_its_time,
    a_lost_task_is_made_good_by_the_sweep,
    only_parties_of_a_completed_booking_write_and_once,
    what_is_written_is_checked,
    the_reviewed_user_replies_once,
    staff_hide_a_review_and_show_it_again,
    staff_who_are_reviewed_are_blind_like_everybody,
    a_page_of_reviews_goes_on_behind_its_cursor,
}

/// Two people and a completed booking.
struct Deal {
    ada: TestUser,
    bob: TestUser,
    booking: String,
}

impl Deal {
    async fn new(app: &TestApp) -> Self {
        let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
        app.deposit(&ada, "1000.00").await;
        let booking = app.deal(&ada, &bob).await;
        Deal { ada, bob, booking }
    }

    async fn post(&self, app: &TestApp, who: &TestUser, rating: i64) -> Done {
        post(app, who, &self.booking, rating).await
    }

    /// Both post, and the ids of what Ada and Bob wrote.
    async fn both(&self, app: &TestApp) -> (String, String) {
        let adas = id_of(&self.post(app, &self.ada, 4).await.ok(), "review");
        (adas, id_of(&self.post(app, &self.bob, 5).await.ok(), "review"))
    }
}

async fn post(app: &TestApp, who: &TestUser, booking: &str, rating: i64) -> Done {
    let text = format!("{rating} stars.");
    app.act(who, "reviewPost", json!({ "bookingId": booking, "rating": rating, "text": text })).await
}

/// A review by its id, as somebody sees it.
async fn shown<'a>(app: &TestApp, who: impl Into<Option<&'a str>>, review: &str) -> Value {
    let text = "query ($id: ID!) { node(id: $id) { ... on Review {
        status rating text reply hiddenReason booking { id } author { id } subject { id } } } }";
    let mut answer = app.gql(who, text, json!({ "id": review })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["node"].take()
}

/// How many reviews of a booking somebody sees, and whether one is its own.
async fn of_booking(app: &TestApp, who: &TestUser, booking: &str) -> (usize, bool) {
    let text = "query ($id: ID!) { booking(id: $id) { reviews { id } myReview { id } } }";
    let answer = app.gql(who, text, json!({ "id": booking })).await;
    let booking = &answer["data"]["booking"];
    (booking["reviews"].as_array().unwrap_or_else(|| panic!("{answer}")).len(), booking["myReview"].is_object())
}

/// What everybody sees of a user: average, count and the ratings of the published reviews, newest first.
async fn profile(app: &TestApp, user: &TestUser) -> (Value, i64, Vec<i64>) {
    let text = "query ($id: ID!) { node(id: $id) { ... on User {
        rating { average count countByStars } reviews { totalCount nodes { rating } } } } }";
    let answer = app.gql(ANONYMOUS, text, json!({ "id": user.id })).await;
    let user = &answer["data"]["node"];
    let nodes = user["reviews"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let count = user["rating"]["count"].as_i64().unwrap();
    assert_eq!(user["reviews"]["totalCount"], count, "{answer}");
    let by_stars: i64 = user["rating"]["countByStars"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!(by_stars, count, "{answer}");
    (user["rating"]["average"].clone(), count, nodes.iter().map(|node| node["rating"].as_i64().unwrap()).collect())
}

/// The stored stars are what a recount of the published reviews gives.
async fn assert_ratings(app: &TestApp) {
    let db = &app.server.platform.db;
    let stored = q("select user_id, stars, reviews as n from ratings where reviews > 0 order by user_id, stars");
    let recount = q("select subject_id as user_id, rating as stars, count(*) as n from reviews
        where status = 'PUBLISHED' group by subject_id, rating order by subject_id, rating");
    let read = async |query: gigwire::platform::db::Query| {
        let rows = query.fetch(db).await.unwrap();
        let row = |row: &gigwire::platform::db::Row| {
            let user: uuid::Uuid = row.get("user_id").unwrap();
            (user, row.get::<i64>("stars").unwrap(), row.get::<i64>("n").unwrap())
        };
        rows.iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(read(stored).await, read(recount).await);
}

async fn again(app: &TestApp, who: &TestUser) -> TestUser {
    app.sign_in(&who.email, PASSWORD).await
}

async fn nobody_reads_the_other_before_both_have_written(app: &TestApp) {
    let deal = Deal::new(app).await;
    let (eve, admin) = (app.sign_up(&["CUSTOMER"]).await, app.admin().await);
    let first = deal.post(app, &deal.ada, 2).await.ok();
    assert_eq!((&first["review"]["status"], &first["review"]["publishedAt"]), (&json!("PENDING"), &json!(null)));
    let adas = id_of(&first, "review");
    for who in [&deal.ada, &admin] {
        assert_eq!(shown(app, who, &adas).await["text"], "2 stars.", "its author and staff read it");
        assert_eq!(of_booking(app, who, &deal.booking).await.0, 1);
    }
    for who in [Some(&deal.bob), Some(&eve), None] {
        let token = who.map_or(ANONYMOUS, Into::into);
        assert_eq!(shown(app, token, &adas).await, Value::Null);
    }
    assert_eq!(of_booking(app, &deal.bob, &deal.booking).await, (0, false));
    assert_eq!(profile(app, &deal.bob).await, (json!(null), 0, vec![]));

    let second = deal.post(app, &deal.bob, 5).await.ok();
    assert_eq!(second["review"]["status"], "PUBLISHED");
    for who in [Some(&deal.bob), Some(&eve), None] {
        let token = who.map_or(ANONYMOUS, Into::into);
        let review = shown(app, token, &adas).await;
        assert_eq!((&review["text"], &review["status"]), (&json!("2 stars."), &json!("PUBLISHED")));
        let booking = &review["booking"];
        let is_party = who.is_some_and(|who| who.id == deal.bob.id);
        assert_eq!(booking.is_object(), is_party, "the booking stays between its parties");
        assert_eq!((&review["author"]["id"], &review["subject"]["id"]), (&json!(deal.ada.id), &json!(deal.bob.id)));
    }
    for who in [&deal.ada, &deal.bob] {
        assert_eq!(of_booking(app, who, &deal.booking).await, (2, true));
    }
    assert_eq!(profile(app, &deal.bob).await, (json!("2.00"), 1, vec![2]));
    assert_eq!(profile(app, &deal.ada).await, (json!("5.00"), 1, vec![5]));
    assert_ratings(app).await;
    app.assert_books().await;
}

async fn a_review_that_stays_alone_is_published_by_its_time(app: &TestApp) {
    let deal = Deal::new(app).await;
    let adas = id_of(&deal.post(app, &deal.ada, 3).await.ok(), "review");
    app.work();
    app.clock.advance(7 * DAY - 60_000);
    let early = publish(&app.server.platform, &Caller::system("early"), uuid(&adas)).await.unwrap_err();
    assert!(early.code.retryable(), "a task that comes too early comes again: {early}");
    assert_eq!(shown(app, ANONYMOUS, &adas).await, Value::Null);
    app.clock.advance(60_001);
    eventually("the review is published", async || shown(app, ANONYMOUS, &adas).await.is_object()).await;
    publish(&app.server.platform, &Caller::system("twice"), uuid(&adas)).await.unwrap();
    assert_eq!(profile(app, &deal.bob).await, (json!("3.00"), 1, vec![3]));
    let told = "select count(*) as n from events where kind = 'ReviewPublished' and actor_id is null";
    assert_eq!(app.count(told).await, 2, "both hear of it once, from the system");
    // Whoever writes late writes in the open: nothing is left to wait for.
    let bob = again(app, &deal.bob).await;
    assert_eq!(deal.post(app, &bob, 1).await.ok()["review"]["status"], "PUBLISHED");
    assert_eq!(profile(app, &deal.ada).await, (json!("1.00"), 1, vec![1]));
    assert_ratings(app).await;
    app.assert_books().await;
}

async fn a_lost_task_is_made_good_by_the_sweep(app: &TestApp) {
    let deal = Deal::new(app).await;
    let adas = id_of(&deal.post(app, &deal.ada, 3).await.ok(), "review");
    let mut tx = app.server.platform.db.begin().await.unwrap();
    assert_eq!(q("delete from tasks where kind = 'review.publish'").execute(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    app.clock.advance(7 * DAY + 2 * HOUR);
    app.work();
    eventually("the sweep publishes it", async || shown(app, ANONYMOUS, &adas).await.is_object()).await;
    assert_ratings(app).await;
    app.assert_books().await;
}

async fn only_parties_of_a_completed_booking_write_and_once(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    let (eve, admin) = (app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, app.admin().await);
    app.deposit(&ada, "1000.00").await;
    let booking = app.book(&ada, &bob).await;
    for (who, step) in [(&bob, "bookingStart"), (&bob, "bookingDeliver"), (&ada, "bookingComplete")] {
        for party in [&ada, &bob] {
            post(app, party, &booking, 5).await.refused("CONFLICT");
        }
        app.step(who, step, &booking).await.ok();
    }
    let cancelled = app.book(&ada, &bob).await;
    app.step(&bob, "bookingCancel", &cancelled).await.ok();
    post(app, &ada, &cancelled, 1).await.refused("CONFLICT");
    for stranger in [&eve, &admin] {
        post(app, stranger, &booking, 1).await.refused("NOT_FOUND");
    }
    post(app, &ada, "booking_00000000000000000000000007", 1).await.refused("NOT_FOUND");
    post(app, &ada, &ada.id, 1).await.refused("BAD_USER_INPUT");
    for who in [&ada, &bob] {
        post(app, who, &booking, 4).await.ok();
        post(app, who, &booking, 1).await.refused("REVIEW_EXISTS");
    }
    assert_eq!(app.count("select count(*) as n from reviews").await, 2);
    assert_eq!(profile(app, &bob).await, (json!("4.00"), 1, vec![4]));
    app.assert_books().await;
}

async fn what_is_written_is_checked(app: &TestApp) {
    let deal = Deal::new(app).await;
    let write = async |rating: Value, text: &str| {
        let input = json!({ "bookingId": deal.booking, "rating": rating, "text": text });
        app.act(&deal.ada, "reviewPost", input).await
    };
    for rating in [-1, 0, 6, i32::MAX] {
        write(json!(rating), "Good.").await.refused_at("INVALID", &["rating"]);
    }
    for text in ["", " \n ", "\u{200b}", "a\u{0}b"] {
        write(json!(5), text).await.refused_at("INVALID", &["text"]);
    }
    write(json!(5), &"x".repeat(2_001)).await.refused_at("TOO_LONG", &["text"]);
    assert_eq!(write(json!(4.5), "Good.").await.refusal(), Some("BAD_USER_INPUT"), "half a star is no Int");
    write(json!(5), &"ü".repeat(2_000)).await.ok();
    let bobs = id_of(&deal.post(app, &deal.bob, 5).await.ok(), "review");
    let reply = async |text: &str| app.act(&deal.ada, "reviewReply", json!({ "reviewId": bobs, "text": text })).await;
    reply(" ").await.refused_at("INVALID", &["text"]);
    reply(&"x".repeat(1_001)).await.refused_at("TOO_LONG", &["text"]);
    let hide = json!({ "reviewId": bobs, "reason": "" });
    app.act(&app.admin().await, "reviewHide", hide).await.refused_at("INVALID", &["reason"]);
}

async fn the_reviewed_user_replies_once(app: &TestApp) {
    let deal = Deal::new(app).await;
    let reply = async |who: &TestUser, review: &str| {
        app.act(who, "reviewReply", json!({ "reviewId": review, "text": "Thank you." })).await
    };
    let adas = id_of(&deal.post(app, &deal.ada, 4).await.ok(), "review");
    reply(&deal.bob, &adas).await.refused("NOT_FOUND");
    deal.post(app, &deal.bob, 5).await.ok();
    reply(&deal.ada, &adas).await.refused("FORBIDDEN");
    for stranger in [app.sign_up(&["CUSTOMER"]).await, app.admin().await] {
        reply(&stranger, &adas).await.refused("NOT_FOUND");
    }
    assert_eq!(reply(&deal.bob, &adas).await.ok()["review"]["reply"], "Thank you.");
    reply(&deal.bob, &adas).await.refused("REPLY_EXISTS");
    assert_eq!(shown(app, ANONYMOUS, &adas).await["reply"], "Thank you.");
    app.assert_books().await;
}

async fn staff_who_are_reviewed_are_blind_like_everybody(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.staff(&[Role::Moderator, Role::Contractor]).await);
    app.deposit(&ada, "1000.00").await;
    let booking = app.deal(&ada, &bob).await;
    let adas = id_of(&post(app, &ada, &booking, 1).await.ok(), "review");
    assert!(shown(app, &*bob.token, &adas).await.is_null(), "not before his own is there");
    let hide = async || app.act(&bob, "reviewHide", json!({ "reviewId": adas, "reason": "I dislike it." })).await;
    hide().await.refused("NOT_FOUND");
    post(app, &bob, &booking, 5).await.ok();
    assert_eq!(shown(app, &*bob.token, &adas).await["rating"], 1);
    hide().await.refused("FORBIDDEN");
}

async fn staff_hide_a_review_and_show_it_again(app: &TestApp) {
    let deal = Deal::new(app).await;
    let (moderator, admin) = (app.moderator().await, app.admin().await);
    let adas = id_of(&deal.post(app, &deal.ada, 1).await.ok(), "review");
    let hide = async |who: &TestUser| {
        app.act(who, "reviewHide", json!({ "reviewId": adas, "reason": "It names an address." })).await
    };
    let unhide = async |who: &TestUser| app.act(who, "reviewUnhide", json!({ "reviewId": adas })).await;
    assert_eq!(hide(&admin).await.refused("CONFLICT")["review"]["status"], "PENDING", "nobody sees it anyway");
    deal.post(app, &deal.bob, 5).await.ok();
    for who in [&deal.ada, &deal.bob] {
        hide(who).await.refused("FORBIDDEN");
        unhide(who).await.refused("FORBIDDEN");
    }
    for (turn, staff) in [&moderator, &admin].into_iter().enumerate() {
        unhide(staff).await.refused("CONFLICT");
        assert_eq!(hide(staff).await.ok()["review"]["status"], "HIDDEN");
        hide(staff).await.refused("CONFLICT");
        assert_eq!(profile(app, &deal.bob).await, (json!(null), 0, vec![]));
        assert_ratings(app).await;
        for token in [(&deal.bob).into(), ANONYMOUS] {
            assert_eq!(shown(app, token, &adas).await, Value::Null);
        }
        assert_eq!(of_booking(app, &deal.bob, &deal.booking).await, (1, true));
        let reason = shown(app, &deal.ada, &adas).await["hiddenReason"].take();
        assert_eq!(reason, "It names an address.", "the author learns why");
        let reply = json!({ "reviewId": adas, "text": "Not true." });
        app.act(&deal.bob, "reviewReply", reply).await.refused("NOT_FOUND");
        assert_eq!(unhide(staff).await.ok()["review"]["hiddenReason"], Value::Null);
        assert_eq!(profile(app, &deal.bob).await, (json!("1.00"), 1, vec![1]));
        assert_ratings(app).await;
        let audited = "select count(*) as n from audit where action in ('review.hide', 'review.unhide')";
        assert_eq!(app.count(audited).await, 2 * (turn as i64 + 1));
    }
    let reasons = "select count(*) as n from audit where action = 'review.hide' and reason = 'It names an address.'";
    assert_eq!(app.count(reasons).await, 2);
    app.act(&admin, "reviewHide", json!({ "reviewId": "review_00000000000000000000000007", "reason": "Why" }))
        .await
        .refused("NOT_FOUND");
    app.assert_books().await;
}

async fn a_page_of_reviews_goes_on_behind_its_cursor(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "1000.00").await;
    for rating in 1..=5 {
        let booking = app.deal(&ada, &bob).await;
        let deal = Deal { ada: ada.clone(), bob: bob.clone(), booking };
        deal.post(app, &ada, rating).await.ok();
        deal.post(app, &bob, 5).await.ok();
    }
    let text = "query ($id: ID!, $after: String) { node(id: $id) { ... on User {
        reviews(first: 2, after: $after) { nodes { rating } pageInfo { hasNextPage endCursor } } } } }";
    let (mut ratings, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = app.gql(ANONYMOUS, text, json!({ "id": bob.id, "after": after })).await;
        let page = &answer["data"]["node"]["reviews"];
        ratings.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["rating"].as_i64().unwrap()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(ratings, [5, 4, 3, 2, 1]);
    assert_eq!(profile(app, &bob).await.0, "3.00");
}
