//! Letters by SMTP, to a real server that is up, down, slow of mind, or dying.

use std::collections::BTreeSet;
use std::time::Duration;

use gigwire::kernel::clock::HOUR;
use gigwire::platform::config::{MailTls, Secret};
use serde_json::json;

use super::sent;
use super::server::{MailServer, header};
use crate::support::app::{ANONYMOUS, PASSWORD, TestApp, eventually};

const WAITING: &str = "select count(*) as n from letters where status = 'PENDING' and attempts > 0";
const FAILED: &str = "select count(*) as n from letters where status = 'FAILED'";

/// Nothing more arrives, although all pauses are over.
async fn stays(app: &TestApp, server: &MailServer, count: usize) {
    app.clock.advance(2 * HOUR);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(server.taken().len(), count);
}

async fn a_letter_arrives_whole(app: TestApp, server: &MailServer) {
    app.work();
    let text = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) { userErrors { code } } }";
    let name = "Zoë \"<Bcc: eve@x.test>\", Ünï";
    let input = json!({ "email": "zoe@example.org", "password": PASSWORD, "displayName": name });
    app.gql(ANONYMOUS, text, json!({ "input": input })).await;
    eventually("both letters are sent", async || sent(&app).await == 2).await;
    let taken = server.taken();
    assert_eq!(taken.len(), 2);
    let ids: BTreeSet<_> = taken.iter().map(|letter| header(letter, "Message-ID")).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    for letter in &taken {
        assert_eq!(letter["from"], "no-reply@shop.test");
        assert_eq!(letter["to"], json!(["zoe@example.org"]), "{letter:#}");
        assert_eq!(letter["defects"], json!([]), "{letter:#}");
        assert_eq!(header(letter, "From"), "The Shop <no-reply@shop.test>");
        let to = header(letter, "To");
        assert!(to.ends_with("<zoe@example.org>") && to.contains("Zoë"), "{to}");
        assert!(header(letter, "Message-ID").ends_with("@shop.test>") && !header(letter, "Date").is_empty());
        assert_eq!(header(letter, "Auto-Submitted"), "auto-generated");
        assert!(!letter["headers"].as_array().unwrap().iter().any(|header| header[0] == "Bcc"));
        assert_eq!(letter["type"], "multipart/alternative");
        let parts: Vec<_> =
            letter["parts"].as_array().unwrap().iter().map(|part| part["type"].as_str().unwrap()).collect();
        assert_eq!(parts, ["text/plain", "text/html"]);
        assert!(letter["parts"][0]["text"].as_str().unwrap().contains(name));
        assert!(letter["parts"][1]["text"].as_str().unwrap().contains("&lt;Bcc: eve@x.test&gt;"), "{letter:#}");
    }
    let referred = "select count(*) as n from letters where reference like '%queued as T3ST' and attempts = 1";
    assert_eq!(app.count(referred).await, 2);
    stays(&app, server, 2).await;
}

#[tokio::test]
async fn a_letter_arrives_whole_on_sqlite() {
    let server = MailServer::up("accept");
    a_letter_arrives_whole(TestApp::sqlite_with(|config| server.serve(config)).await, &server).await;
}

#[tokio::test]
async fn a_letter_arrives_whole_on_postgres() {
    let server = MailServer::up("accept");
    a_letter_arrives_whole(TestApp::postgres_with(|config| server.serve(config)).await, &server).await;
}

/// The welcome is looked at: the code in the other letter dies while the server is away.
async fn a_server_that_was_down_gets_each_letter_once(app: TestApp, mut server: MailServer) {
    app.work();
    app.sign_up(&[]).await;
    eventually("an attempt was in vain", async || app.count(WAITING).await == 2).await;
    let told = "select count(*) as n from letters where last_error like '%cannot be reached%'";
    assert_eq!(app.count(told).await, 2);
    server.start("accept");
    app.clock.advance(30_000);
    eventually("both letters are sent", async || sent(&app).await == 2).await;
    assert_eq!(server.taken().len(), 2);
    stays(&app, &server, 2).await;
}

#[tokio::test]
async fn a_server_that_was_down_gets_each_letter_once_on_sqlite() {
    let server = MailServer::down();
    a_server_that_was_down_gets_each_letter_once(TestApp::sqlite_with(|config| server.serve(config)).await, server)
        .await;
}

#[tokio::test]
async fn a_server_that_was_down_gets_each_letter_once_on_postgres() {
    let server = MailServer::down();
    a_server_that_was_down_gets_each_letter_once(TestApp::postgres_with(|config| server.serve(config)).await, server)
        .await;
}

