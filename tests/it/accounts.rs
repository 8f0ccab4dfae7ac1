//! Accounts through the API: from sign-up to sign-out.

mod rights;
mod sessions;

use std::time::{Duration, Instant};

use gigwire::kernel::clock::{DAY, MINUTE, SECOND};
use serde_json::{Value, json};

use crate::support::app::{ANONYMOUS, Instance, PASSWORD, TestApp, TestUser, on_both_engines};

on_both_engines! {
    signing_up_signs_in,
    an_address_has_one_account,
    an_unknown_user_and_a_wrong_password_look_the_same,
    bad_input_is_refused_with_its_place,
    a_refresh_token_is_swapped_for_its_successor,
    a_refresh_token_used_again_ends_the_session,
    a_refresh_repeated_at_once_gets_the_same_child,
    tokens_end,
    signing_out_ends_one_session_or_all,
    roles_are_seen_by_the_user_and_staff,
}

const WHO: &str = "{ viewer { user { id displayName roles } } }";

async fn refresh(on: &Instance, token: &str) -> Value {
    let text = "mutation ($input: SessionRefreshInput!) { sessionRefresh(input: $input) {
        session { accessToken refreshToken } userErrors { code field } } }";
    let mut answer = on.gql(ANONYMOUS, text, json!({ "input": { "refreshToken": token } })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["sessionRefresh"].take()
}

/// Whether a token still opens the door.
async fn is_let_in(on: &Instance, token: &str) -> bool {
    let answer = on.gql(token, WHO, json!({})).await;
    if answer["errors"].is_null() {
        return true;
    }
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    false
}

async fn sign_out(on: &Instance, user: &TestUser, all: bool) -> Value {
    let text =
        "mutation ($input: SessionSignOutInput!) { sessionSignOut(input: $input) { endedCount userErrors { code } } }";
    on.gql(user, text, json!({ "input": { "all": all } })).await
}

async fn signing_up_signs_in(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER", "CONTRACTOR"]).await;
    let answer = app.gql(&ada, WHO, json!({})).await;
    let user = &answer["data"]["viewer"]["user"];
    assert_eq!(user["id"], ada.id.as_str());
    assert_eq!(user["roles"], json!(["CUSTOMER", "CONTRACTOR"]));
    assert!(ada.id.starts_with("user_"));
    let again = app.sign_in(&ada.email.to_uppercase(), PASSWORD).await;
    assert_eq!(again.id, ada.id);
    assert_ne!(again.refresh_token, ada.refresh_token);
}

async fn an_address_has_one_account(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let users = "select count(*) as n from users";
    let before = app.count(users).await;
    let text = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) { session { accessToken } userErrors { code field } } }";
    let input =
        json!({ "email": format!(" {}", ada.email.to_uppercase()), "password": PASSWORD, "displayName": "Eve" });
    let answer = app.gql(ANONYMOUS, text, json!({ "input": input })).await;
    let payload = &answer["data"]["accountSignUp"];
    assert_eq!(payload["userErrors"], json!([{ "code": "EMAIL_TAKEN", "field": ["email"] }]), "{answer}");
    assert!(payload["session"].is_null());
    assert_eq!(app.count(users).await, before);
}

async fn an_unknown_user_and_a_wrong_password_look_the_same(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let text = "mutation ($input: AccountSignInInput!) { accountSignIn(input: $input) { session { accessToken } viewer { user { id } } userErrors { __typename code field message } } }";
    let mut answers = Vec::new();
    let mut times = Vec::new();
    for (email, password) in
        [(&*ada.email, "wrong password"), ("nobody@example.org", "wrong password"), ("no address", PASSWORD)]
    {
        let begun = Instant::now();
        let mut answer = app.gql(ANONYMOUS, text, json!({ "input": { "email": email, "password": password } })).await;
        times.push(begun.elapsed());
        answers.push(answer["data"].take());
    }
    assert_eq!(answers[0]["accountSignIn"]["userErrors"][0]["code"], "BAD_CREDENTIALS", "{answers:?}");
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    // Each costs one hash, which takes far longer than anything else here.
    assert!(times.iter().all(|time| *time > Duration::from_millis(5)), "{times:?}");
}

async fn bad_input_is_refused_with_its_place(app: &TestApp) {
    let text = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) { userErrors { code field } } }";
    for (field, value, code) in [
        ("email", "nobody".to_owned(), "INVALID"),
        ("password", "short".to_owned(), "INVALID"),
        ("password", "x".repeat(201), "TOO_LONG"),
        ("displayName", "  ".to_owned(), "INVALID"),
        ("displayName", "x".repeat(81), "TOO_LONG"),
        ("displayName", "a\u{7}b".to_owned(), "INVALID"),
    ] {
        let mut input = json!({ "email": "eve@example.org", "password": PASSWORD, "displayName": "Eve" });
        input[field] = value.into();
        let answer = app.gql(ANONYMOUS, text, json!({ "input": input })).await;
        let errors = &answer["data"]["accountSignUp"]["userErrors"];
        assert_eq!(*errors, json!([{ "code": code, "field": [field] }]), "{answer}");
    }
    assert_eq!(app.count("select count(*) as n from users").await, 0);
}

