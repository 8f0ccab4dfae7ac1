//! What a user shows of itself.

use serde_json::{Value, json};

use super::{fetch, upload};
use crate::support::app::{ANONYMOUS, TestApp, TestUser, on_both_engines};
use crate::support::market::id_of;
use crate::support::pictures::{pdf, png};

on_both_engines! {
    pictures_are_shown_to_everyone,
    what_is_absent_stays_and_null_clears,
    only_own_files_of_the_right_purpose_fit,
    a_stale_change_is_a_conflict,
    a_change_is_an_event_of_the_own_stream,
}

async fn profile(app: &TestApp, of: &TestUser) -> Value {
    let text = "query ($id: ID!) { node(id: $id) { ... on User {
        displayName bio version profileImage { id url } coverImage { id } } } }";
    app.gql(ANONYMOUS, text, json!({ "id": of.id })).await["data"]["node"].take()
}

pub async fn pictures_are_shown_to_everyone(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let face = upload(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    let cover = upload(app, &ada, "COVER_IMAGE", "image/png", png()).await;
    let input = json!({ "profileImageId": face["id"], "coverImageId": cover["id"], "bio": "I paint.\nFences." });
    let done = app.act(&ada, "profileUpdate", input).await.ok();
    assert_eq!(id_of(&done, "user"), ada.id);
    let shown = profile(app, &ada).await;
    assert_eq!((&shown["profileImage"]["id"], &shown["coverImage"]["id"]), (&face["id"], &cover["id"]));
    assert_eq!(shown["bio"], "I paint.\nFences.");
    assert_eq!(fetch(&shown["profileImage"]["url"]).await.status(), 200);
}

async fn what_is_absent_stays_and_null_clears(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let face = upload(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    let first = json!({ "profileImageId": face["id"], "bio": "Hello", "displayName": "Ada L." });
    app.act(&ada, "profileUpdate", first).await.ok();
    app.act(&ada, "profileUpdate", json!({})).await.ok();
    let shown = profile(app, &ada).await;
    assert_eq!(
        (&shown["displayName"], &shown["bio"], &shown["version"]),
        (&json!("Ada L."), &json!("Hello"), &json!(2))
    );
    assert_eq!(shown["profileImage"]["id"], face["id"]);
    app.act(&ada, "profileUpdate", json!({ "profileImageId": null, "bio": null })).await.ok();
    let shown = profile(app, &ada).await;
    assert_eq!(
        (&shown["displayName"], &shown["bio"], &shown["profileImage"]),
        (&json!("Ada L."), &json!(null), &json!(null))
    );
    app.act(&ada, "profileUpdate", json!({ "displayName": null })).await.refused_at("INVALID", &["displayName"]);
    app.act(&ada, "profileUpdate", json!({ "displayName": "x".repeat(81) }))
        .await
        .refused_at("TOO_LONG", &["displayName"]);
    app.act(&ada, "profileUpdate", json!({ "bio": "x".repeat(1001) })).await.refused_at("TOO_LONG", &["bio"]);
    app.act(&ada, "profileUpdate", json!({ "bio": "a\u{7}b" })).await.refused_at("INVALID", &["bio"]);
}

async fn only_own_files_of_the_right_purpose_fit(app: &TestApp) {
    let (ada, eve) = (app.sign_up(&[]).await, app.sign_up(&[]).await);
    let cover = upload(app, &ada, "COVER_IMAGE", "image/png", png()).await;
    let plan = upload(app, &ada, "CHAT_ATTACHMENT", "application/pdf", pdf()).await;
    for file in [&cover, &plan] {
        let input = json!({ "profileImageId": file["id"], "bio": "new" });
        app.act(&ada, "profileUpdate", input).await.refused_at("INVALID", &["profileImageId"]);
    }
    app.act(&eve, "profileUpdate", json!({ "coverImageId": cover["id"] }))
        .await
        .refused_at("NOT_FOUND", &["coverImageId"]);
    app.act(&ada, "profileUpdate", json!({ "coverImageId": ada.id })).await.refused("BAD_USER_INPUT");
    assert!(profile(app, &ada).await["bio"].is_null(), "a refused change changes nothing");
    // It is still on its way out.
    assert_eq!(app.count("select count(*) as n from uploads where remove_at is null").await, 0);
}

async fn a_stale_change_is_a_conflict(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    app.act(&ada, "profileUpdate", json!({ "bio": "one", "expectedVersion": 1 })).await.ok();
    let done = app.act(&ada, "profileUpdate", json!({ "bio": "two", "expectedVersion": 1 })).await;
    let payload = done.refused("CONFLICT");
    assert_eq!((&payload["user"]["bio"], &payload["user"]["version"]), (&json!("one"), &json!(2)), "{payload}");
}

async fn a_change_is_an_event_of_the_own_stream(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let changes = "select count(*) as n from events where kind = 'ProfileChanged'";
    app.act(&ada, "profileUpdate", json!({ "bio": "one" })).await.ok();
    assert_eq!(app.count(changes).await, 1);
    app.act(&ada, "profileUpdate", json!({ "bio": "one" })).await.ok();
    assert_eq!(app.count(changes).await, 1, "nothing changed");
    app.assert_books().await;
}
