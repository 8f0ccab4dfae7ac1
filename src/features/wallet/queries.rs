//! Reads of wallets. A wallet is its owner's; every question here names whose.

use super::model::{Balance, Class, Payment, Purse, PurseKey, Transaction};
use super::store;
use crate::kernel::id::{PaymentId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Currency, Money, Result};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Wallets by user and currency. One without any movement is empty, not missing.
pub async fn balances_of(platform: &Platform, wanted: &[(UserId, Currency)]) -> Result<Vec<Balance>> {
    let users: Vec<_> = wanted.iter().map(|(user, _)| *user).collect();
    let purses = store::purses_of(&platform.db, &users).await?;
    let own = |user: UserId| purses.iter().filter(|purse| purse.owner == Some(user)).cloned().collect::<Vec<_>>();
    Ok(wanted.iter().map(|(user, currency)| sum(*user, *currency, &own(*user))).collect())
}

/// A user's wallet in one currency, read inside a unit of work.
pub async fn balance_in_unit(unit: &mut Unit, user: UserId, currency: Currency) -> Result<Balance> {
    Ok(sum(user, currency, &store::purses_of(&mut unit.tx, &[user]).await?))
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
    Ok(currencies.into_iter().map(|currency| sum(user, currency, &purses)).collect())
}

fn sum(user: UserId, currency: Currency, purses: &[Purse]) -> Balance {
    let of = |class: Class| purses.iter().filter(move |purse| purse.class == class && purse.currency == currency);
    let total = |minor: i64| Money::new(minor, currency);
    Balance {
        user,
        available: total(of(Class::Available).map(Purse::available).sum()),
        held: total(of(Class::Available).map(|purse| purse.debits_pending).sum()),
        escrow: total(of(Class::Escrow).map(Purse::posted).sum()),
        pending_payout: Money::zero(currency),
    }
}

/// A user's history in one currency, newest first.
pub async fn transactions(
    platform: &Platform,
    user: UserId,
    currency: Currency,
    page: &Page,
) -> Result<Slice<Transaction>> {
    store::transactions(&platform.db, &PurseKey::available(user, currency).name, page).await
}

/// How long that history is.
pub async fn transaction_count(platform: &Platform, user: UserId, currency: Currency) -> Result<i64> {
    store::transaction_count(&platform.db, &PurseKey::available(user, currency).name).await
}

/// Payments by id, in no particular order. The caller shows them to their owner only.
pub async fn payments(platform: &Platform, ids: &[PaymentId]) -> Result<Vec<Payment>> {
    store::payments(&platform.db, ids).await
}
