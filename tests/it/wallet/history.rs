//! What led to a wallet: causes that add up, past balances, statements, and a history that can be searched.

use futures_util::future::join;
use gigwire::features::wallet::history::{Explanation, explain};
use gigwire::kernel::clock::{DAY, SECOND};
use gigwire::kernel::id::UserId;
use gigwire::kernel::{Currency, Timestamp};
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, TestApp, TestUser, on_both_engines};
use crate::support::market::{id_of, uuid};

on_both_engines! {
    every_figure_is_the_sum_of_its_causes,
    causes_add_up_at_any_time,
    the_past_can_be_asked_for,
    a_month_has_a_statement,
    a_history_can_be_searched,
    causes_are_objects,
}

async fn wallet(app: &TestApp, who: &TestUser, selection: &str) -> Value {
    let answer = app.gql(who, &format!("{{ viewer {{ wallet {{ {selection} }} }} }}"), json!({})).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["viewer"]["wallet"].clone()
}

async fn refused(app: &TestApp, who: &TestUser, selection: &str) {
    let answer = app.gql(who, &format!("{{ viewer {{ wallet {{ {selection} }} }} }}"), json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
}

fn minor(money: &Value) -> i64 {
    money["minorUnits"].as_str().unwrap_or_else(|| panic!("{money}")).parse().unwrap()
}

fn sum(rows: &Value) -> i64 {
    rows.as_array().unwrap().iter().map(|row| minor(&row["amount"])).sum()
}

/// Checks that a wallet's figures are the sums of what explains them, through the API.
async fn explained(app: &TestApp, who: &TestUser) -> Value {
    let money = "available { minorUnits } held { minorUnits } escrow { minorUnits }";
    let page = "(first: 100) { totalCount nodes { amount { minorUnits } createdAt cause { __typename id } } }";
    let wallet = wallet(
        app,
        who,
        &format!(
            "{money} explain {{ {money} movements {{ kind count amount {{ minorUnits }} }} holds{page} escrows{page} }}"
        ),
    )
    .await;
    let why = &wallet["explain"];
    for figure in ["available", "held", "escrow"] {
        assert_eq!(why[figure], wallet[figure], "{wallet}");
    }
    let (holds, escrows) = (sum(&why["holds"]["nodes"]), sum(&why["escrows"]["nodes"]));
    assert_eq!(minor(&why["available"]), sum(&why["movements"]) - holds, "{why}");
    assert_eq!((minor(&why["held"]), minor(&why["escrow"])), (holds, escrows), "{why}");
    why.clone()
}

async fn every_figure_is_the_sum_of_its_causes(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    let empty = explained(app, &ada).await;
    assert_eq!((&empty["movements"], &empty["holds"]["totalCount"]), (&json!([]), &json!(0)));
    app.deposit(&ada, "500.00").await;
    explained(app, &ada).await;
    let mut offers = Vec::new();
    for _ in 0..3 {
        let job = app.post_job(&ada).await;
        offers.push(id_of(&app.offer_to(&ada, &job, &bob, "50.00").await.ok(), "offer"));
        explained(app, &ada).await;
    }
    app.answer(&bob, "offerDecline", &offers[0]).await.ok();
    explained(app, &ada).await;
    app.answer(&bob, "offerAccept", &offers[1]).await.ok();
    let why = explained(app, &ada).await;
    assert_eq!((minor(&why["available"]), minor(&why["held"]), minor(&why["escrow"])), (39_500, 5_250, 5_000));
    assert_eq!(why["holds"]["nodes"][0]["cause"], json!({ "__typename": "Offer", "id": offers[2] }));
    assert_eq!(why["escrows"]["nodes"][0]["cause"], json!({ "__typename": "Offer", "id": offers[1] }));
    let kinds: Vec<_> = why["movements"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["DEPOSIT", "ESCROW", "PLATFORM_FEE"]);
    let booking = app.book(&ada, &bob).await;
    for step in ["bookingStart", "bookingDeliver"] {
        app.step(&bob, step, &booking).await.ok();
    }
    app.step(&ada, "bookingComplete", &booking).await.ok();
    let cancelled = app.book(&ada, &bob).await;
    app.step(&bob, "bookingCancel", &cancelled).await.ok();
    explained(app, &ada).await;
    assert_eq!(minor(&explained(app, &bob).await["available"]), 8_000);
    app.assert_books().await;
}

async fn causes_add_up_at_any_time(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "900.00").await;
    let usd = Currency::parse("USD").unwrap();
    let user: UserId = uuid(&ada.id);
    let work = async {
        for _ in 0..6 {
            let job = app.post_job(&ada).await;
            let offer = id_of(&app.offer_to(&ada, &job, &bob, "30.00").await.ok(), "offer");
            app.answer(&ada, "offerWithdraw", &offer).await.ok();
            app.book(&ada, &bob).await;
            app.deposit(&ada, "0.01").await;
        }
    };
    let look = async {
        for _ in 0..60 {
            let Explanation { balance, movements, holds, escrows } =
                explain(&app.server.platform, user, usd).await.unwrap();
            let moved: i64 = movements.iter().map(|row| row.amount.minor).sum();
            let held: i64 = holds.iter().map(|row| row.amount.minor).sum();
            let escrow: i64 = escrows.iter().map(|row| row.amount.minor).sum();
            assert_eq!((balance.available.minor, balance.held.minor), (moved - held, held));
            assert_eq!(balance.escrow.minor, escrow);
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    join(work, look).await;
    app.assert_books().await;
}

async fn the_past_can_be_asked_for(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    let mut past: Vec<(Timestamp, [String; 3])> = Vec::new();
    let now = || app.server.platform.clock.now();
    let mut note = async || {
        past.push((now(), app.money(&ada).await));
        app.clock.advance(SECOND);
    };
    note().await;
    app.deposit(&ada, "300.00").await;
    note().await;
    let job = app.post_job(&ada).await;
    let offer = id_of(&app.offer_to(&ada, &job, &bob, "50.00").await.ok(), "offer");
    note().await;
    let booking = id_of(&app.answer(&bob, "offerAccept", &offer).await.ok(), "booking");
    note().await;
    for step in ["bookingStart", "bookingDeliver"] {
        app.step(&bob, step, &booking).await.ok();
    }
    app.step(&ada, "bookingComplete", &booking).await.ok();
    note().await;
    for (at, money) in &past {
        let at = at.rfc3339().unwrap();
        let text =
            format!("balanceAt(at: \"{at}\") {{ at available {{ amount }} held {{ amount }} escrow {{ amount }} }}");
        let then = &wallet(app, &ada, &text).await["balanceAt"];
        let shown = ["available", "held", "escrow"].map(|figure| then[figure]["amount"].as_str().unwrap().to_owned());
        assert_eq!((&shown, then["at"].as_str()), (money, Some(&*at)));
    }
    let tomorrow = now().plus(DAY).rfc3339().unwrap();
    refused(app, &ada, &format!("balanceAt(at: \"{tomorrow}\") {{ at }}")).await;
}

async fn a_month_has_a_statement(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR", "CUSTOMER"]).await);
    app.deposit(&ada, "300.00").await;
    let booking = app.book(&ada, &bob).await;
    for step in ["bookingStart", "bookingDeliver"] {
        app.step(&bob, step, &booking).await.ok();
    }
    app.step(&ada, "bookingComplete", &booking).await.ok();
    let lines = "openingBalance { amount } closingBalance { amount } month csv
        lines(first: 100) { totalCount nodes { kind amount { amount } balance { amount } cause { id } } }";
    let statement = wallet(app, &bob, &format!("statement {{ {lines} }}")).await["statement"].clone();
    let shown = |statement: &Value| -> Vec<String> {
        let nodes = statement["lines"]["nodes"].as_array().unwrap().iter();
        nodes
            .map(|line| format!("{} {} {}", line["kind"], line["amount"]["amount"], line["balance"]["amount"]))
            .map(|line| line.replace('"', ""))
            .collect()
    };
    assert_eq!(shown(&statement), ["RELEASE 100.00 100.00", "SERVICE_FEE -20.00 80.00"]);
    assert_eq!(statement["lines"]["nodes"][0]["cause"]["id"], booking);
    assert_eq!(
        (&statement["openingBalance"]["amount"], &statement["closingBalance"]["amount"]),
        (&json!("0.00"), &json!("80.00"))
    );
    let csv: Vec<&str> = statement["csv"].as_str().unwrap().split("\r\n").collect();
    assert_eq!(csv.len(), 4, "names, two lines, and the end: {csv:?}");
    assert_eq!(csv[0], "time,kind,reference,transaction,amount,balance,currency");
    assert!(csv[1].contains(&format!(",RELEASE,{booking},transfer_")) && csv[1].ends_with(",100.00,100.00,USD"));
    assert!(csv[2].contains(",SERVICE_FEE,") && csv[2].ends_with(",-20.00,80.00,USD"), "{csv:?}");
    let paid = wallet(app, &ada, &format!("statement {{ {lines} }}")).await["statement"].clone();
    let mut paid = shown(&paid);
    assert_eq!(paid.remove(0), "DEPOSIT 300.00 300.00");
    assert_eq!((paid.len(), paid[1].ends_with(" 195.00")), (2, true), "{paid:?}");
    // A month later.
    app.clock.advance(32 * DAY);
    let bob = app.sign_in(&bob.email, PASSWORD).await;
    app.deposit(&bob, "1.00").await;
    let month = statement["month"].as_str().unwrap();
    let before = wallet(app, &bob, &format!("statement(month: \"{month}\") {{ {lines} }}")).await;
    assert_eq!(before["statement"], statement, "a month that is over stays as it is");
    let now = wallet(app, &bob, &format!("statement {{ {lines} }}")).await["statement"].clone();
    assert_eq!(shown(&now), ["DEPOSIT 1.00 81.00"]);
    assert_eq!(now["openingBalance"]["amount"], "80.00");
    for month in ["2026", "2026-13", "26-01", "9999-01", ""] {
        refused(app, &bob, &format!("statement(month: \"{month}\") {{ month }}")).await;
    }
    let text = "statement { lines(first: 1) { pageInfo { hasNextPage endCursor } } }";
    let page = wallet(app, &bob, text).await["statement"]["lines"]["pageInfo"].clone();
    assert_eq!(page["hasNextPage"], false);
}

async fn a_history_can_be_searched(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "300.00").await;
    app.clock.advance(SECOND);
    let then = app.server.platform.clock.now().rfc3339().unwrap();
    app.book(&ada, &bob).await;
    let found = async |arguments: &str| -> (Vec<String>, Value) {
        let text = format!(
            "transactions({arguments}) {{ totalCount pageInfo {{ hasPreviousPage startCursor }} nodes {{ kind }} }}"
        );
        let page = wallet(app, &ada, &text).await["transactions"].clone();
        let kinds = page["nodes"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap().to_owned());
        (kinds.collect(), page)
    };
    assert_eq!(found("filter: { kinds: [DEPOSIT] }").await.0, ["DEPOSIT"]);
    assert_eq!(found(&format!("filter: {{ untilAt: \"{then}\" }}")).await.0, ["DEPOSIT"]);
    let (kinds, page) = found(&format!("filter: {{ fromAt: \"{then}\", kinds: [ESCROW, DEPOSIT] }}")).await;
    assert_eq!((kinds, &page["totalCount"]), (vec!["ESCROW".to_owned()], &json!(1)));
    assert_eq!(found("filter: { kinds: [] }").await.0.len(), 3);
    assert!(found("filter: { kinds: [REFUND] }").await.0.is_empty());
    let (last, page) = found("last: 1").await;
    assert_eq!((last, &page["pageInfo"]["hasPreviousPage"]), (vec!["DEPOSIT".to_owned()], &json!(true)));
    let cursor = page["pageInfo"]["startCursor"].as_str().unwrap().to_owned();
    assert_eq!(found(&format!("last: 5, before: \"{cursor}\"")).await.0.len(), 2);
    refused(app, &ada, "transactions(first: 1, last: 1) { totalCount }").await;
}

async fn causes_are_objects(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "300.00").await;
    let booking = app.book(&ada, &bob).await;
    app.step(&ada, "bookingCancel", &booking).await.ok();
    let text =
        "transactions { nodes { kind cause { __typename id ... on Booking { status } ... on Payment { status } } } }";
    let lines = wallet(app, &ada, text).await["transactions"]["nodes"].clone();
    let causes: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["cause"]["__typename"].clone()).collect();
    assert_eq!(causes, ["Booking", "Offer", "Offer", "Payment"]);
    assert_eq!(lines[0]["cause"], json!({ "__typename": "Booking", "id": booking, "status": "CANCELLED" }));
    assert_eq!(lines[3]["cause"]["status"], "COMPLETED");
}
