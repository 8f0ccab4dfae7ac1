//! Reviews at the same moment, on SQLite and over two instances on PostgreSQL: each is published once and counted once.

use futures_util::future::join_all;
use gigwire::features::reviews::commands::publish;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use serde_json::{Value, json};

use super::{Deal, again, assert_ratings, profile};
use crate::support::app::TestApp;
use crate::support::arena::{Arena, raced};
use crate::support::market::{Done, id_of, uuid};

raced! {
    both_post_at_once_and_both_are_published,
    the_same_review_twice_at_once_is_one,
    the_second_review_meets_the_end_of_time,
    hiding_at_once_counts_out_once,
}

const ROUNDS: i64 = 12;

fn five(booking: &str) -> Value {
    json!({ "bookingId": booking, "rating": 5, "text": "Well done." })
}

async fn assert_told(app: &TestApp, kind: &str, times: i64) {
    let count = match kind {
        "ReviewPosted" => "select count(*) as n from events where kind = 'ReviewPosted'",
        "ReviewPublished" => "select count(*) as n from events where kind = 'ReviewPublished'",
        _ => "select count(*) as n from events where kind = 'ReviewHidden'",
    };
    assert_eq!(app.count(count).await, 2 * times, "both hear of each {kind} once");
}

async fn both_post_at_once_and_both_are_published(arena: &Arena) {
    let app = &arena.app;
    let mut deal = Deal::new(app).await;
    app.deposit(&deal.ada, "5000.00").await;
    for round in 0..ROUNDS {
        let moves =
            vec![(&deal.ada, "reviewPost", five(&deal.booking)), (&deal.bob, "reviewPost", five(&deal.booking))];
        for done in arena.at_once(moves).await {
            done.ok();
        }
        for who in [&deal.ada, &deal.bob] {
            assert_eq!(profile(app, who).await.1, round + 1, "round {round}");
        }
        deal.booking = app.deal(&deal.ada, &deal.bob).await;
    }
    assert_eq!(app.count("select count(*) as n from reviews where status <> 'PUBLISHED'").await, 0);
    assert_told(app, "ReviewPosted", 2 * ROUNDS).await;
    assert_told(app, "ReviewPublished", 2 * ROUNDS).await;
    assert_ratings(app).await;
    app.assert_books().await;
}

async fn the_same_review_twice_at_once_is_one(arena: &Arena) {
    let app = &arena.app;
    let mut deal = Deal::new(app).await;
    app.deposit(&deal.ada, "5000.00").await;
    for round in 0..ROUNDS {
        let done = arena.at_once(vec![(&deal.ada, "reviewPost", five(&deal.booking)); 4]).await;
        let mut refusals: Vec<_> = done.iter().map(Done::refusal).collect();
        refusals.sort();
        let refused = Some("REVIEW_EXISTS");
        assert_eq!(refusals, [None, refused, refused, refused], "round {round}");
        deal.booking = app.deal(&deal.ada, &deal.bob).await;
    }
    assert_eq!(app.count("select count(*) as n from reviews where status = 'PENDING'").await, ROUNDS);
    assert_eq!(app.count("select count(*) as n from tasks where kind = 'review.publish'").await, ROUNDS);
    assert_told(app, "ReviewPosted", ROUNDS).await;
    app.assert_books().await;
}

async fn the_second_review_meets_the_end_of_time(arena: &Arena) {
    let app = &arena.app;
    let deal = Deal::new(app).await;
    app.deposit(&deal.ada, "5000.00").await;
    let mut waiting = Vec::new();
    for _ in 0..ROUNDS {
        let booking = app.deal(&deal.ada, &deal.bob).await;
        let posted = app.act(&deal.ada, "reviewPost", five(&booking)).await.ok();
        waiting.push((booking, id_of(&posted, "review")));
    }
    app.clock.advance(8 * DAY);
    let bob = again(app, &deal.bob).await;
    let caller = Caller::system("test");
    let platform = |turn: usize| &app.on(turn % arena.instances).server.platform;
    let posts = arena.at_once(waiting.iter().map(|(id, _)| (&bob, "reviewPost", five(id))).collect());
    let publish = |(turn, id): (usize, &String)| publish(platform(turn), &caller, uuid(id));
    let ends = join_all(waiting.iter().chain(&waiting).map(|(_, id)| id).enumerate().map(publish));
    let (posts, ends) = tokio::join!(posts, ends);
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
    assert!(posts.iter().all(|done| done.refusal().is_none()), "{posts:#?}");
    assert_eq!(app.count("select count(*) as n from reviews where status <> 'PUBLISHED'").await, 0);
    assert_told(app, "ReviewPublished", 2 * ROUNDS).await;
    for who in [&deal.ada, &deal.bob] {
        assert_eq!(profile(app, who).await.1, ROUNDS);
    }
    assert_ratings(app).await;
    app.assert_books().await;
}

async fn hiding_at_once_counts_out_once(arena: &Arena) {
    let app = &arena.app;
    let deal = Deal::new(app).await;
    let (adas, bobs) = deal.both(app).await;
    let admin = app.admin().await;
    for review in [&adas, &bobs] {
        let hide = json!({ "reviewId": review, "reason": "It names an address." });
        let done = arena.at_once(vec![(&admin, "reviewHide", hide); 4]).await;
        assert_eq!(done.iter().filter(|done| done.refusal().is_none()).count(), 1, "{done:#?}");
        assert!(done.iter().all(|done| matches!(done.refusal(), None | Some("CONFLICT"))), "{done:#?}");
    }
    assert_told(app, "ReviewHidden", 2).await;
    assert_eq!((profile(app, &deal.ada).await.1, profile(app, &deal.bob).await.1), (0, 0));
    assert_ratings(app).await;
    app.assert_books().await;
}
