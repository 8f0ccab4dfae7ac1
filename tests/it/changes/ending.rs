//! How a change ends without an agreement: answered, out of time, or left behind by its booking. All stays as agreed.

use gigwire::features::bookings::timers::{Silence, end_silence};
use gigwire::features::changes::commands::expire;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::{DAY, HOUR};
use gigwire::platform::db::q;
use serde_json::json;

use super::Deal;
use crate::support::app::{TestApp, eventually, on_both_engines};
use crate::support::market::{id_of, key, usd, uuid};

on_both_engines! {
    declining_and_withdrawing_leave_all_as_it_was,
    a_change_expires_by_itself,
    a_lost_timer_is_made_good_by_the_sweep,
    a_change_does_not_outlive_the_time_that_it_names,
    a_booking_that_goes_on_leaves_its_change_behind,
    an_agreement_is_no_silence,
}

async fn declining_and_withdrawing_leave_all_as_it_was(app: &TestApp) {
    let deal = Deal::new(app, "500.00").await;
    let before = app.money(&deal.ada).await;
    for (who, mutation, status) in
        [(&deal.ada, "bookingChangeDecline", "DECLINED"), (&deal.bob, "bookingChangeWithdraw", "WITHDRAWN")]
    {
        let change = deal.proposed(app, "120.00").await;
        let ended = app.act(who, mutation, json!({ "changeId": change })).await.ok();
        assert_eq!((&ended["change"]["status"], &ended["booking"]["version"]), (&json!(status), &json!(1)));
        assert!(ended["booking"]["pendingChange"].is_null());
        app.settle(&deal.ada, "bookingChangeAccept", &change).await.refused("CONFLICT");
    }
    assert_eq!(app.money(&deal.ada).await, before);
    app.assert_books().await;
}

async fn a_change_expires_by_itself(app: &TestApp) {
    let mut deal = Deal::new(app, "500.00").await;
    let change = deal.proposed(app, "120.00").await;
    app.clock.advance(3 * DAY - 60_000);
    let (platform, caller) = (&app.server.platform, Caller::system("test"));
    let early = expire(platform, &caller, uuid(&change)).await.unwrap_err();
    assert!(early.code.retryable(), "a task that comes too early comes again: {early}");
    app.clock.advance(60_001);
    deal.again(app).await;
    app.settle(&deal.ada, "bookingChangeAccept", &change).await.refused("PROPOSAL_EXPIRED");
    app.work();
    eventually("the change expires", async || deal.status(app, &change).await == "EXPIRED").await;
    expire(platform, &caller, uuid(&change)).await.unwrap();
    assert_eq!(app.count("select count(*) as n from events where kind = 'BookingChangeStatusChanged'").await, 2);
    assert_eq!(app.money(&deal.ada).await, ["395.00", "0.00", "100.00"]);
    app.assert_books().await;
}

async fn a_lost_timer_is_made_good_by_the_sweep(app: &TestApp) {
    let mut deal = Deal::new(app, "500.00").await;
    let change = deal.proposed(app, "120.00").await;
    let mut tx = app.server.platform.db.begin().await.unwrap();
    assert_eq!(q("delete from tasks where kind = 'change.expire'").execute(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    app.clock.advance(3 * DAY + 2 * HOUR);
    deal.again(app).await;
    app.work();
    eventually("the sweep ends it", async || deal.status(app, &change).await == "EXPIRED").await;
    app.assert_books().await;
}

async fn a_change_does_not_outlive_the_time_that_it_names(app: &TestApp) {
    let mut deal = Deal::new(app, "500.00").await;
    let input = json!({ "bookingId": deal.booking, "period": app.period(HOUR, 3 * HOUR), "idempotencyKey": key() });
    let change = id_of(&app.act(&deal.bob, "bookingChangePropose", input).await.ok(), "change");
    app.clock.advance(2 * HOUR);
    deal.again(app).await;
    assert_eq!(deal.status(app, &change).await, "PENDING");
    app.clock.advance(HOUR);
    deal.again(app).await;
    app.settle(&deal.ada, "bookingChangeAccept", &change).await.refused("PROPOSAL_EXPIRED");
}

async fn a_booking_that_goes_on_leaves_its_change_behind(app: &TestApp) {
    let cancel = |booking: &str| json!({ "bookingId": booking, "reason": "No time.", "idempotencyKey": key() });
    let dispute = |booking: &str| json!({ "bookingId": booking, "reason": "LATE", "evidence": "It is June.", "idempotencyKey": key() });
    for way in ["deliver", "cancel", "dispute", "lapse"] {
        let mut deal = Deal::new(app, "105.00").await;
        let change = deal.proposed(app, "50.00").await;
        // To begin is no reason to forget it.
        if way != "cancel" {
            deal.work(app, &["bookingStart"]).await;
            assert_eq!(deal.status(app, &change).await, "PENDING");
        }
        match way {
            "deliver" => deal.work(app, &["bookingDeliver"]).await,
            "cancel" => drop(app.act(&deal.bob, "bookingCancel", cancel(&deal.booking)).await.ok()),
            "dispute" => {
                let made = app.act(&deal.ada, "disputeOpen", dispute(&deal.booking)).await.ok();
                app.propose(&deal.bob, &deal.booking, "60.00").await.refused("CONFLICT");
                app.settle(&deal.ada, "bookingChangeAccept", &change).await.refused("CONFLICT");
                let input = json!({ "disputeId": made["dispute"]["id"] });
                app.act(&deal.ada, "disputeWithdraw", input).await.ok();
                assert_eq!(deal.status(app, &change).await, "CLOSED", "it does not come back");
                deal.changed(app, "60.00").await;
            }
            _ => {
                app.clock.advance(76 * DAY);
                let silence = Silence { booking: uuid(&deal.booking), version: 2 };
                end_silence(&app.server.platform, &Caller::system("test"), silence).await.unwrap();
                deal.again(app).await;
            }
        }
        assert_eq!(deal.status(app, &change).await, "CLOSED", "{way}");
        app.settle(&deal.ada, "bookingChangeAccept", &change).await.refused("CONFLICT");
        app.assert_books().await;
    }
}

async fn an_agreement_is_no_silence(app: &TestApp) {
    let mut deal = Deal::new(app, "500.00").await;
    app.clock.advance(74 * DAY);
    deal.again(app).await;
    let input = json!({ "bookingId": deal.booking, "amount": usd("90.00"), "period": app.period(DAY, 10 * DAY),
        "idempotencyKey": key() });
    let change = id_of(&app.act(&deal.ada, "bookingChangePropose", input).await.ok(), "change");
    let agreed = app.settle(&deal.bob, "bookingChangeAccept", &change).await.ok();
    let (platform, caller) = (&app.server.platform, Caller::system("test"));
    let silence = |version| Silence { booking: uuid(&deal.booking), version };
    app.clock.advance(2 * DAY);
    end_silence(platform, &caller, silence(1)).await.unwrap();
    assert_eq!(agreed["booking"]["version"], 2);
    app.clock.advance(82 * DAY);
    end_silence(platform, &caller, silence(2)).await.unwrap();
    let lapsed = "select count(*) as n from bookings where status = 'CANCELLED'";
    assert_eq!(app.count(lapsed).await, 0, "75 days behind the end of the new time");
    app.clock.advance(2 * DAY);
    end_silence(platform, &caller, silence(2)).await.unwrap();
    deal.again(app).await;
    assert_eq!(app.money(&deal.ada).await, ["500.00", "0.00", "0.00"], "the new fee comes back as well");
    app.assert_books().await;
}
