//! What becomes of bookings that nobody moves on.

use gigwire::features::bookings::timers::{Silence, end_silence};
use gigwire::features::bookings::{model, queries};
use gigwire::kernel::Caller;
use gigwire::kernel::clock::{DAY, HOUR};
use gigwire::platform::db::q;

use super::Deal;
use crate::support::app::{PASSWORD, TestApp, eventually, on_both_engines};
use crate::support::market::uuid;

on_both_engines! {
    a_delivered_booking_completes_after_two_weeks,
    a_silent_booking_lapses_after_75_days,
    a_step_makes_the_timer_before_it_idle,
    lost_timers_are_made_good_by_the_sweep,
}

/// The booking's status, read from its row.
async fn status(app: &TestApp, booking: &str) -> &'static str {
    let found = queries::by_ids(&app.server.platform, &[uuid(booking)]).await.unwrap();
    found[0].status.name()
}

async fn silence(app: &TestApp, booking: &str) -> Silence {
    let found = queries::by_ids(&app.server.platform, &[uuid(booking)]).await.unwrap();
    Silence { booking: found[0].id, version: found[0].version }
}

/// The two, with fresh tokens.
async fn again(app: &TestApp, deal: &mut Deal) {
    for user in [&mut deal.ada, &mut deal.bob] {
        *user = app.sign_in(&user.email, PASSWORD).await;
    }
}

async fn a_delivered_booking_completes_after_two_weeks(app: &TestApp) {
    let mut deal = Deal::new(app).await;
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    app.clock.advance(13 * DAY);
    let (platform, caller) = (&app.server.platform, Caller::system("test"));
    let waiting = "select count(*) as n from tasks where kind = 'booking.complete'";
    let before = app.count(waiting).await;
    end_silence(platform, &caller, silence(app, &deal.booking).await).await.unwrap();
    assert_eq!(app.count(waiting).await, before + 1, "put off by a day, another task waits");
    app.clock.advance(DAY - 60_000);
    let early = end_silence(platform, &caller, silence(app, &deal.booking).await).await.unwrap_err();
    assert!(early.code.retryable(), "a task that comes too early comes again: {early}");
    app.clock.advance(60_001);
    app.work();
    eventually("the booking completes", async || status(app, &deal.booking).await == "COMPLETED").await;
    again(app, &mut deal).await;
    assert_eq!(app.money(&deal.ada).await, ["95.00", "0.00", "0.00"]);
    assert_eq!(app.money(&deal.bob).await, ["80.00", "0.00", "0.00"]);
    let told = "select count(*) as n from events where kind = 'BookingStatusChanged' and actor_id is null";
    assert_eq!(app.count(told).await, 2);
    let silence = silence(app, &deal.booking).await;
    end_silence(platform, &caller, silence).await.unwrap();
    assert_eq!(app.count("select count(*) as n from audit where action = 'booking.complete'").await, 1);
    assert_eq!(app.count("select count(*) as n from earnings").await, 1);
    app.assert_books().await;
}

async fn a_silent_booking_lapses_after_75_days(app: &TestApp) {
    let mut deal = Deal::new(app).await;
    deal.work(app, &["bookingStart"]).await;
    app.clock.advance(75 * DAY + 1);
    app.work();
    eventually("the booking lapses", async || status(app, &deal.booking).await == "CANCELLED").await;
    again(app, &mut deal).await;
    assert_eq!(app.money(&deal.ada).await, ["200.00", "0.00", "0.00"], "the fee comes back as well");
    assert_eq!(app.money(&deal.bob).await, ["0.00", "0.00", "0.00"]);
    assert_eq!(app.count("select count(*) as n from events where kind = 'BookingCancelled'").await, 2);
    app.assert_books().await;
}

async fn a_step_makes_the_timer_before_it_idle(app: &TestApp) {
    let mut deal = Deal::new(app).await;
    let before = silence(app, &deal.booking).await;
    app.clock.advance(74 * DAY);
    again(app, &mut deal).await;
    deal.work(app, &["bookingStart"]).await;
    app.clock.advance(2 * DAY);
    end_silence(&app.server.platform, &Caller::system("test"), before).await.unwrap();
    assert_eq!(status(app, &deal.booking).await, "IN_PROGRESS");
    app.assert_books().await;
}

async fn lost_timers_are_made_good_by_the_sweep(app: &TestApp) {
    let deal = Deal::new(app).await;
    deal.work(app, &["bookingStart", "bookingDeliver"]).await;
    let mut tx = app.server.platform.db.begin().await.unwrap();
    let timers = [model::TIME_OUT, model::LAPSE];
    let gone = q("delete from tasks where kind = $1 or kind = $2").bind(timers[0]).bind(timers[1]);
    assert_eq!(gone.execute(&mut tx).await.unwrap(), 3, "one for each step");
    tx.commit().await.unwrap();
    app.clock.advance(14 * DAY + 2 * HOUR);
    app.work();
    eventually("the sweep completes it", async || status(app, &deal.booking).await == "COMPLETED").await;
    app.assert_books().await;
}
