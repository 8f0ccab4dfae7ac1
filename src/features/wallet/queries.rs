//! Reads of wallets as they are now; [`history`](super::history) has what led there. A wallet is its owner's; every question here names whose.

use super::model::{Balance, Payment, PaymentStatus, Purse};
use super::store;
use crate::kernel::id::{PaymentId, UserId};
use crate::kernel::{Currency, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Wallets by user and currency. One without any movement is empty, not missing.
pub async fn balances_of(platform: &Platform, wanted: &[(UserId, Currency)]) -> Result<Vec<Balance>> {
    let users: Vec<_> = wanted.iter().map(|(user, _)| *user).collect();
    let purses = store::purses_of(&platform.db, &users).await?;
    Ok(wanted.iter().map(|(user, currency)| find(*user, *currency, &purses)).collect())
}

/// A user's wallet in one currency, read inside a unit of work.
pub async fn balance_in_unit(unit: &mut Unit, user: UserId, currency: Currency) -> Result<Balance> {
    Ok(find(user, currency, &store::purses_of(&mut unit.tx, &[user]).await?))
}

/// A user's wallets in all currencies that ever moved, the given one first.
pub async fn balances(platform: &Platform, user: UserId, first: Currency) -> Result<Vec<Balance>> {
    let purses = store::purses_of(&platform.db, &[user]).await?;
    let mut currencies = vec![first];
    for purse in &purses {
        if !currencies.contains(&purse.currency) {
            currencies.push(purse.currency);
        }
    }
    Ok(currencies.into_iter().map(|currency| find(user, currency, &purses)).collect())
}

fn find(user: UserId, currency: Currency, purses: &[Purse]) -> Balance {
    let own = purses.iter().find(|purse| purse.owner == Some(user) && purse.currency == currency);
    own.map_or(Balance::empty(user, currency), |purse| Balance::of(user, purse))
}

/// Payments by id, in no particular order. The caller shows them to their owner only.
pub async fn payments(platform: &Platform, ids: &[PaymentId]) -> Result<Vec<Payment>> {
    store::payments(&platform.db, ids).await
}

/// How many payments have arrived and how many have failed since an instant.
pub async fn payments_since(platform: &Platform, then: Timestamp) -> Result<(i64, i64)> {
    let [completed, failed] = [PaymentStatus::Completed, PaymentStatus::Failed];
    let count = async |status| store::payments_since(&platform.db, status, then).await;
    Ok((count(completed).await?, count(failed).await?))
}