#[tokio::test]
async fn a_refusal_for_now_is_tried_again() {
    let server = MailServer::up("defer");
    let app = TestApp::sqlite_with(|config| server.serve(config)).await;
    app.work();
    app.sign_up(&[]).await;
    eventually("an attempt was in vain", async || app.count(WAITING).await > 0).await;
    let told = "select count(*) as n from letters where last_error = 'the mail server answered 451'";
    assert!(app.count(told).await > 0);
    for _ in 0..3 {
        app.clock.advance(60_000);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    eventually("both letters are sent", async || sent(&app).await == 2).await;
    assert_eq!(server.taken().len(), 2);
}

#[tokio::test]
async fn a_refusal_for_ever_is_recorded_and_not_tried_again() {
    let mut server = MailServer::up("reject");
    let app = TestApp::sqlite_with(|config| server.serve(config)).await;
    app.work();
    app.sign_up(&[]).await;
    eventually("both letters are given up", async || app.count(FAILED).await == 2).await;
    // The server repeated the address; the reason does not.
    let told = "select count(*) as n from letters where last_error = 'the mail server answered 550' and attempts = 1
        and address is null and facts is null and ended_at is not null";
    assert_eq!(app.count(told).await, 2);
    assert_eq!(app.count("select count(*) as n from tasks where last_error like '%example.org%'").await, 0);
    server.start("accept");
    stays(&app, &server, 0).await;
}

/// What SMTP cannot prevent: the server took the letter and did not live to say so. The second copy says that it is one.
#[tokio::test]
async fn a_server_that_dies_behind_the_letter_gets_it_again_under_the_same_id() {
    let mut server = MailServer::up("die");
    let app = TestApp::sqlite_with(|config| server.serve(config)).await;
    app.work();
    app.sign_up(&[]).await;
    eventually("both attempts were in vain", async || app.count(WAITING).await == 2).await;
    let before = server.taken();
    assert!(!before.is_empty());
    server.start("accept");
    app.clock.advance(30_000);
    eventually("both letters are sent", async || sent(&app).await == 2).await;
    let taken = server.taken();
    let ids: Vec<_> = taken.iter().map(|letter| header(letter, "Message-ID")).collect();
    assert_eq!(ids.len(), before.len() + 2, "{ids:?}");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 2, "a copy has the id of the first one: {ids:?}");
    stays(&app, &server, taken.len()).await;
}

#[tokio::test]
async fn a_letter_is_given_up_in_the_end() {
    let server = MailServer::down();
    let app = TestApp::sqlite_with(|config| server.serve(config)).await;
    app.work();
    app.sign_up(&[]).await;
    for _ in 0..60 {
        if app.count(FAILED).await == 2 {
            break;
        }
        app.clock.advance(2 * HOUR);
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    let told = "select count(*) as n from letters where status = 'FAILED' and address is null";
    assert_eq!(app.count(told).await, 2);
    assert_eq!(app.count("select count(*) as n from letters where template = 'welcome' and attempts = 20").await, 1);
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_when_tls_is_asked_for() {
    for tls in [MailTls::Starttls, MailTls::Tls] {
        let server = MailServer::up("accept");
        let change = |config: &mut gigwire::platform::config::Config| {
            server.serve(config);
            config.mail.smtp_tls = tls;
        };
        let app = TestApp::sqlite_with(change).await;
        app.work();
        app.sign_up(&[]).await;
        eventually("an attempt was in vain", async || app.count(WAITING).await == 2).await;
        assert_eq!(server.taken().len(), 0);
    }
}

#[tokio::test]
async fn a_wrong_password_loses_no_letter() {
    let server = MailServer::up("auth");
    let sign_in = |password: &'static str| {
        let server = &server;
        move |config: &mut gigwire::platform::config::Config| {
            server.serve(config);
            config.mail.smtp_user = "user".to_owned();
            config.mail.smtp_pass = Secret::new(password);
        }
    };
    let app = TestApp::sqlite_with(sign_in("wrong")).await;
    app.work();
    app.sign_up(&[]).await;
    eventually("an attempt was in vain", async || app.count(WAITING).await == 2).await;
    assert_eq!(
        app.count("select count(*) as n from letters where last_error = 'the mail server answered 535'").await,
        2
    );
    let app = TestApp::sqlite_with(sign_in("pass")).await;
    app.work();
    app.sign_up(&[]).await;
    eventually("both letters are sent", async || sent(&app).await == 2).await;
}

#[tokio::test]
async fn several_workers_send_each_letter_once() {
    let server = MailServer::up("accept");
    let app = TestApp::scaled_with(2, |config| server.serve(config)).await;
    app.on(0).work();
    app.on(1).work();
    for _ in 0..10 {
        app.sign_up(&[]).await;
    }
    eventually("all letters are sent", async || sent(&app).await == 20).await;
    let ids: BTreeSet<_> = server.taken().iter().map(|letter| header(letter, "Message-ID")).collect();
    assert_eq!((ids.len(), server.taken().len()), (20, 20));
}
