//! What does not go well: each with its words, and its exit status.

use std::fs;

use super::{Pair, address, login, play};
use crate::support::app::{PASSWORD, TestApp};

#[tokio::test]
async fn refusals_end_a_script_with_1() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let at = address(&app);
    let enter = login(&pair.customer);
    for (script, words) in [
        (format!("login {} wrong password", pair.customer.email), ["line 1", "BAD_CREDENTIALS"]),
        ("ping\nwatch walletChanged\nexpect x".to_owned(), ["line 2", "UNAUTHENTICATED"]),
        (format!("{enter}\nwatch nonsenseHappened"), ["line 2", "GRAPHQL_VALIDATION_FAILED"]),
        (format!("{enter}\njoin conversation {}", pair.booking), ["line 2", "BAD_USER_INPUT"]),
        (format!("{enter}\nleave walletChanged"), ["line 2", "NOT_FOUND"]),
        ("query { nothing }".to_owned(), ["line 1", "GRAPHQL_VALIDATION_FAILED"]),
        ("query { viewer { email } }\nlet EMAIL viewer.email".to_owned(), ["line 2", "nothing at viewer.email"]),
        ("expect this within 100ms".to_owned(), ["line 1", "`this` within 100 ms"]),
        ("refused FORBIDDEN query { viewer { email } }".to_owned(), ["line 1", "not refused with FORBIDDEN"]),
        ("refused FORBIDDEN query { nothing }".to_owned(), ["line 1", "refused with GRAPHQL_VALIDATION_FAILED"]),
        (format!("{enter}\nwatch walletChanged after=nonsense"), ["not all went well", "GAP (INVALID)"]),
    ] {
        play(&at, &[], &[], &script).await.badly(1, &words);
    }
}

#[tokio::test]
async fn what_is_expected_to_go_wrong_may_go_wrong() {
    let app = TestApp::sqlite().await;
    let pair = Pair::new(&app).await;
    let stranger = app.sign_up(&["CONTRACTOR"]).await;
    let script = format!(
        "refused UNAUTHENTICATED watch walletChanged
        refused BAD_CREDENTIALS login {} wrong
        {}
        refused NOT_FOUND join conversation {}
        watch walletChanged after=nonsense
        expect GAP (INVALID)",
        stranger.email,
        login(&stranger),
        pair.conversation
    );
    play(&address(&app), &[], &[], &script).await.well();
}

#[tokio::test]
async fn what_cannot_be_understood_ends_with_2() {
    let app = TestApp::sqlite().await;
    let at = address(&app);
    for (script, words) in [
        ("pign", ["line 1", "did you mean `ping`"]),
        ("join", ["line 1", "join conversation|booking|job|dispute ID.."]),
        ("say hello", ["line 1", "join conversation"]),
        ("login", ["line 1", "TEST_USER"]),
        ("login somebody@example.org", ["line 1", "PASSWORD"]),
        ("ping\nping ${NOTHING}", ["line 2", "${NOTHING}"]),
        ("query nowhere.graphql", ["line 1", "nowhere.graphql"]),
        ("history", ["line 1", "no history"]),
    ] {
        play(&at, &[], &[], script).await.badly(2, &words);
    }
    play("nonsense", &[], &[], "ping").await.badly(2, &["ws://"]);
    play(&at, &["--script", "nowhere"], &[], "").await.badly(2, &["nowhere"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script").display().to_string();
    fs::write(&file, format!("signup customer early@example.org {PASSWORD}\npign")).unwrap();
    let played = play(&at, &["--script", &file], &[], "").await;
    played.badly(2, &["line 2", "`ping`"]);
    assert_eq!(played.said, "", "a file is understood as a whole before anything is done");
    assert_eq!(app.count("select count(*) as n from users").await, 0);
}

#[tokio::test]
async fn a_server_out_of_reach_ends_with_3() {
    let app =
        TestApp::sqlite_with(|config| config.cors.allowed_origins = vec!["https://app.example.org".to_owned()]).await;
    let at = address(&app);
    let soon = ["--patience", "1"];
    play("ws://127.0.0.1:9", &soon, &[], "ping").await.badly(3, &["line 1", "cannot be reached", "refused"]);
    play(&app.url("/healthz"), &soon, &[], "ping").await.badly(3, &["refused with 200"]);
    let from = |origin| ["--patience", "1", "--origin", origin];
    play(&at, &from("https://evil.example.org"), &[], "ping")
        .await
        .badly(3, &["403 Forbidden", "cors.allowed_origins"]);
    play(&at, &from("https://app.example.org"), &[], "ping").await.well();
    play(&at.replace("http", "wss"), &soon, &[], "ping").await.badly(3, &["line 1"]);
}

#[tokio::test]
async fn programs_read_what_went_wrong() {
    let app = TestApp::sqlite().await;
    let played = play(&address(&app), &["--json"], &[], "login nobody@example.org wrong").await;
    played.badly(1, &["BAD_CREDENTIALS"]);
    let last: serde_json::Value = serde_json::from_str(played.said.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["code"], &last["line"]), (&"error".into(), &"BAD_CREDENTIALS".into(), &1.into()));
}

#[tokio::test]
async fn help_explains_every_command() {
    let app = TestApp::sqlite().await;
    let said = play(&address(&app), &[], &[], "help\nhelp expect\nexit\npign").await.well();
    for word in ["join conversation|booking", "say TEXT", "exit", "each for one `expect`"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    play(&address(&app), &[], &[], "help epxect").await.badly(2, &["`expect`"]);
}
