//! What lies in the tables: values of the declared kind on SQLite, where a column takes anything, and rows that never
//! change on both engines.

use gigwire::features::proof;
use gigwire::features::wallet::freezing;
use gigwire::kernel::Caller;
use gigwire::kernel::clock::DAY;
use gigwire::platform::db::q;
use gigwire::platform::queue::schedule;
use serde_json::json;

use crate::support::app::{TestApp, on_both_engines};
use crate::support::market::{id_of, usd};

on_both_engines! {
    ledger_and_audit_log_are_append_only,
}

/// A bit of everything, so that every table has rows.
async fn story(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    let text = "mutation { emailVerify(input: { code: \"123456\" }) { userErrors { code } } }";
    let wrong = app.gql(&ada, text, json!({})).await;
    assert_eq!(wrong["data"]["emailVerify"]["userErrors"][0]["code"], "CODE_WRONG", "{wrong}");
    app.deposit(&ada, "1000.00").await;
    for (who, mutation) in [(&bob, "offerDecline"), (&ada, "offerWithdraw")] {
        let job = app.post_job(&ada).await;
        let offer = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
        app.answer(who, mutation, &offer).await.ok();
    }
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer(&bob, &job, "20.00").await.ok(), "offer");
    app.counter(&ada, &offer, "10.00").await.ok();
    app.cancel_job(&ada, &job).await.ok();
    let cancelled = app.book(&ada, &bob).await;
    app.step(&ada, "bookingCancel", &cancelled).await.ok();
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "10.00").await.ok(), "offer");
    let made = app.answer(&bob, "offerAccept", &offer).await.ok();
    let booking = id_of(&made, "booking");
    let message = json!({ "conversationId": made["conversation"]["id"], "content": "Hello", "clientMessageId": "one" });
    let sent = id_of(&app.act(&ada, "messageSend", message).await.ok(), "message");
    let text = "mutation ($input: ConversationMarkReadInput!) { conversationMarkRead(input: $input) { readCount } }";
    let mark = json!({ "conversationId": made["conversation"]["id"], "upToMessageId": sent });
    assert_eq!(app.gql(&bob, text, json!({ "input": mark })).await["data"]["conversationMarkRead"]["readCount"], 1);
    for step in ["bookingStart", "bookingDeliver"] {
        app.step(&bob, step, &booking).await.ok();
    }
    app.step(&ada, "bookingComplete", &booking).await.ok();
    for who in [&ada, &bob] {
        let review = json!({ "bookingId": booking, "rating": 4, "text": "Good" });
        app.act(who, "reviewPost", review).await.ok();
    }
    let changed = app.book(&ada, &bob).await;
    let input = json!({ "bookingId": changed, "amount": usd("90.00"), "period": app.period(DAY, 2 * DAY),
        "idempotencyKey": "change" });
    let change = id_of(&app.act(&bob, "bookingChangePropose", input).await.ok(), "change");
    app.settle(&ada, "bookingChangeAccept", &change).await.ok();
    app.propose(&ada, &changed, "80.00").await.ok();
    let disputed = app.book(&ada, &bob).await;
    let input = json!({ "bookingId": disputed, "reason": "LATE", "evidence": "So.", "idempotencyKey": "dispute" });
    let dispute = id_of(&app.act(&ada, "disputeOpen", input).await.ok(), "dispute");
    let admin = app.admin().await;
    let proof = crate::uploads::upload(app, &ada, "EVIDENCE", "application/pdf", crate::support::pictures::pdf()).await;
    app.act(&ada, "disputeAddEvidence", json!({ "disputeId": dispute, "fileIds": [proof["id"]] })).await.ok();
    app.act(&admin, "disputePropose", json!({ "disputeId": dispute, "toCustomer": usd("50.00") })).await.ok();
    for (who, key) in [(&ada, "ada"), (&bob, "bob")] {
        let input = json!({ "disputeId": dispute, "proposalNumber": 1, "idempotencyKey": key });
        app.act(who, "disputeAcceptProposal", input).await.ok();
    }
    let yen = json!({ "amount": { "amount": "5", "currency": "JPY" }, "idempotencyKey": "yen" });
    app.act(&ada, "depositCreate", yen).await.ok();
    let job = json!({ "title": "Sing", "description": "Loud", "budget": usd("5.00") });
    app.act(&ada, "jobPost", job).await.ok();
    let file = crate::uploads::upload(app, &ada, "PROFILE_IMAGE", "image/png", crate::support::pictures::png()).await;
    app.act(&ada, "profileUpdate", json!({ "profileImageId": file["id"], "bio": "I sing." })).await.ok();
    let text = "mutation ($input: AnnouncementPublishInput!) { announcementPublish(input: $input) { userErrors { message } } }";
    let news = json!({ "title": "News", "body": "Good ones", "level": "INFO" });
    app.gql(&admin, text, json!({ "input": news })).await;
    let block = json!({ "userId": bob.id, "blockUntil": "2999-01-01T00:00:00Z", "reason": "Spam." });
    app.act(&admin, "userBlock", block).await.ok();
    // A night passes, and payouts are frozen.
    app.clock.advance(2 * DAY);
    let (platform, night) = (&app.server.platform, Caller::system("night"));
    assert!(schedule::take(&platform.db, "night", platform.clock.now(), platform.clock.now()).await.unwrap());
    assert!(proof::commands::nightly(platform, &night).await.unwrap().is_proved());
    let freeze = platform.work.run(&night, (), |unit, ()| Box::pin(freezing::freeze(unit, "A doubt")));
    freeze.await.unwrap();
}

