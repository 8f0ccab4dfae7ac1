//! Wallets through the API: money comes in once, and no key or amount moves it otherwise.

mod collecting;
mod failing;
mod history;
mod keys;
pub mod live;
mod refusals;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::{key, usd};

on_both_engines! {
    a_deposit_is_credited_once,
    a_bad_amount_has_its_own_code_and_moves_nothing,
    currencies_have_wallets_of_their_own,
    only_a_customer_deposits,
    the_history_adds_up_to_the_balance,
    a_long_history_is_read_in_pages,
    many_deposits_at_once_all_arrive,
}

async fn a_deposit_is_credited_once(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    assert_eq!(app.money(&ada).await, ["0.00", "0.00", "0.00"]);
    let input = json!({ "amount": usd("10.5"), "idempotencyKey": key() });
    let done = app.act(&ada, "depositCreate", input).await;
    assert!(!done.replayed);
    let payload = done.ok();
    assert_eq!(payload["payment"]["status"], "COMPLETED");
    assert_eq!(payload["payment"]["amount"], json!({ "amount": "10.50", "currency": "USD" }));
    assert_eq!(payload["wallet"]["available"]["amount"], "10.50");
    assert_eq!(app.money(&ada).await, ["10.50", "0.00", "0.00"]);
    assert_eq!(app.count("select count(*) as n from audit where action = 'deposit.start'").await, 1);
    assert_eq!(app.count("select count(*) as n from audit where action = 'deposit.complete'").await, 1);
    app.assert_books().await;
}

async fn a_bad_amount_has_its_own_code_and_moves_nothing(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    let cases = [
        ("-1.00", "USD", "AMOUNT_NOT_POSITIVE"),
        ("0.00", "USD", "AMOUNT_NOT_POSITIVE"),
        ("-0", "USD", "AMOUNT_NOT_POSITIVE"),
        ("1.005", "USD", "EXCESS_DIGITS"),
        ("1.5", "JPY", "EXCESS_DIGITS"),
        ("1.0", "JPY", "EXCESS_DIGITS"),
        ("1.0005", "KWD", "EXCESS_DIGITS"),
        ("10000000000.01", "USD", "AMOUNT_TOO_LARGE"),
        ("99999999999999999999", "USD", "AMOUNT_TOO_LARGE"),
    ];
    for (amount, currency, code) in cases {
        let input = json!({ "amount": { "amount": amount, "currency": currency }, "idempotencyKey": key() });
        app.act(&ada, "depositCreate", input).await.refused_at(code, &["amount", "amount"]);
    }
    for wrong in [json!(5), json!(5.5), json!("1e3"), json!(""), json!("5,00"), json!("0x10"), json!(null)] {
        let amount = json!({ "amount": wrong, "currency": "USD" });
        let input = json!({ "amount": amount, "idempotencyKey": key() });
        app.act(&ada, "depositCreate", input).await.refused("BAD_USER_INPUT");
    }
    let unknown = json!({ "amount": { "amount": "1", "currency": "XXX" }, "idempotencyKey": key() });
    app.act(&ada, "depositCreate", unknown).await.refused("BAD_USER_INPUT");
    let unkeyed = json!({ "amount": usd("1.00"), "idempotencyKey": "" });
    app.act(&ada, "depositCreate", unkeyed).await.refused_at("INVALID", &["idempotencyKey"]);
    let long = json!({ "amount": usd("1.00"), "idempotencyKey": "k".repeat(256) });
    app.act(&ada, "depositCreate", long).await.refused_at("TOO_LONG", &["idempotencyKey"]);
    assert_eq!(app.count("select count(*) as n from transfers").await, 0);
    assert_eq!(app.count("select count(*) as n from payments").await, 0);
    assert_eq!(app.count("select count(*) as n from idempotency").await, 0);
}

async fn currencies_have_wallets_of_their_own(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    for (amount, currency) in [("500", "JPY"), ("1.005", "KWD"), ("0.01", "INR"), ("10000000000", "USD")] {
        let input = json!({ "amount": { "amount": amount, "currency": currency }, "idempotencyKey": key() });
        app.act(&ada, "depositCreate", input).await.ok();
    }
    let text = "{ viewer { wallets { available { amount currency minorUnits } } } }";
    let answer = app.gql(&ada, text, json!({})).await;
    let mut wallets: Vec<String> = answer["data"]["viewer"]["wallets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wallet| {
            let money = &wallet["available"];
            format!("{} {} {}", money["currency"], money["amount"], money["minorUnits"]).replace('"', "")
        })
        .collect();
    assert!(wallets[0].starts_with("USD"), "the house's default is first: {wallets:?}");
    wallets.sort();
    let wanted = ["INR 0.01 1", "JPY 500 500", "KWD 1.005 1005", "USD 10000000000.00 1000000000000"];
    assert_eq!(wallets, wanted);
    app.assert_books().await;
}

