//! Mail: letters of accounts, and the codes in them, through the API and the folder where letters are captured.

mod codes;
mod server;
mod smtp;

use gigwire::kernel::clock::MINUTE;
use gigwire::platform::config::Profile;
use serde_json::{Value, json};

use crate::support::app::{ANONYMOUS, Instance, PASSWORD, TestApp, TestUser, eventually, on_both_engines};

on_both_engines! {
    a_new_account_gets_its_letters,
    a_letter_with_a_dead_code_is_not_sent,
    a_refused_sign_up_sends_nothing,
}

/// The captured letters, newest first, as they were written.
async fn captured(on: &Instance) -> Vec<String> {
    let folder = on.server.platform.mail.captured.as_ref().unwrap();
    let mut found = Vec::new();
    for id in folder.newest(1_000).await.unwrap() {
        found.push(folder.read(id).await.unwrap().unwrap());
    }
    found
}

/// The code in the newest letter to this address that holds one.
async fn code(app: &TestApp, user: &TestUser) -> String {
    let letters = captured(app).await;
    let to = format!("<{}>", user.email);
    let letter = letters.iter().find(|text| text.contains(&to) && text.contains("Subject: Your code")).unwrap();
    let is_code = |line: &str| line.len() >= 4 && line.bytes().all(|byte| byte.is_ascii_digit());
    let line = letter.lines().map(str::trim).find(|line| is_code(line));
    line.unwrap_or_else(|| panic!("no code: {letter}")).to_owned()
}

/// Opens an account and waits for its letters.
async fn sign_up_and_read(app: &TestApp) -> TestUser {
    let before = sent(app).await;
    let user = app.sign_up(&[]).await;
    eventually("two letters", async || sent(app).await == before + 2).await;
    user
}

async fn sent(app: &TestApp) -> i64 {
    app.count("select count(*) as n from letters where status = 'SENT'").await
}

/// The payload of a mutation; top-level errors stay beside it.
async fn act(on: &Instance, who: &TestUser, mutation: &str, input: Value, selection: &str) -> Value {
    let ty = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let text = format!("mutation ($input: {ty}!) {{ done: {mutation}(input: $input) {{ {selection} }} }}");
    on.gql(who, &text, json!({ "input": input })).await
}

/// Offers a code and gives the code of the refusal, or nothing.
async fn verify(on: &Instance, who: &TestUser, code: &str) -> Option<String> {
    let selection = "viewer { email emailVerifiedAt } userErrors { code field message }";
    let answer = act(on, who, "emailVerify", json!({ "code": code }), selection).await;
    assert!(answer["errors"].is_null(), "{answer}");
    let payload = &answer["data"]["done"];
    match payload["userErrors"][0]["code"].as_str() {
        Some(refused) => {
            assert!(payload["viewer"].is_null(), "{payload}");
            Some(refused.to_owned())
        }
        None => {
            assert_eq!(payload["viewer"]["email"], who.email.as_str());
            assert!(payload["viewer"]["emailVerifiedAt"].is_string(), "{payload}");
            None
        }
    }
}

/// Asks for a new code and waits until its letter is there.
async fn send(app: &TestApp, who: &TestUser) -> Value {
    let before = sent(app).await;
    let answer = act(app, who, "emailVerificationSend", json!({}), "expiresAt userErrors { code }").await;
    if answer["data"]["done"]["expiresAt"].is_string() {
        eventually("the letter", async || sent(app).await == before + 1).await;
    }
    answer
}

