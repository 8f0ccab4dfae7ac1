//! Wrong requests, and the words that no answer to them may hold.

use serde_json::{Value, json};

/// Words that only the inside knows.
const INSIDE: [&str; 22] = [
    "select ",
    "insert into",
    "update ",
    "delete from",
    "sqlx",
    "sqlite",
    "postgres",
    "constraint",
    "syntax error at",
    "src/",
    ".rs",
    "::",
    "panicked",
    "unwrap",
    "Option<",
    "Vec<",
    "serde",
    "stack backtrace",
    "async_graphql",
    "tokio",
    "gigwire.db",
    "i64",
];

/// What of the inside an answer tells. A bug that shows itself, however masked, counts too.
pub fn slips(answer: &str) -> Vec<&'static str> {
    INSIDE.into_iter().chain(["INTERNAL_SERVER_ERROR"]).filter(|word| answer.contains(word)).collect()
}

/// Requests that are wrong in as many ways as we can think of.
pub fn nonsense() -> Vec<String> {
    let query = |text: &str| json!({ "query": text }).to_string();
    let with = |text: &str, variables: Value| json!({ "query": text, "variables": variables }).to_string();
    let sign_up = "mutation($input: AccountSignUpInput!) { accountSignUp(input: $input) { userErrors { message } } }";
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let id = "job_01h455vb4pex5vsknk084sn02q";
    let mut all: Vec<String> = [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{\"query\":7}",
        "{\"query\":\"{a}\",\"variables\":[]}",
        "\u{0}",
        "{\"query\":\"{\"}",
    ]
    .map(str::to_owned)
    .to_vec();
    for text in [
        "",
        "{",
        "}",
        "{ nothing }",
        "{ viewer { nothing } }",
        "query A { viewer { user { id } } } query B { __typename }",
        "fragment A on Job { id }",
        "{ ...A }",
        "{ node(id: 1) { id } }",
        "{ node { id } }",
        "{ jobs(first: -1) { totalCount } }",
        "{ jobs(first: 3000000000) { totalCount } }",
        "{ jobs(first: 1, last: 1) { totalCount } }",
        "subscription { nothing }",
        "{ jobs(after: \"AAAA\") { totalCount } }",
        "{ jobs(after: \"'; drop table jobs; --\") { totalCount } }",
        "{ feeQuote(budget: { amount: \"1e9\", currency: \"USD\" }) { customerTotal { amount } } }",
        "{ feeQuote(budget: { amount: \"99999999999999999999\", currency: \"USD\" }) { customerTotal { amount } } }",
        "{ feeQuote(budget: { amount: \"-1\", currency: \"QQQ\" }) { customerTotal { amount } } }",
        "mutation { jobPost(input: {}) { job { id } } }",
        "mutation { sessionSignOut(input: { all: 3 }) { endedCount } }",
    ] {
        all.push(query(text));
    }
    for id in [
        "",
        "x",
        "job_",
        "job_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        "' or 1=1 --",
        "secret_01h455vb4pex5vsknk084sn02q",
        "job_ü",
        "\u{0}",
    ] {
        all.push(with(node, json!({ "id": id })));
    }
    for bad in
        [json!(null), json!({ "id": null }), json!({ "id": { "a": 1 } }), json!({ "id": [1] }), json!({ "other": 1 })]
    {
        all.push(with(node, bad));
    }
    let person = json!({ "email": "e\u{0}@x", "password": "short", "displayName": "" });
    all.extend(
        [person, json!({ "email": 1 }), json!({ "roles": ["ADMIN"] }), json!([]), json!("x")]
            .map(|it| with(sign_up, json!({ "input": it }))),
    );
    let mutations = [
        (
            "offerSend",
            "OfferSend",
            json!({ "jobId": id, "amount": { "amount": "1.001", "currency": "USD" }, "idempotencyKey": "" }),
        ),
        (
            "offerSend",
            "OfferSend",
            json!({ "jobId": id, "amount": { "amount": "1", "currency": "USD" }, "idempotencyKey": "k\u{0}" }),
        ),
        (
            "depositCreate",
            "DepositCreate",
            json!({ "amount": { "amount": "92233720368547758.07", "currency": "USD" }, "idempotencyKey": "k" }),
        ),
        (
            "depositCreate",
            "DepositCreate",
            json!({ "amount": { "amount": "0", "currency": "JPY" }, "idempotencyKey": "x".repeat(300) }),
        ),
        (
            "jobPost",
            "JobPost",
            json!({ "title": "\u{0}", "description": "a\u{0}b", "budget": { "amount": "1", "currency": "USD" } }),
        ),
        (
            "messageSend",
            "MessageSend",
            json!({ "conversationId": "conversation_01h455vb4pex5vsknk084sn02q", "content": "\u{0}" }),
        ),
        ("bookingStart", "BookingStart", json!({ "bookingId": "booking_01h455vb4pex5vsknk084sn02q" })),
    ];
    for (name, ty, input) in mutations {
        let text =
            format!("mutation($input: {ty}Input!) {{ {name}(input: $input) {{ userErrors {{ message field }} }} }}");
        all.push(with(&text, json!({ "input": input })));
    }
    all
}

#[test]
fn slips_are_noticed() {
    assert_eq!(slips(r#"{"errors":[{"message":"There is no such job for you."}]}"#), Vec::<&str>::new());
    assert_eq!(slips("no such table: jobs (select 1), src/a.rs"), ["select ", "src/", ".rs"]);
    assert_eq!(slips("INTERNAL_SERVER_ERROR"), ["INTERNAL_SERVER_ERROR"]);
}