async fn only_a_customer_deposits(app: &TestApp) {
    let bob = app.sign_up(&["CONTRACTOR"]).await;
    let input = json!({ "amount": usd("1.00"), "idempotencyKey": key() });
    app.act(&bob, "depositCreate", input.clone()).await.refused("FORBIDDEN");
    let nobody = TestUser { token: "nonsense".to_owned(), ..bob };
    app.act(&nobody, "depositCreate", input).await.refused("UNAUTHENTICATED");
    assert_eq!(app.count("select count(*) as n from payments").await, 0);
}

async fn history(app: &TestApp, who: &TestUser, first: i64, after: Option<&str>) -> Value {
    let text = "query ($first: Int, $after: String) { viewer { wallet { transactions(first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes { id kind phase cause { id } amount { amount minorUnits } } } } } }";
    let mut answer = app.gql(who, text, json!({ "first": first, "after": after })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["viewer"]["wallet"]["transactions"].take()
}

/// What the finished lines of a history add up to, in minor units.
fn sum(history: &Value) -> i64 {
    let lines = history["nodes"].as_array().unwrap().iter();
    let ended = lines.filter(|line| ["SINGLE", "POSTED"].contains(&line["phase"].as_str().unwrap()));
    ended.map(|line| line["amount"]["minorUnits"].as_str().unwrap().parse::<i64>().unwrap()).sum()
}

async fn the_history_adds_up_to_the_balance(app: &TestApp) {
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    app.deposit(&ada, "300.00").await;
    let booking = app.book(&ada, &bob).await;
    let job = app.post_job(&ada).await;
    let offer = app.offer_to(&ada, &job, &bob, "50.00").await.ok();
    let lines = history(app, &ada, 20, None).await;
    let shown: Vec<String> = lines["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{} {} {}", line["kind"], line["phase"], line["amount"]["amount"]).replace('"', ""))
        .collect();
    assert_eq!(lines["totalCount"], 5);
    let mut wanted = [
        "DEPOSIT SINGLE 300.00",
        "ESCROW SINGLE -100.00",
        "PLATFORM_FEE SINGLE -5.00",
        "ESCROW PENDING -50.00",
        "PLATFORM_FEE PENDING -2.50",
    ];
    assert_eq!(shown[4], wanted[0], "the oldest is last");
    let mut sorted = shown.clone();
    sorted.sort();
    wanted.sort_unstable();
    assert_eq!(sorted, wanted);
    assert!(
        lines["nodes"].as_array().unwrap()[..2]
            .iter()
            .all(|line| line["cause"] == json!({ "id": offer["offer"]["id"] }))
    );
    assert_eq!((sum(&lines), app.money(&ada).await), (19_500, ["142.50", "52.50", "100.00"].map(String::from)));
    app.step(&ada, "bookingCancel", &booking).await.ok();
    let lines = history(app, &ada, 20, None).await;
    assert_eq!((sum(&lines), &lines["nodes"][0]["cause"]["id"]), (29_500, &json!(booking)));
    let bobs = history(app, &bob, 20, None).await;
    assert_eq!(bobs["totalCount"], 0, "nobody else's lines are shown");
    app.assert_books().await;
}

async fn a_long_history_is_read_in_pages(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    for _ in 0..7 {
        app.deposit(&ada, "1.00").await;
    }
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = history(app, &ada, 3, after.as_deref()).await;
        assert_eq!(page["totalCount"], 7);
        seen.extend(page["nodes"].as_array().unwrap().iter().map(|line| line["id"].to_string()));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
    }
    assert_eq!(seen.len(), 7);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7, "each line once");
}

async fn many_deposits_at_once_all_arrive(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    join_all((0..24).map(|_| app.deposit(&ada, "1.00"))).await;
    assert_eq!(app.money(&ada).await, ["24.00", "0.00", "0.00"]);
    app.assert_books().await;
}