async fn a_refresh_token_is_swapped_for_its_successor(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let first = refresh(app, &ada.refresh_token).await;
    let token = first["session"]["accessToken"].as_str().unwrap();
    assert!(is_let_in(app, token).await && is_let_in(app, &ada.token).await);
    let next = first["session"]["refreshToken"].as_str().unwrap();
    assert_ne!(next, ada.refresh_token);
    assert!(refresh(app, next).await["session"].is_object());
    for unknown in ["", "nonsense", &"A".repeat(43), &ada.token] {
        let refused = refresh(app, unknown).await;
        assert_eq!(refused["userErrors"], json!([{ "code": "BAD_REFRESH_TOKEN", "field": ["refreshToken"] }]));
    }
}

async fn a_refresh_token_used_again_ends_the_session(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let other = app.sign_in(&ada.email, PASSWORD).await;
    let first = refresh(app, &ada.refresh_token).await;
    app.clock.advance(11 * SECOND);
    let stolen = refresh(app, &ada.refresh_token).await;
    assert_eq!(stolen["userErrors"][0]["code"], "BAD_REFRESH_TOKEN", "{stolen}");
    let child = first["session"]["refreshToken"].as_str().unwrap();
    assert!(refresh(app, child).await["session"].is_null(), "the whole family ends");
    assert!(!is_let_in(app, first["session"]["accessToken"].as_str().unwrap()).await);
    assert!(is_let_in(app, &other.token).await, "other sessions go on");
}

async fn a_refresh_repeated_at_once_gets_the_same_child(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let first = refresh(app, &ada.refresh_token).await;
    app.clock.advance(9 * SECOND);
    let second = refresh(app, &ada.refresh_token).await;
    assert_eq!(first["session"]["refreshToken"], second["session"]["refreshToken"]);
    assert!(is_let_in(app, second["session"]["accessToken"].as_str().unwrap()).await);
    // Once the child was used, the parent is old news, however young it is.
    refresh(app, first["session"]["refreshToken"].as_str().unwrap()).await;
    assert!(refresh(app, &ada.refresh_token).await["session"].is_null());
}

async fn tokens_end(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    app.clock.advance(15 * MINUTE - 2 * SECOND);
    assert!(is_let_in(app, &ada.token).await);
    app.clock.advance(3 * SECOND);
    let answer = app.gql(&ada, WHO, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TOKEN_EXPIRED", "{answer}");
    assert!(answer.get("data").is_none());
    app.clock.advance(30 * DAY);
    assert!(refresh(app, &ada.refresh_token).await["session"].is_null());
}

async fn signing_out_ends_one_session_or_all(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let [second, third] = [app.sign_in(&ada.email, PASSWORD).await, app.sign_in(&ada.email, PASSWORD).await];
    assert_eq!(sign_out(app, &ada, false).await["data"]["sessionSignOut"]["endedCount"], 1);
    app.clock.advance(SECOND);
    assert!(!is_let_in(app, &ada.token).await && is_let_in(app, &second.token).await);
    assert!(refresh(app, &ada.refresh_token).await["session"].is_null());
    assert_eq!(sign_out(app, &second, true).await["data"]["sessionSignOut"]["endedCount"], 2);
    app.clock.advance(SECOND);
    assert!(!is_let_in(app, &second.token).await && !is_let_in(app, &third.token).await);
    let anonymous = app.gql(ANONYMOUS, "mutation { sessionSignOut(input: {}) { endedCount } }", json!({})).await;
    assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{anonymous}");
}

async fn roles_are_seen_by_the_user_and_staff(app: &TestApp) {
    let ada = app.sign_up(&["CONTRACTOR"]).await;
    let answer = app.gql(&ada, WHO, json!({})).await;
    assert_eq!(answer["data"]["viewer"]["user"]["roles"], json!(["CONTRACTOR"]));
    let admin = app.admin().await;
    let answer = app.gql(&admin, WHO, json!({})).await;
    assert_eq!(answer["data"]["viewer"]["user"]["roles"], json!(["ADMIN"]));
    let text = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) { viewer { user { id } } } }";
    let input = json!({ "email": "eve@example.org", "password": PASSWORD, "displayName": "Eve", "roles": ["ADMIN"] });
    let answer = app.gql(ANONYMOUS, text, json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "nobody makes himself an admin: {answer}");
}

#[tokio::test]
async fn a_sign_out_counts_on_every_instance_within_a_second() {
    let app = TestApp::scaled(2).await;
    let ada = app.sign_up(&[]).await;
    assert!(is_let_in(app.on(1), &ada.token).await, "the second instance knows the session now");
    sign_out(app.on(0), &ada, true).await;
    let begun = Instant::now();
    while is_let_in(app.on(1), &ada.token).await {
        assert!(begun.elapsed() < Duration::from_secs(1), "still let in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
