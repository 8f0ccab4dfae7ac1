//! What cannot be proposed or agreed to: each has its own code, and nothing is left of it.

use gigwire::kernel::clock::{DAY, HOUR};
use serde_json::{Value, json};

use super::Deal;
use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::{Done, id_of, key, usd};

on_both_engines! {
    bad_terms_are_refused,
    a_period_is_judged_by_where_the_booking_stands,
    only_the_parties_change_a_booking,
    what_is_stale_is_a_conflict_that_shows_what_is,
}

/// Tries it, and finds nothing left of it.
async fn tried(app: &TestApp, who: &TestUser, mutation: &str, input: Value) -> Done {
    let before = app.traces().await;
    let done = app.act(who, mutation, input.clone()).await;
    assert!(done.refusal().is_some(), "{mutation} with {input}: {done:#?}");
    assert_eq!(app.traces().await, before, "{mutation} with {input} left something");
    done
}

async fn bad_terms_are_refused(app: &TestApp) {
    let deal = Deal::new(app, "500.00").await;
    let propose = |more: Value| {
        let mut input = json!({ "bookingId": deal.booking, "idempotencyKey": key() });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for (amount, currency, code, field) in [
        ("0", "USD", "AMOUNT_NOT_POSITIVE", "amount"),
        ("-1.00", "USD", "AMOUNT_NOT_POSITIVE", "amount"),
        ("1.001", "USD", "EXCESS_DIGITS", "amount"),
        ("10000000000.01", "USD", "AMOUNT_TOO_LARGE", "amount"),
        ("99999999999999999999", "USD", "AMOUNT_TOO_LARGE", "amount"),
        ("5.00", "EUR", "CURRENCY_MISMATCH", "currency"),
        ("5", "JPY", "CURRENCY_MISMATCH", "currency"),
    ] {
        let input = propose(json!({ "amount": { "amount": amount, "currency": currency } }));
        tried(app, &deal.bob, "bookingChangePropose", input).await.refused_at(code, &["amount", field]);
    }
    for (from, until, code, field) in [
        (2 * HOUR, HOUR, "PERIOD_REVERSED", "endsAt"),
        (-HOUR, HOUR, "PERIOD_PAST", "startsAt"),
        (HOUR, 366 * DAY, "PERIOD_TOO_FAR", "endsAt"),
    ] {
        let input = propose(json!({ "period": app.period(from, until) }));
        tried(app, &deal.bob, "bookingChangePropose", input).await.refused_at(code, &["period", field]);
    }
    let long = propose(json!({ "amount": usd("120.00"), "note": "x".repeat(1001) }));
    tried(app, &deal.bob, "bookingChangePropose", long).await.refused_at("TOO_LONG", &["note"]);
    for nothing in [json!({}), json!({ "amount": usd("100.00") }), json!({ "note": "Please." })] {
        tried(app, &deal.bob, "bookingChangePropose", propose(nothing)).await.refused("NOTHING_CHANGES");
    }
    // As much as there can be: it is agreed to only by whoever has it.
    let most = id_of(&app.propose(&deal.bob, &deal.booking, "10000000000.00").await.ok(), "change");
    let accept = json!({ "changeId": most, "idempotencyKey": key() });
    tried(app, &deal.ada, "bookingChangeAccept", accept).await.refused("INSUFFICIENT_FUNDS");
    app.assert_books().await;
}

async fn a_period_is_judged_by_where_the_booking_stands(app: &TestApp) {
    let mut deal = Deal::new(app, "500.00").await;
    let propose = |period: &Value| json!({ "bookingId": deal.booking, "period": period, "idempotencyKey": key() });
    let agreed = app.period(HOUR, 5 * HOUR);
    let change = id_of(&app.act(&deal.bob, "bookingChangePropose", propose(&agreed)).await.ok(), "change");
    app.settle(&deal.ada, "bookingChangeAccept", &change).await.ok();
    tried(app, &deal.bob, "bookingChangePropose", propose(&agreed)).await.refused("NOTHING_CHANGES");
    app.clock.advance(2 * HOUR);
    let booked = propose(&app.period(-HOUR, 9 * HOUR));
    let longer = propose(&json!({ "startsAt": agreed["startsAt"], "endsAt": app.period(0, 9 * HOUR)["endsAt"] }));
    let over = propose(&json!({ "startsAt": agreed["startsAt"], "endsAt": app.period(0, -HOUR / 2)["endsAt"] }));
    let early = propose(&app.period(-30 * DAY, HOUR));
    deal.again(app).await;
    // Another start has to lie ahead, but the agreed one may stay.
    tried(app, &deal.bob, "bookingChangePropose", booked.clone()).await.refused("PERIOD_PAST");
    tried(app, &deal.bob, "bookingChangePropose", over).await.refused_at("PERIOD_PAST", &["period", "endsAt"]);
    app.act(&deal.bob, "bookingChangePropose", longer).await.ok();
    // Work that has begun may have begun earlier than was said, but not before it was booked.
    deal.work(app, &["bookingStart"]).await;
    tried(app, &deal.bob, "bookingChangePropose", early).await.refused_at("PERIOD_PAST", &["period", "startsAt"]);
    let made = app.act(&deal.bob, "bookingChangePropose", booked).await.ok();
    app.settle(&deal.ada, "bookingChangeAccept", &id_of(&made, "change")).await.ok();
    app.assert_books().await;
}

async fn only_the_parties_change_a_booking(app: &TestApp) {
    let deal = Deal::new(app, "500.00").await;
    let change = deal.proposed(app, "120.00").await;
    let (eve, admin) = (app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await, app.admin().await);
    let propose = || json!({ "bookingId": deal.booking, "amount": usd("90.00"), "idempotencyKey": key() });
    let settle = || json!({ "changeId": change, "idempotencyKey": key() });
    for (who, mutation, input, code) in [
        (&eve, "bookingChangePropose", propose(), "NOT_FOUND"),
        (&admin, "bookingChangePropose", propose(), "FORBIDDEN"),
        (&eve, "bookingChangeAccept", settle(), "NOT_FOUND"),
        (&admin, "bookingChangeAccept", settle(), "FORBIDDEN"),
        (&deal.bob, "bookingChangeAccept", settle(), "FORBIDDEN"),
        (&eve, "bookingChangeDecline", settle(), "NOT_FOUND"),
        (&admin, "bookingChangeDecline", settle(), "INVALID"),
        (&deal.bob, "bookingChangeDecline", settle(), "FORBIDDEN"),
        (&eve, "bookingChangeWithdraw", settle(), "NOT_FOUND"),
        (&admin, "bookingChangeWithdraw", settle(), "FORBIDDEN"),
        (&deal.ada, "bookingChangeWithdraw", settle(), "FORBIDDEN"),
        (
            &deal.ada,
            "bookingChangeAccept",
            json!({ "changeId": deal.booking, "idempotencyKey": "x" }),
            "BAD_USER_INPUT",
        ),
    ] {
        tried(app, who, mutation, input).await.refused(code);
    }
    // Staff end a proposal that should not stand there, and say why.
    let input = json!({ "changeId": change, "reason": "An insult." });
    assert_eq!(app.act(&admin, "bookingChangeDecline", input).await.ok()["change"]["status"], "DECLINED");
    let audited = "select count(*) as n from audit where action = 'change.decline' and reason = 'An insult.'
        and actor_role = 'ADMIN'";
    assert_eq!(app.count(audited).await, 1);
    app.assert_books().await;
}

async fn what_is_stale_is_a_conflict_that_shows_what_is(app: &TestApp) {
    let deal = Deal::new(app, "500.00").await;
    let old = deal.proposed(app, "120.00").await;
    let new = id_of(&app.propose(&deal.ada, &deal.booking, "90.00").await.ok(), "change");
    assert_eq!(deal.status(app, &old).await, "REPLACED");
    let accept = json!({ "changeId": old, "idempotencyKey": key() });
    let stale = tried(app, &deal.ada, "bookingChangeAccept", accept).await;
    let shown = stale.refused("CONFLICT");
    assert_eq!(
        (&shown["change"]["status"], &shown["booking"]["pendingChange"]["id"]),
        (&json!("REPLACED"), &json!(new))
    );
    app.settle(&deal.bob, "bookingChangeAccept", &new).await.ok();
    let accept = json!({ "changeId": new, "idempotencyKey": key() });
    let twice = tried(app, &deal.bob, "bookingChangeAccept", accept).await;
    assert_eq!(twice.refused("CONFLICT")["booking"]["amount"]["amount"], "90.00");
    let propose = |version: i64| json!({ "bookingId": deal.booking, "amount": usd("80.00"), "expectedVersion": version, "idempotencyKey": key() });
    let from_an_old_page = tried(app, &deal.bob, "bookingChangePropose", propose(1)).await;
    from_an_old_page.refused_at("CONFLICT", &["expectedVersion"]);
    assert_eq!(from_an_old_page.payload["booking"]["version"], 2);
    app.act(&deal.bob, "bookingChangePropose", propose(2)).await.ok();
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    let late = tried(app, &deal.bob, "bookingChangePropose", propose(4)).await;
    assert_eq!(late.refused("CONFLICT")["booking"]["status"], "DELIVERED");
    app.assert_books().await;
}
