//! Roles and blocks: who grants them, whom they concern, and how they end.

use gigwire::kernel::clock::HOUR;
use serde_json::{Value, json};

use super::{is_let_in, refresh};
use crate::support::app::{ANONYMOUS, Instance, PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::Done;

on_both_engines! {
    only_administrators_grant_roles,
    somebody_stays_an_administrator,
    a_user_adds_a_role_to_its_own,
    who_is_blocked_is_kept_out,
    a_block_ends_by_itself,
    nobody_blocks_itself_or_whom_it_may_not,
    two_administrators_do_not_block_each_other,
    disconnecting_is_for_staff_and_leaves_a_trace,
}

async fn set_roles(app: &Instance, who: &TestUser, user: &TestUser, roles: &[&str]) -> Done {
    app.act(who, "userRolesSet", json!({ "userId": user.id, "roles": roles, "reason": "As agreed." })).await
}

async fn block(app: &Instance, who: &TestUser, user: &TestUser, until: Value) -> Done {
    app.act(who, "userBlock", json!({ "userId": user.id, "blockUntil": until, "reason": "Spam." })).await
}

async fn unblock(app: &Instance, who: &TestUser, user: &TestUser) -> Done {
    app.act(who, "userUnblock", json!({ "userId": user.id, "reason": "It was a mistake." })).await
}

/// A user with the role MODERATOR.
async fn moderator(app: &TestApp, admin: &TestUser) -> TestUser {
    let user = app.sign_up(&[]).await;
    set_roles(app, admin, &user, &["CUSTOMER", "MODERATOR"]).await.ok();
    user
}

/// The refusals of a sign-in.
async fn sign_in(app: &Instance, email: &str) -> Value {
    let text = "mutation ($input: AccountSignInInput!) { accountSignIn(input: $input) { userErrors { code } } }";
    let answer = app.gql(ANONYMOUS, text, json!({ "input": { "email": email, "password": PASSWORD } })).await;
    answer["data"]["accountSignIn"]["userErrors"].clone()
}

/// The code that a token is refused with.
async fn refusal(app: &Instance, token: &str) -> Value {
    app.gql(token, "{ viewer { user { id } } }", json!({})).await["errors"][0]["extensions"]["code"].clone()
}

async fn roles_of(app: &Instance, who: &TestUser) -> Value {
    app.gql(who, "{ viewer { user { roles } } }", json!({})).await["data"]["viewer"]["user"]["roles"].clone()
}

async fn only_administrators_grant_roles(app: &TestApp) {
    let admin = app.admin().await;
    let (ada, bob) = (app.sign_up(&[]).await, moderator(app, &admin).await);
    for who in [&ada, &bob] {
        set_roles(app, who, &ada, &["ADMIN"]).await.refused("FORBIDDEN");
    }
    let set = set_roles(app, &admin, &ada, &["CONTRACTOR", "MODERATOR"]).await.ok();
    assert_eq!(set["user"]["roles"], json!(["CONTRACTOR", "MODERATOR"]), "{set}");
    assert_eq!(roles_of(app, &ada).await, json!(["CONTRACTOR", "MODERATOR"]), "at once");
    // The same again is no change.
    assert_eq!(set_roles(app, &admin, &ada, &["MODERATOR", "CONTRACTOR"]).await.ok()["user"]["version"], 2);
    let trail = "select count(*) as n from audit where action = 'user.roles' and reason = 'As agreed.'";
    assert_eq!(app.count(trail).await, 2);
    set_roles(app, &admin, &ada, &[]).await.refused_at("INVALID", &["roles"]);
    let input = json!({ "userId": ada.id, "roles": ["CUSTOMER"], "reason": " " });
    app.act(&admin, "userRolesSet", input).await.refused_at("INVALID", &["reason"]);
    let nobody = TestUser { id: "user_01h455vb4pex5vsknk084sn02q".to_owned(), ..ada.clone() };
    set_roles(app, &admin, &nobody, &["CUSTOMER"]).await.refused_at("NOT_FOUND", &["userId"]);
    set_roles(app, &admin, &ada, &["CUSTOMER"]).await.ok();
    set_roles(app, &ada, &bob, &["CUSTOMER"]).await.refused("FORBIDDEN");
}

async fn somebody_stays_an_administrator(app: &TestApp) {
    let (one, two) = (app.admin().await, app.admin().await);
    let both = tokio::join!(set_roles(app, &one, &one, &["CUSTOMER"]), set_roles(app, &two, &two, &["CUSTOMER"]));
    let mut refusals = [both.0.refusal(), both.1.refusal()];
    refusals.sort_unstable();
    assert_eq!(refusals, [None, Some("LAST_ADMIN")]);
    let last = if both.0.refusal().is_none() { &two } else { &one };
    set_roles(app, last, last, &["MODERATOR"]).await.refused_at("LAST_ADMIN", &["roles"]);
    // An administrator who is blocked is none to rely on.
    let spare = app.admin().await;
    block(app, last, &spare, Value::Null).await.ok();
    set_roles(app, last, last, &["CUSTOMER"]).await.refused("LAST_ADMIN");
    unblock(app, last, &spare).await.ok();
    set_roles(app, last, last, &["CUSTOMER"]).await.ok();
    assert_eq!(app.count("select count(*) as n from users where roles >= 8").await, 1);
}

async fn a_user_adds_a_role_to_its_own(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    for _ in 0..2 {
        let added = app.act(&ada, "accountRoleAdd", json!({ "role": "CONTRACTOR" })).await.ok();
        assert_eq!(added["viewer"]["user"]["roles"], json!(["CUSTOMER", "CONTRACTOR"]));
    }
    assert_eq!(app.count("select count(*) as n from audit where action = 'user.roles'").await, 1);
    let bob = app.sign_up(&["CUSTOMER"]).await;
    let job = app.post_job(&bob).await;
    app.offer(&ada, &job, "90.00").await.ok();
}

async fn who_is_blocked_is_kept_out(app: &TestApp) {
    let admin = app.admin().await;
    let (staff, ada) = (moderator(app, &admin).await, app.sign_up(&[]).await);
    let blocked = block(app, &staff, &ada, Value::Null).await.ok();
    let kept = &blocked["user"]["block"];
    assert!(kept["blockedAt"].is_string() && kept["blockUntil"].is_null(), "{blocked}");
    assert_eq!(kept["blockReason"], "Spam.");
    assert_eq!(refusal(app, &ada.token).await, "ACCOUNT_BLOCKED");
    assert_eq!(sign_in(app, &ada.email).await, json!([{ "code": "ACCOUNT_BLOCKED" }]));
    assert!(refresh(app, &ada.refresh_token).await["session"].is_null());
    let trail = "select count(*) as n from audit where action = 'user.block' and reason = 'Spam.'
        and actor_role = 'MODERATOR'";
    assert_eq!(app.count(trail).await, 1);
    // Why is for staff alone.
    let node = format!("{{ node(id: \"{}\") {{ ... on User {{ block {{ blockReason }} }} }} }}", ada.id);
    let bob = app.sign_up(&[]).await;
    assert_eq!(app.gql(&bob, &node, json!({})).await["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let seen = app.gql(&staff, &node, json!({})).await;
    assert_eq!(seen["data"]["node"]["block"]["blockReason"], "Spam.", "{seen}");

    unblock(app, &staff, &ada).await.ok();
    assert!(!is_let_in(app, &ada.token).await, "what has ended stays so");
    app.sign_in(&ada.email, PASSWORD).await;
    let again = unblock(app, &staff, &ada).await;
    assert!(again.refused("CONFLICT")["user"]["block"].is_null());
}

async fn a_block_ends_by_itself(app: &TestApp) {
    let (admin, ada) = (app.admin().await, app.sign_up(&[]).await);
    let until = |hours: i64| app.server.platform.clock.now().plus(hours * HOUR).rfc3339().unwrap();
    block(app, &admin, &ada, json!(until(-1))).await.refused_at("INVALID", &["blockUntil"]);
    block(app, &admin, &ada, Value::Null).await.ok();
    let blocked = block(app, &admin, &ada, json!(until(2))).await.ok();
    assert!(blocked["user"]["block"]["blockUntil"].is_string(), "{blocked}");
    app.clock.advance(HOUR);
    assert_eq!(sign_in(app, &ada.email).await, json!([{ "code": "ACCOUNT_BLOCKED" }]));
    app.clock.advance(2 * HOUR);
    let ada = app.sign_in(&ada.email, PASSWORD).await;
    assert!(is_let_in(app, &ada.token).await);
    let admin = app.sign_in(&admin.email, PASSWORD).await;
    unblock(app, &admin, &ada).await.refused("CONFLICT");
}

async fn nobody_blocks_itself_or_whom_it_may_not(app: &TestApp) {
    let admin = app.admin().await;
    let (staff, ada) = (moderator(app, &admin).await, app.sign_up(&[]).await);
    block(app, &ada, &staff, Value::Null).await.refused("FORBIDDEN");
    for who in [&staff, &admin] {
        block(app, who, who, Value::Null).await.refused_at("OWN_ACCOUNT", &["userId"]);
    }
    let other = moderator(app, &admin).await;
    for staffer in [&other, &admin] {
        block(app, &staff, staffer, Value::Null).await.refused("FORBIDDEN");
    }
    block(app, &admin, &other, Value::Null).await.ok();
    unblock(app, &staff, &other).await.refused("FORBIDDEN");
    unblock(app, &ada, &other).await.refused("FORBIDDEN");
    unblock(app, &admin, &other).await.ok();
}

async fn two_administrators_do_not_block_each_other(app: &TestApp) {
    let (one, two) = (app.admin().await, app.admin().await);
    let both = tokio::join!(block(app, &one, &two, Value::Null), block(app, &two, &one, Value::Null));
    let done = [&both.0, &both.1].into_iter().filter(|done| done.refusal().is_none()).count();
    assert_eq!(done, 1, "{both:?}");
    assert_eq!(app.count("select count(*) as n from users where blocked_at is not null").await, 1);
}

async fn disconnecting_is_for_staff_and_leaves_a_trace(app: &TestApp) {
    let admin = app.admin().await;
    let (staff, ada) = (moderator(app, &admin).await, app.sign_up(&[]).await);
    let mut socket = app.socket(&ada, &Value::Null).await;
    let input = |user: &TestUser| json!({ "userId": user.id, "reason": "Floods." });
    app.act(&ada, "sessionDisconnect", input(&ada)).await.refused("FORBIDDEN");
    app.act(&staff, "sessionDisconnect", input(&admin)).await.refused("FORBIDDEN");
    let done = app.act(&staff, "sessionDisconnect", input(&ada)).await.ok();
    assert_eq!(done["endedCount"], 1);
    assert_eq!(socket.closed_because().await, (4403, "Forbidden: disconnected by staff".to_owned()));
    assert_eq!(
        app.count("select count(*) as n from audit where action = 'user.disconnect' and reason = 'Floods.'").await,
        1
    );
    // The session goes on, and the client may come back, to stay.
    let mut back = app.socket(&ada, &Value::Null).await;
    assert!(back.is_quiet(std::time::Duration::from_secs(6)).await);
    assert!(is_let_in(app, &ada.token).await);
}
