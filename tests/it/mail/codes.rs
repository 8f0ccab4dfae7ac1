//! One-time codes: whose they are, how long they live, and how often somebody may guess.

use futures_util::future::join_all;
use gigwire::kernel::clock::{HOUR, MINUTE, SECOND};
use serde_json::json;

use super::{act, code, send, sent, sign_up_and_read, verify};
use crate::support::app::{ANONYMOUS, PASSWORD, TestApp, eventually, on_both_engines};

on_both_engines! {
    a_code_is_its_owners_alone,
    a_code_ends_and_a_newer_one_replaces_it,
    five_wrong_tries_shut_the_door_for_an_hour,
    what_is_no_code_is_refused_and_not_counted,
    codes_to_one_address_are_limited,
}

const TRIES: &str = "select count(*) as n from code_counts where subject like 'try:%'";

/// Another code of the same length.
fn other(code: &str, by: u32) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:0width$}", (number + by) % 10_u32.pow(code.len() as u32), width = code.len())
}

async fn a_code_is_its_owners_alone(app: &TestApp) {
    app.work();
    let (ada, bob) = (sign_up_and_read(app).await, sign_up_and_read(app).await);
    let mut hers = code(app, &ada).await;
    // One time in ten thousand they are the same.
    while hers == code(app, &bob).await {
        send(app, &ada).await;
        hers = code(app, &ada).await;
    }
    assert_eq!(verify(app, &bob, &hers).await.unwrap(), "CODE_WRONG");
    assert_eq!(verify(app, &ada, &hers).await, None);
    let anonymous =
        app.gql(ANONYMOUS, "mutation { emailVerify(input: { code: \"1234\" }) { userErrors { code } } }", json!({}));
    assert_eq!(anonymous.await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

async fn a_code_ends_and_a_newer_one_replaces_it(app: &TestApp) {
    app.work();
    let ada = sign_up_and_read(app).await;
    let first = code(app, &ada).await;
    app.clock.advance(10 * MINUTE + SECOND);
    assert_eq!(verify(app, &ada, &first).await.unwrap(), "CODE_EXPIRED");
    send(app, &ada).await;
    let second = code(app, &ada).await;
    if first != second {
        assert_eq!(verify(app, &ada, &first).await.unwrap(), "CODE_WRONG");
    }
    assert_eq!(verify(app, &ada, &second).await, None);
    assert_eq!(app.count("select count(*) as n from audit where action = 'email.code_send'").await, 1);
    assert_eq!(app.count(TRIES).await, 0, "a right one resets the count");
}

async fn five_wrong_tries_shut_the_door_for_an_hour(app: &TestApp) {
    app.work();
    let ada = sign_up_and_read(app).await;
    let right = code(app, &ada).await;
    for by in 1..=5 {
        assert_eq!(verify(app, &ada, &other(&right, by)).await.unwrap(), "CODE_WRONG");
        app.clock.advance(SECOND);
    }
    assert_eq!(verify(app, &ada, &right).await.unwrap(), "TOO_MANY_TRIES");
    send(app, &ada).await;
    assert_eq!(verify(app, &ada, &code(app, &ada).await).await.unwrap(), "TOO_MANY_TRIES", "a new code does not help");
    // Another sign-in of the same account does not help either.
    app.clock.advance(50 * MINUTE);
    let again = app.sign_in(&ada.email, PASSWORD).await;
    send(app, &again).await;
    assert_eq!(verify(app, &again, &code(app, &ada).await).await.unwrap(), "TOO_MANY_TRIES");
    // The hour rolls: the first of the tries is an hour old, the others are not.
    app.clock.advance(10 * MINUTE - 5 * SECOND);
    send(app, &again).await;
    let fresh = code(app, &ada).await;
    assert_eq!(verify(app, &again, &other(&fresh, 1)).await.unwrap(), "CODE_WRONG");
    assert_eq!(verify(app, &again, &fresh).await.unwrap(), "TOO_MANY_TRIES");
    app.clock.advance(6 * SECOND);
    assert_eq!(verify(app, &again, &fresh).await, None);
    assert_eq!(app.count("select count(*) as n from audit where action = 'email.code_wrong'").await, 6);
}

async fn what_is_no_code_is_refused_and_not_counted(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    for bad in ["", "abcd", "123", "123456789", "１２３４"] {
        let answer = act(app, &ada, "emailVerify", json!({ "code": bad }), "userErrors { code field }").await;
        let refused = &answer["data"]["done"]["userErrors"];
        assert_eq!(*refused, json!([{ "code": "INVALID", "field": ["code"] }]), "{bad}: {answer}");
    }
    assert_eq!(app.count(TRIES).await, 0);
}

async fn codes_to_one_address_are_limited(app: &TestApp) {
    app.work();
    let (ada, bob) = (sign_up_and_read(app).await, sign_up_and_read(app).await);
    for _ in 0..4 {
        let answer = send(app, &ada).await;
        assert_eq!(answer["data"]["done"]["userErrors"], json!([]), "{answer}");
    }
    let live = code(app, &ada).await;
    let refused = send(app, &ada).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
    assert!(refused["errors"][0]["extensions"]["retryAfterMs"].as_i64().unwrap() > 50 * MINUTE, "{refused}");
    assert!(send(app, &bob).await["errors"].is_null(), "another address counts for itself");
    let guess = verify(app, &ada, &other(&live, 1)).await;
    assert_eq!(guess.unwrap(), "CODE_WRONG", "a refusal leaves the live code alone");
    app.clock.advance(HOUR);
    let again = app.sign_in(&ada.email, PASSWORD).await;
    assert!(send(app, &again).await["errors"].is_null());
    assert_eq!(verify(app, &again, &code(app, &ada).await).await, None);
}

#[tokio::test]
async fn however_many_guess_at_once_five_tries_count() {
    let app = TestApp::scaled(2).await;
    app.work();
    let ada = sign_up_and_read(&app).await;
    let right = code(&app, &ada).await;
    let guesses = (0..32_u32).map(|number| {
        let on = app.on(number as usize % 2);
        let (ada, guess) = (&ada, other(&right, 1 + number));
        async move { verify(on, ada, &guess).await.unwrap() }
    });
    let answers = join_all(guesses).await;
    let wrong = answers.iter().filter(|code| *code == "CODE_WRONG").count();
    let locked = answers.iter().filter(|code| *code == "TOO_MANY_TRIES").count();
    assert_eq!((wrong, locked), (5, 27), "{answers:?}");
    assert_eq!(app.count(TRIES).await, 5);
    assert_eq!(verify(app.on(1), &ada, &right).await.unwrap(), "TOO_MANY_TRIES");
    // Aliases of one document are guesses like all others.
    let bob = sign_up_and_read(&app).await;
    let right = code(&app, &bob).await;
    for batch in 0..2 {
        let fields: Vec<_> = (1..=4)
            .map(|n| {
                format!(
                    "a{n}: emailVerify(input: {{ code: \"{}\" }}) {{ userErrors {{ code }} }}",
                    other(&right, batch * 4 + n)
                )
            })
            .collect();
        app.gql(&bob, &format!("mutation {{ {} }}", fields.join(" ")), json!({})).await;
    }
    assert_eq!(app.count(TRIES).await, 10, "five of each");
    assert_eq!(verify(&app, &bob, &right).await.unwrap(), "TOO_MANY_TRIES");
}

#[tokio::test]
async fn a_right_code_counts_once_however_often_it_comes() {
    let app = TestApp::scaled(2).await;
    app.work();
    let ada = sign_up_and_read(&app).await;
    let right = code(&app, &ada).await;
    let tries = (0..8).map(|number| verify(app.on(number % 2), &ada, &right));
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|code| code.is_none()).count(), 1, "{answers:?}");
    assert_eq!(app.count("select count(*) as n from audit where action = 'email.verify'").await, 1);
    assert_eq!(app.count(TRIES).await, 0);
}

#[tokio::test]
async fn codes_may_be_longer() {
    let app = TestApp::sqlite_with(|config| config.codes.digits = 8).await;
    app.work();
    let ada = sign_up_and_read(&app).await;
    let right = code(&app, &ada).await;
    assert_eq!(right.len(), 8);
    assert_eq!(verify(&app, &ada, &right).await, None);
}

#[tokio::test]
async fn old_codes_and_counts_are_forgotten() {
    let app = TestApp::sqlite().await;
    app.sign_up(&[]).await;
    app.clock.advance(25 * HOUR);
    app.work();
    let left = "select (select count(*) from codes) + (select count(*) from code_counts) as n";
    eventually("all is forgotten", async || app.count(left).await == 0).await;
    eventually("the welcome is sent all the same", async || sent(&app).await == 1).await;
}
