//! Ratings: equal to a recount whatever happens, and as cheap for many users as for one.

use serde_json::{Value, json};

use super::{Deal, assert_ratings, post, profile};
use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::id_of;

on_both_engines! {
    a_rating_equals_a_recount_after_every_step,
    many_ratings_cost_as_much_as_one,
}

/// Numbers that look like chance, and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

async fn a_rating_equals_a_recount_after_every_step(app: &TestApp) {
    let (ada, bob, eve) =
        (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "5000.00").await;
    let admin = app.admin().await;
    let mut bookings = Vec::new();
    for contractor in [&bob, &eve, &bob, &eve, &bob, &bob] {
        bookings.push((app.deal(&ada, contractor).await, contractor));
    }
    let (mut chance, mut reviews, mut done) = (Chance(7), Vec::new(), 0);
    for _ in 0..60 {
        let (booking, contractor) = &bookings[chance.below(bookings.len())];
        let act = match chance.below(4) {
            0 | 1 => {
                let who = [&ada, *contractor][chance.below(2)];
                let posted = post(app, who, booking, 1 + chance.below(5) as i64).await;
                if posted.refusal().is_none() {
                    reviews.push(id_of(&posted.payload, "review"));
                }
                posted
            }
            act if !reviews.is_empty() => {
                let review = &reviews[chance.below(reviews.len())];
                match act {
                    2 => app.act(&admin, "reviewHide", json!({ "reviewId": review, "reason": "Why not" })).await,
                    _ => app.act(&admin, "reviewUnhide", json!({ "reviewId": review })).await,
                }
            }
            _ => continue,
        };
        assert!(matches!(act.refusal(), None | Some("CONFLICT" | "REVIEW_EXISTS")), "{act:?}");
        done += i32::from(act.refusal().is_none());
        assert_ratings(app).await;
    }
    assert!(done >= 20, "only {done} steps were possible");
    for who in [&ada, &bob, &eve] {
        let (average, count, ratings) = profile(app, who).await;
        assert_eq!(ratings.len() as i64, count);
        let mean = ratings.iter().sum::<i64>() as f64 / count.max(1) as f64;
        let shown = average.as_str().map_or(0.0, |average| average.parse::<f64>().unwrap());
        assert!((mean - shown).abs() < 0.005_001, "{average} for {ratings:?}");
    }
    app.assert_books().await;
}

/// The round trips of a query that must not fail. The least of a few: now and then one looks the session up as well.
async fn cost(app: &TestApp, who: &TestUser, text: &str, variables: Value) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..4 {
        let before = app.round_trips();
        let answer = app.gql(who, text, variables.clone()).await;
        assert!(answer["errors"].is_null(), "{answer}");
        least = least.min(app.round_trips() - before);
    }
    least
}

async fn many_ratings_cost_as_much_as_one(app: &TestApp) {
    let deal = Deal::new(app).await;
    deal.both(app).await;
    let (one, many) = (app.post_job(&deal.ada).await, app.post_job(&deal.ada).await);
    app.offer(&deal.bob, &one, "90.00").await.ok();
    app.offer(&deal.bob, &many, "90.00").await.ok();
    let mut people = vec![deal.ada.id.clone(), deal.bob.id.clone()];
    for _ in 0..6 {
        let bidder = app.sign_up(&["CONTRACTOR"]).await;
        app.offer(&bidder, &many, "90.00").await.ok();
        people.push(bidder.id);
    }
    let offers = "query ($id: ID!) { job(id: $id) { offers { nodes { contractor {
        rating { average count } reviews(first: 3) { nodes { rating author { displayName } } } } } } } }";
    let of_one = cost(app, &deal.ada, offers, json!({ "id": one })).await;
    assert_eq!(cost(app, &deal.ada, offers, json!({ "id": many })).await, of_one, "a list of offers");
    let users = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on User {
        rating { average } reviews(first: 3) { nodes { rating author { displayName } } } } } }";
    let of_two = cost(app, &deal.ada, users, json!({ "ids": &people[..2] })).await;
    assert_eq!(cost(app, &deal.ada, users, json!({ "ids": people })).await, of_two, "a list of users");
    let other = app.deal(&deal.ada, &deal.bob).await;
    for who in [&deal.ada, &deal.bob] {
        post(app, who, &other, 5).await.ok();
    }
    let bookings = "query ($first: Int!) { viewer { bookings(first: $first) { nodes {
        reviews { rating author { displayName } } myReview { rating } } } } }";
    let of_one = cost(app, &deal.ada, bookings, json!({ "first": 1 })).await;
    assert_eq!(cost(app, &deal.ada, bookings, json!({ "first": 9 })).await, of_one, "a list of bookings");
}
