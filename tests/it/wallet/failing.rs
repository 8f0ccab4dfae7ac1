//! Deposits that a provider refuses, and money that would not fit.

use std::sync::Arc;

use async_trait::async_trait;
use gigwire::features::wallet::ledger::{Batch, Leg};
use gigwire::features::wallet::model::{Cause, Kind, PurseKey};
use gigwire::kernel::id::{OfferId, PaymentId, UserId};
use gigwire::kernel::{Caller, Code, Currency, Error, Money, Result, Role, Roles};
use gigwire::platform::db::q;
use gigwire::platform::payments::{Failure, Intent, Progress, Provider};
use serde_json::json;

use super::live::heard;
use crate::support::app::{TestApp, on_both_engines};
use crate::support::inprocess::InProcess;
use crate::support::market::{key, usd, uuid};

on_both_engines! {
    a_purse_takes_no_more_than_it_can_count,
    the_ledger_refuses_what_cannot_be,
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

/// Below the API as well: each mistake has its code, and nothing moves.
async fn the_ledger_refuses_what_cannot_be(app: &TestApp) {
    let ada = app.sign_up(&["CUSTOMER"]).await;
    app.deposit(&ada, "10.00").await;
    let platform = &app.server.platform;
    let currency = |code| Currency::parse(code).unwrap();
    let (dollars, yen, user) = (currency("USD"), currency("JPY"), uuid::<UserId>(&ada.id));
    let (stranger, nothing): (UserId, OfferId) = (platform.ids.new_id(), platform.ids.new_id());
    let (own, fees) = (PurseKey::available(user, dollars), PurseKey::fees(dollars));
    let leg = |debit: &PurseKey, credit: &PurseKey, minor| Leg {
        debit: debit.clone(),
        credit: credit.clone(),
        amount: Money::new(minor, dollars),
        kind: Kind::Refund,
    };
    let cases = [
        (vec![leg(&own, &fees, 1_001)], Code::InsufficientFunds),
        (vec![leg(&own, &fees, 600), leg(&own, &fees, 600)], Code::InsufficientFunds),
        (vec![leg(&PurseKey::available(stranger, dollars), &fees, 1)], Code::InsufficientFunds),
        (vec![leg(&PurseKey::escrow(nothing, user, dollars), &own, 1)], Code::InsufficientFunds),
        (vec![leg(&own, &PurseKey::fees(yen), 1)], Code::CurrencyMismatch),
        (vec![leg(&PurseKey::available(user, yen), &fees, 1)], Code::CurrencyMismatch),
        (vec![leg(&own, &fees, -5)], Code::AmountNotPositive),
        (vec![leg(&own, &fees, i64::MAX), leg(&own, &fees, 1)], Code::AmountTooLarge),
    ];
    for (number, (legs, code)) in cases.into_iter().enumerate() {
        let caller = Caller::system("test");
        let done = platform.work.run(&caller, legs, |unit, legs| {
            Box::pin(async move {
                let payment: PaymentId = unit.ids.new_id();
                let mut batch = Batch::new(Cause::of(payment));
                batch.post(unit, legs.clone());
                batch.apply(unit).await.map(drop)
            })
        });
        assert_eq!(done.await.unwrap_err().code, code, "case {number}");
    }
    assert_eq!(app.money(&ada).await, ["10.00", "0.00", "0.00"]);
    assert_eq!(app.count("select count(*) as n from transfers").await, 1);
    app.assert_books().await;
}
