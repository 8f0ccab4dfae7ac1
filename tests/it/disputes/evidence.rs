//! Files in a dispute: who adds them, who sees them, and that they stay.

use futures_util::future::join_all;
use gigwire::features::uploads::commands::remove_unneeded;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Deal, decision};
use crate::support::app::{ANONYMOUS, TestApp, TestUser, on_both_engines};
use crate::support::market::{Done, id_of, key};
use crate::support::pictures::{pdf, png};
use crate::uploads::{bring, fetch, upload};

on_both_engines! {
    both_parties_show_what_they_have,
    only_those_concerned_get_a_link,
    what_is_no_evidence_is_refused,
    ten_files_of_each_party_and_no_more,
    an_ended_dispute_takes_none_and_keeps_what_it_has,
    the_same_file_again_changes_nothing,
}

const FILES: &str = "query ($id: ID!) { dispute(id: $id) { version evidenceFiles { addedAt author { id }
    file { id url purpose contentType name } } } }";

async fn files(app: &TestApp, who: &TestUser, dispute: &str) -> Vec<Value> {
    let mut answer = app.gql(who, FILES, json!({ "id": dispute })).await;
    match answer["data"]["dispute"]["evidenceFiles"].take() {
        Value::Array(found) => found,
        _ => panic!("{answer:#}"),
    }
}

async fn evidence(app: &TestApp, who: &TestUser) -> String {
    let file = upload(app, who, "EVIDENCE", "application/pdf", pdf()).await;
    file["id"].as_str().unwrap().to_owned()
}

async fn add(app: &TestApp, who: &TestUser, dispute: &str, files: &[&str]) -> Done {
    app.act(who, "disputeAddEvidence", json!({ "disputeId": dispute, "fileIds": files })).await
}

async fn both_parties_show_what_they_have(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "200.00").await;
    let booking = app.book(&ada, &bob).await;
    let photo = upload(app, &ada, "EVIDENCE", "image/png", png()).await;
    let input = json!({ "bookingId": booking, "reason": "LATE", "evidence": "Look.", "idempotencyKey": "open",
        "evidenceFileIds": [photo["id"]] });
    let dispute = id_of(&app.act(&ada, "disputeOpen", input.clone()).await.ok(), "dispute");
    assert!(app.act(&ada, "disputeOpen", input.clone()).await.replayed);
    let mut other = input;
    other["evidenceFileIds"] = json!([]);
    app.act(&ada, "disputeOpen", other).await.refused("IDEMPOTENCY_MISMATCH");
    app.clock.advance(1_000);
    let theirs = [photo["id"].as_str().unwrap()];
    add(app, &bob, &dispute, &theirs).await.refused_at("NOT_FOUND", &["fileIds"]);
    let letter = evidence(app, &bob).await;
    let done = add(app, &bob, &dispute, &[&letter]).await.ok();
    assert_eq!(done["dispute"]["version"], 2);
    for who in [&ada, &bob] {
        let found = files(app, who, &dispute).await;
        let told = |at: usize| (&found[at]["file"]["id"], &found[at]["author"]["id"]);
        assert_eq!(found.len(), 2);
        assert_eq!(told(0), (&photo["id"], &json!(ada.id)), "the oldest first");
        assert_eq!(told(1), (&json!(letter), &json!(bob.id)));
        assert!(found[0]["addedAt"].as_str() < found[1]["addedAt"].as_str());
        for file in &found {
            assert_eq!(fetch(&file["file"]["url"]).await.status(), StatusCode::OK);
        }
    }
    let audited = "select count(*) as n from audit where action = 'dispute.add_evidence' and actor_role = 'CONTRACTOR'";
    assert_eq!(app.count(audited).await, 1);
    assert_eq!(app.count("select count(*) as n from events where kind = 'DisputeEvidenceAdded'").await, 2);
    app.assert_books().await;
}

