//! A deposit whose request died half way, between the stored intent and the provider's answer.

use futures_util::future::join_all;
use gigwire::features::wallet::commands::{self, COLLECT, Collect};
use gigwire::kernel::Caller;
use gigwire::kernel::clock::MINUTE;
use gigwire::kernel::id::{PaymentId, UserId};
use gigwire::platform::db::q;
use gigwire::platform::queue::NewTask;

use crate::support::app::{TestApp, TestUser, eventually, on_both_engines};
use crate::support::market::uuid;

on_both_engines! {
    a_task_settles_what_a_request_left,
    the_provider_is_asked_by_many_and_credits_once,
}

/// What a request leaves behind that dies before it asks the provider: the intent and its task.
async fn left_behind(app: &TestApp, who: &TestUser) -> PaymentId {
    let user: UserId = uuid(&who.id);
    let work = &app.server.platform.work;
    work.run(&Caller::system("test"), user, |unit, user| {
        Box::pin(async move {
            let payment: PaymentId = unit.ids.new_id();
            q("insert into payments (id, user_id, amount, currency, status, provider, created_at, updated_at, version)
                values ($1, $2, 4200, 'USD', 'PENDING', 'sandbox', $3, $3, 1)")
            .bind(payment)
            .bind(*user)
            .bind(unit.now)
            .execute(&mut unit.tx)
            .await?;
            unit.enqueue(NewTask::new(COLLECT, &Collect { payment }, unit.now.plus(MINUTE))?);
            Ok(payment)
        })
    })
    .await
    .unwrap()
}

const COMPLETED: &str = "select count(*) as n from payments where status = 'COMPLETED'";

async fn a_task_settles_what_a_request_left(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    left_behind(app, &ada).await;
    app.work();
    assert_eq!(app.money(&ada).await[0], "0.00");
    app.clock.advance(MINUTE + 1);
    eventually("the payment is settled", async || app.count(COMPLETED).await == 1).await;
    eventually("the task has ended", async || {
        app.count("select count(*) as n from tasks where outcome = 'DONE' and kind = 'payment.collect'").await == 1
    })
    .await;
    app.clock.advance(10 * MINUTE);
    let ada = app.sign_in(&ada.email, crate::support::app::PASSWORD).await;
    assert_eq!(app.money(&ada).await[0], "42.00");
    assert_eq!(app.count("select count(*) as n from transfers").await, 1);
    assert_eq!(app.count("select count(*) as n from audit where action = 'deposit.complete'").await, 1);
    app.assert_books().await;
}

async fn the_provider_is_asked_by_many_and_credits_once(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let payment = left_behind(app, &ada).await;
    let caller = Caller::system("test");
    let asked = join_all((0..8).map(|_| commands::collect(&app.server.platform, &caller, payment))).await;
    assert!(asked.into_iter().all(Result::unwrap), "to all of them it has ended");
    assert_eq!(app.money(&ada).await[0], "42.00");
    assert_eq!(app.count("select count(*) as n from transfers").await, 1);
    app.assert_books().await;
}
