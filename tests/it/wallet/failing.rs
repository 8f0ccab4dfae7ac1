//! Deposits that a provider refuses, and money that would not fit.

use std::sync::Arc;

use async_trait::async_trait;
use gigwire::kernel::{Code, Error, Result, Role, Roles};
use gigwire::platform::db::q;
use gigwire::platform::payments::{Failure, Intent, Progress, Provider};
use serde_json::json;

use super::live::heard;
use crate::support::app::{TestApp, on_both_engines};
use crate::support::inprocess::InProcess;
use crate::support::market::{key, usd};

on_both_engines! {
    a_purse_takes_no_more_than_it_can_count,
}

/// A provider whose answer the amount decides.
struct Moody;

#[async_trait]
impl Provider for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    async fn collect(&self, intent: &Intent) -> Result<Progress> {
        let fail = |code: Failure| Ok(Progress::Failed { code, reason: "because".to_owned() });
        match intent.amount.minor {
            100 => fail(Failure::Declined),
            200 => fail(Failure::Expired),
            300 => fail(Failure::Cancelled),
            400 => fail(Failure::ProviderError),
            500 => Err(Error::new(Code::Unavailable, "The provider does not answer; ask again later.")),
            600 => Ok(Progress::Waiting { redirect_url: "https://pay.example.org/1".to_owned() }),
            _ => Ok(Progress::Captured { reference: "reference".to_owned() }),
        }
    }
}

#[tokio::test]
async fn a_failed_payment_says_why_and_moves_nothing() {
    let server = InProcess::sqlite_with(|platform| platform.payments = Arc::new(Moody)).await;
    let ada = server.person_as("Ada", Roles::of(&[Role::Customer])).await;
    let deposit = async |amount: &str| {
        let input = json!({ "amount": usd(amount), "idempotencyKey": key() });
        let text = "mutation ($input: DepositCreateInput!) { depositCreate(input: $input) {
            payment { status nextStep { redirectUrl } } wallet { available { amount } } userErrors { code } } }";
        server.ask(&ada.caller, text, json!({ "input": input })).await
    };
    assert_eq!(deposit("9.00").await["data"]["depositCreate"]["payment"]["status"], "COMPLETED");
    for amount in ["1.00", "2.00", "3.00", "4.00"] {
        let payload = deposit(amount).await["data"]["depositCreate"].take();
        assert_eq!(payload["payment"], json!({ "status": "FAILED", "nextStep": null }));
        assert_eq!((&payload["wallet"]["available"]["amount"], &payload["userErrors"]), (&json!("9.00"), &json!([])));
    }
    let away = deposit("5.00").await;
    assert_eq!(away["errors"][0]["extensions"]["code"], "SERVICE_UNAVAILABLE", "{away}");
    assert_eq!(away["errors"][0]["extensions"]["retryable"], true);
    let waiting = deposit("6.00").await["data"]["depositCreate"]["payment"].take();
    assert_eq!(waiting, json!({ "status": "PENDING", "nextStep": { "redirectUrl": "https://pay.example.org/1" } }));
    let failed: Vec<_> = heard(&server, &ada)
        .await
        .into_iter()
        .filter(|event| event["__typename"] == "PaymentFailed")
        .map(|event| {
            assert_eq!(event["wallet"]["available"]["amount"], "9.00");
            assert_eq!(event["payment"]["status"], "FAILED");
            (event["code"].as_str().unwrap().to_owned(), event["isRetryable"] == true)
        })
        .collect();
    let wanted = [("DECLINED", false), ("EXPIRED", true), ("CANCELLED", true), ("PROVIDER_ERROR", true)];
    assert_eq!(failed, wanted.map(|(code, retryable)| (code.to_owned(), retryable)));
    let transfers: i64 = q("select count(*) as n from transfers").one(&server.platform().db).await.unwrap();
    assert_eq!(transfers, 1, "only what was captured moved");
    let audit = q("select count(*) as n from audit where action = 'deposit.fail'");
    assert_eq!(audit.one::<i64>(&server.platform().db).await.unwrap(), 4);
}

async fn a_purse_takes_no_more_than_it_can_count(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.deposit(&ada, "1.00").await;
    let mut tx = app.server.platform.db.begin().await.unwrap();
    let fill = "update purses set debits_posted = 8999999999999999900 where class = 'GATEWAY'";
    q(fill).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let input = json!({ "amount": usd("2.00"), "idempotencyKey": key() });
    app.act(&ada, "depositCreate", input).await.refused("AMOUNT_TOO_LARGE");
    assert_eq!(app.money(&ada).await, ["1.00", "0.00", "0.00"]);
    assert_eq!(app.count("select count(*) as n from transfers").await, 1);
}