async fn only_those_concerned_get_a_link(app: &TestApp) {
    let deal = Deal::new(app, &[]).await;
    let (eve, admin, moderator) = (app.sign_up(&["CUSTOMER"]).await, app.admin().await, app.moderator().await);
    let file = evidence(app, &deal.ada).await;
    let text = "query ($id: ID!) { node(id: $id) { ... on File { id url name } } }";
    let node = async |who: Option<&TestUser>| {
        let token = who.map(|who| who.token.as_str());
        app.gql(token, text, json!({ "id": file })).await["data"]["node"].take()
    };
    // Until it is in the dispute it is for its owner alone, staff or not.
    for who in [Some(&deal.bob), Some(&eve), Some(&admin), None] {
        assert!(node(who).await.is_null(), "{who:?}");
    }
    add(app, &deal.ada, &deal.dispute, &[&file]).await.ok();
    for (who, named) in [(&deal.ada, true), (&deal.bob, false), (&admin, true), (&moderator, true)] {
        let found = node(Some(who)).await;
        assert_eq!(fetch(&found["url"]).await.status(), StatusCode::OK, "{found}");
        assert_eq!(found["name"].is_string(), named, "{found}");
        assert_eq!(files(app, who, &deal.dispute).await.len(), 1);
    }
    assert!(node(Some(&eve)).await.is_null() && node(None).await.is_null());
    let answer = app.gql(&eve, FILES, json!({ "id": deal.dispute })).await;
    assert!(answer["data"]["dispute"].is_null(), "{answer}");
    let answer = app.gql(ANONYMOUS, FILES, json!({ "id": deal.dispute })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    // A link is good for a while, and for this file only.
    let url = node(Some(&deal.bob)).await["url"].as_str().unwrap().to_owned();
    let other = url.replace("/files/", "/files/x");
    assert_ne!(fetch(&json!(other)).await.status(), StatusCode::OK);
    app.clock.advance(6 * 60_000);
    assert_ne!(fetch(&json!(url)).await.status(), StatusCode::OK, "its time is over");
}

async fn what_is_no_evidence_is_refused(app: &TestApp) {
    let deal = Deal::new(app, &[]).await;
    let (eve, admin) = (app.sign_up(&["CUSTOMER"]).await, app.admin().await);
    let (own, theirs) = (evidence(app, &deal.ada).await, evidence(app, &deal.bob).await);
    let picture = upload(app, &deal.ada, "CHAT_ATTACHMENT", "application/pdf", pdf()).await;
    let begun = bring(app, &deal.ada, "EVIDENCE", "application/pdf", pdf()).await;
    let unfinished = begun["id"].as_str().unwrap().replace("upload_", "file_");
    let before = app.traces().await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for (file, code) in [
        (theirs, "NOT_FOUND"),
        (unfinished.clone(), "NOT_FOUND"),
        ("file_00000000000000000000000007".to_owned(), "NOT_FOUND"),
        (text(&picture["id"]), "INVALID"),
    ] {
        add(app, &deal.ada, &deal.dispute, &[&own, &file]).await.refused_at(code, &["fileIds"]);
        // A file that was refused takes nothing along.
        assert!(files(app, &deal.ada, &deal.dispute).await.is_empty());
    }
    add(app, &deal.ada, &deal.dispute, &[]).await.refused_at("INVALID", &["fileIds"]);
    add(app, &deal.ada, &deal.dispute, &[&deal.booking]).await.refused("BAD_USER_INPUT");
    add(app, &deal.ada, "dispute_00000000000000000000000007", &[&own]).await.refused("NOT_FOUND");
    let strange = evidence(app, &eve).await;
    add(app, &eve, &deal.dispute, &[&strange]).await.refused("NOT_FOUND");
    add(app, &admin, &deal.dispute, &[&own]).await.refused("FORBIDDEN");
    assert_eq!(app.traces().await, before);
    // A dispute is not opened with what is no evidence.
    app.act(&deal.ada, "disputeWithdraw", json!({ "disputeId": deal.dispute })).await.ok();
    let before = app.traces().await;
    let input = json!({ "bookingId": deal.booking, "reason": "LATE", "evidence": "Look.", "idempotencyKey": key(),
        "evidenceFileIds": [unfinished] });
    app.act(&deal.ada, "disputeOpen", input).await.refused_at("NOT_FOUND", &["evidenceFileIds"]);
    assert_eq!(app.traces().await, before);
    app.assert_books().await;
}

async fn ten_files_of_each_party_and_no_more(app: &TestApp) {
    let deal = Deal::new(app, &[]).await;
    let mut own = Vec::new();
    for _ in 0..11 {
        own.push(evidence(app, &deal.ada).await);
    }
    let all: Vec<_> = own.iter().map(String::as_str).collect();
    add(app, &deal.ada, &deal.dispute, &all).await.refused_at("TOO_MANY_FILES", &["fileIds"]);
    // The same one twice is one, and eleven at once from as many requests are ten.
    add(app, &deal.ada, &deal.dispute, &[all[0], all[0]]).await.ok();
    let done =
        join_all(all[1..].iter().map(|file| add(app, &deal.ada, &deal.dispute, std::slice::from_ref(file)))).await;
    let refused: Vec<_> = done.iter().filter_map(Done::refusal).collect();
    assert_eq!(refused, ["TOO_MANY_FILES"]);
    assert_eq!(files(app, &deal.bob, &deal.dispute).await.len(), 10);
    let theirs = evidence(app, &deal.bob).await;
    add(app, &deal.bob, &deal.dispute, &[&theirs]).await.ok();
    assert_eq!(files(app, &deal.ada, &deal.dispute).await.len(), 11, "one party takes no room from the other");
    app.assert_books().await;
}

async fn an_ended_dispute_takes_none_and_keeps_what_it_has(app: &TestApp) {
    let deal = Deal::new(app, &[]).await;
    let admin = app.admin().await;
    let (kept, late) = (evidence(app, &deal.ada).await, evidence(app, &deal.ada).await);
    add(app, &deal.ada, &deal.dispute, &[&kept]).await.ok();
    let input = decision(&deal.dispute, ["30.00", "60.00", "10.00"], "KEPT");
    app.act(&admin, "disputeDecide", input).await.ok();
    for who in [&deal.ada, &deal.bob] {
        add(app, who, &deal.dispute, &[&late]).await.refused("CONFLICT");
    }
    // A day later what nobody needed is gone, and what was shown is there.
    app.clock.advance(2 * DAY);
    remove_unneeded(&app.server.platform, &Caller::system("test")).await.unwrap();
    assert_eq!(app.count("select count(*) as n from uploads").await, 1);
    let ada = app.sign_in(&deal.ada.email, crate::support::app::PASSWORD).await;
    let found = files(app, &ada, &deal.dispute).await;
    assert_eq!(found[0]["file"]["id"], json!(kept));
    assert_eq!(fetch(&found[0]["file"]["url"]).await.status(), StatusCode::OK);
    add(app, &ada, &deal.dispute, &[&late]).await.refused("CONFLICT");
    app.assert_books().await;
}

async fn the_same_file_again_changes_nothing(app: &TestApp) {
    let deal = Deal::new(app, &[]).await;
    let file = evidence(app, &deal.ada).await;
    let only = [file.as_str()];
    let done = join_all((0..6).map(|_| add(app, &deal.ada, &deal.dispute, &only))).await;
    assert!(done.iter().all(|done| done.refusal().is_none()), "{done:#?}");
    let before = app.traces().await;
    let again = add(app, &deal.ada, &deal.dispute, &[&file]).await.ok();
    assert_eq!(again["dispute"]["version"], 2);
    assert_eq!(app.traces().await, before);
    // It may serve in another dispute of its owner as well.
    app.act(&deal.ada, "disputeWithdraw", json!({ "disputeId": deal.dispute })).await.ok();
    let second = id_of(&super::open(app, &deal.ada, &deal.booking).await.ok(), "dispute");
    add(app, &deal.ada, &second, &[&file]).await.ok();
    assert_eq!((files(app, &deal.bob, &deal.dispute).await.len(), files(app, &deal.bob, &second).await.len()), (1, 1));
    app.assert_books().await;
}