/// What a value of a declared kind must look like.
fn condition(kind: &str, column: &str) -> String {
    match kind.to_lowercase().as_str() {
        "uuid" => format!("typeof({column}) = 'blob' and length({column}) = 16"),
        "bigint" => format!("typeof({column}) = 'integer'"),
        "boolean" => format!("typeof({column}) = 'integer' and {column} in (0, 1)"),
        "text" => format!("typeof({column}) = 'text'"),
        other => panic!("{column} is declared as {other}, which means nothing here"),
    }
}

#[tokio::test]
async fn every_value_is_of_the_declared_kind() {
    let app = TestApp::sqlite().await;
    story(&app).await;
    app.assert_books().await;
    let db = &app.server.platform.db;
    let tables = q("select name as value from sqlite_master
        where type = 'table' and name not like 'sqlite%' and name not like '\\_sqlx%' escape '\\'");
    let tables: Vec<String> = tables.all(db).await.unwrap();
    assert!(tables.len() >= 20, "{tables:?}");
    let mut wrong = Vec::new();
    for table in tables {
        let columns = q("select name, type from pragma_table_info($1)").bind(table.as_str()).fetch(db).await.unwrap();
        for row in columns {
            let (column, kind): (String, String) = (row.get("name").unwrap(), row.get("type").unwrap());
            let of_kind = condition(&kind, &column);
            let bad = format!("select count(*) as n from {table} where {column} is not null and not ({of_kind})");
            if app.count(bad.leak()).await > 0 {
                wrong.push(format!("{table}.{column} is no {kind}"));
            }
        }
        if app.count(format!("select count(*) as n from {table}").leak()).await == 0 {
            wrong.push(format!("{table} is empty: the story lacks something"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn ledger_and_audit_log_are_append_only(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.deposit(&ada, "10.00").await;
    let db = &app.server.platform.db;
    let mut tries = vec![
        "update transfers set amount = amount + 1",
        "delete from transfers",
        "update audit set action = 'nothing'",
        "delete from audit",
    ];
    if db.is_postgres() {
        tries.extend(["truncate transfers", "truncate audit"]);
    }
    for sql in tries {
        let mut tx = db.begin().await.unwrap();
        let refused = q(sql).execute(&mut tx).await.unwrap_err();
        assert!(refused.message.contains("append-only"), "{sql}: {refused}");
        tx.rollback().await.unwrap();
    }
    app.assert_books().await;
}
