//! What goes well: people sign in, talk, follow things, and the script says so.

use std::fs;

use serde_json::Value;

use super::{Pair, address, play};
use crate::support::app::{TestApp, on_both_engines};

on_both_engines!(two_people_talk_in_one_script);

/// The smoke test of docs/operations.md, in short: both sides in one script.
async fn two_people_talk_in_one_script(app: &TestApp) {
    let pair = Pair::new(app).await;
    let Pair { conversation, booking, .. } = &pair;
    let script = format!(
        "# both sides of one conversation
        ping
        login
        join conversation {conversation}
        as vendor
        login
        join conversation {conversation}
        join booking {booking}
        watch walletChanged
        typing on
        say See you on Monday.
        as user
        expect isTyping=true
        expect message.content=\"See you on Monday.\" within 5s
        say Fine.
        leave {conversation}
        as vendor
        expect message.content=Fine.
        query mutation ($id: ID!) {{ bookingStart(input: {{ bookingId: $id }}) {{ userErrors {{ code }} }} }} {{\"id\": \"{booking}\"}}
        expect BookingStatusChanged booking={booking} booking.status=IN_PROGRESS
        status
        logout
        whoami
        expect nobody is signed in"
    );
    let said = play(&address(app), &[], &pair.accounts(), &script).await.well();
    for word in ["pong after", "[vendor] sent as number 1", "[user] left 2", "walletChanged\n", "signed out"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[tokio::test]
async fn a_script_needs_no_data_to_begin_with() {
    let app = TestApp::sqlite().await;
    let script = r#"
        signup customer ada@example.org correct horse battery
        watch walletChanged
        query mutation ($input: DepositCreateInput!) {
          depositCreate(input: $input) { payment { id } userErrors { code } }
        } {"input": {"amount": {"amount": "200.00", "currency": "USD"}, "idempotencyKey": "1"}}
        expect wallet.available=200.00 USD
        query mutation ($input: JobPostInput!) { jobPost(input: $input) { job { id } userErrors { code } } } {"input": {"title": "Paint", "description": "White.", "budget": {"amount": "100.00", "currency": "USD"}}}
        let JOB jobPost.job.id
        as vendor
        signup contractor ben@example.org correct horse battery
        query mutation ($input: OfferSendInput!) { offerSend(input: $input) { offer { id } userErrors { code } } } {"input": {"jobId": "${JOB}", "amount": {"amount": "100.00", "currency": "USD"}, "idempotencyKey": "2"}}
        let OFFER offerSend.offer.id
        as user
        query mutation ($input: OfferAcceptInput!) { offerAccept(input: $input) { conversation { id } userErrors { code } } } {"input": {"offerId": "${OFFER}", "idempotencyKey": "3"}}
        let TALK offerAccept.conversation.id
        join conversation ${TALK}
        say Welcome
    "#;
    play(&address(&app), &[], &[], script).await.well();
}

#[tokio::test]
async fn every_subscription_can_be_watched_by_its_name() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    let schema = apollo_compiler::Schema::parse(schema, "schema.graphql").unwrap();
    let fields = &schema.get_object("Subscription").unwrap().fields;
    // Those of staff are refused to others, by name.
    let durable = fields.iter().filter(|(_, field)| field.argument_by_name("after").is_some());
    let open = durable.filter(|(_, field)| !field.directives.to_string().contains("MODERATOR"));
    let names: Vec<_> = open.map(|(name, _)| name.as_str()).collect();
    assert!(names.len() > 8, "{names:?}");
    let watches: String = names.iter().map(|name| format!("watch {name}\nexpect {name}: resumed\n")).collect();
    let script = format!("login\n{watches}watch typingChanged conversationId={}", pair.conversation);
    let said = play(&address(&app), &[], &pair.accounts(), &script).await.well();
    assert_eq!(said.matches("nothing is missing").count(), names.len(), "{said}");
}

#[tokio::test]
async fn programs_read_json() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let script = format!("login\njoin conversation {}\nsay Hello\nexpect message.content=Hello", pair.conversation);
    let said = play(&address(&app), &["--json"], &pair.accounts(), &script).await.well();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let event = lines.iter().find(|line| line["type"] == "event").unwrap();
    assert_eq!((&event["as"], &event["view"]), (&"user".into(), &"conversationChanged".into()), "{event}");
    assert_eq!(event["item"]["message"]["content"], "Hello");
    assert!(lines.iter().any(|line| line["type"] == "answer" && line["message"]["number"] == 1), "{said}");
}

#[tokio::test]
async fn documents_come_from_files_and_flags_win() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("who.graphql"), "query ($id: ID!) { booking(id: $id) { status } }").unwrap();
    fs::write(
        at("all.graphql"),
        "subscription ($after: String) { eventAppended(after: $after) { __typename id cursor } }",
    )
    .unwrap();
    let script = format!(
        "login\nquery {} {{\"id\": \"{}\"}}\nlet STATUS booking.status\nexpect STATUS = CONFIRMED\nquery {}\nexpect query: resumed",
        at("who.graphql"),
        pair.booking,
        at("all.graphql")
    );
    fs::write(at("script"), script).unwrap();
    let arguments = ["--url", &address(&app), "--script", &at("script"), "--user", &pair.contractor.email, "--frames"];
    let said = play("ws://127.0.0.1:9", &arguments, &pair.accounts(), "").await.well();
    assert!(said.contains(&pair.contractor.email), "the flag wins: {said}");
    assert!(said.contains("connection_ack") && said.contains("***"), "frames are shown: {said}");
    for secret in [crate::support::app::PASSWORD, "eyJ"] {
        assert!(!said.contains(secret), "{secret} is shown: {said}");
    }
}

#[tokio::test]
async fn what_others_write_stays_text() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let script = format!("login\njoin conversation {}\nsay \u{1b}[31mred\u{9b}2J\nexpect red", pair.conversation);
    let said = play(&address(&app), &[], &pair.accounts(), &script).await.well();
    assert!(!said.contains(['\u{1b}', '\u{9b}']), "{said:?}");
}