async fn a_new_account_gets_its_letters(app: &TestApp) {
    app.work();
    let ada = sign_up_and_read(app).await;
    let letters = captured(app).await;
    assert_eq!(letters.len(), 2);
    for subject in ["Subject: Welcome to gigwire\r\n", "Subject: Your code for gigwire\r\n"] {
        assert_eq!(letters.iter().filter(|text| text.contains(subject)).count(), 1, "{letters:?}");
    }
    for letter in &letters {
        assert!(letter.contains("\r\nAuto-Submitted: auto-generated\r\n"), "{letter}");
        assert!(letter.contains("User 0") && letter.contains("text/plain") && letter.contains("text/html"), "{letter}");
    }
    // Nothing that is personal or secret stays in the database.
    let kept = "select count(*) as n from letters where address is not null or facts is not null";
    assert_eq!(app.count(kept).await, 0);
    let who = "{ viewer { email emailVerifiedAt } }";
    let before = app.gql(&ada, who, json!({})).await;
    assert_eq!(before["data"]["viewer"], json!({ "email": ada.email, "emailVerifiedAt": null }));
    let code = code(app, &ada).await;
    assert_eq!(code.len(), 4);
    assert_eq!(verify(app, &ada, &format!(" {} {} ", &code[..2], &code[2..])).await, None);
    assert_eq!(verify(app, &ada, &code).await.unwrap(), "EMAIL_VERIFIED");
    assert_eq!(send(app, &ada).await["data"]["done"]["userErrors"][0]["code"], "EMAIL_VERIFIED");
    assert_eq!(app.count("select count(*) as n from audit where action = 'email.verify'").await, 1);
}

async fn a_letter_with_a_dead_code_is_not_sent(app: &TestApp) {
    app.sign_up(&[]).await;
    app.clock.advance(11 * MINUTE);
    app.work();
    let failed = "select count(*) as n from letters where status = 'FAILED' and template = 'email-code'
        and last_error like '%not good any more' and address is null";
    eventually("the letter is given up", async || app.count(failed).await == 1).await;
    eventually("the other one is sent", async || sent(app).await == 1).await;
    assert_eq!(captured(app).await.len(), 1);
}

async fn a_refused_sign_up_sends_nothing(app: &TestApp) {
    app.work();
    let ada = sign_up_and_read(app).await;
    let text = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) { userErrors { code } } }";
    let input = json!({ "email": ada.email, "password": PASSWORD, "displayName": "Eve" });
    let refused = app.gql(ANONYMOUS, text, json!({ "input": input })).await;
    assert_eq!(refused["data"]["accountSignUp"]["userErrors"][0]["code"], "EMAIL_TAKEN");
    assert_eq!(app.count("select count(*) as n from letters").await, 2);
    assert_eq!(app.count("select count(*) as n from code_counts").await, 1);
}

async fn page(app: &TestApp, path: &str) -> (u16, String, String) {
    let answer = app.request(reqwest::Method::GET, path).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), policy, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_developer_sees_the_letters_and_their_source_is_harmless() {
    let app = TestApp::sqlite().await;
    assert_eq!(page(&app, "/dev/mail").await.0, 200, "an empty list before the first letter");
    app.work();
    let text = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) { viewer { email } } }";
    let input = json!({ "email": "eve@example.org", "password": PASSWORD, "displayName": "<img src=x onerror=a()>" });
    app.gql(ANONYMOUS, text, json!({ "input": input })).await;
    eventually("two letters", async || sent(&app).await == 2).await;
    let (status, policy, list) = page(&app, "/dev/mail").await;
    assert!(status == 200 && policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(list.contains("Welcome to gigwire") && !list.contains("<img"), "{list}");
    let (first, _) = list.split_once("href=\"/dev/mail/").unwrap().1.split_once('"').unwrap();
    let (status, policy, one) = page(&app, &format!("/dev/mail/{first}")).await;
    assert!(status == 200 && policy.contains("default-src 'none'"), "{policy}");
    assert!(one.contains("Message-ID: &lt;letter_") && !one.contains("<img"), "{one}");
    for path in ["letter_00000000000000000000000000", "..%2f..%2fgigwire.db", "x"] {
        assert_eq!(page(&app, &format!("/dev/mail/{path}")).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn nobody_sees_letters_in_production_or_when_none_are_captured() {
    let production = TestApp::sqlite_with(|config| config.app.env = Profile::Production).await;
    let smtp = TestApp::sqlite_with(|config| config.mail.smtp_host = "localhost".to_owned()).await;
    for app in [&production, &smtp] {
        for path in ["/dev/mail", "/dev/mail/letter_00000000000000000000000000"] {
            assert_eq!(page(app, path).await.0, 404, "{path}");
        }
    }
}
