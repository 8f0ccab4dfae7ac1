//! Wallets: depositing and balances here, what led there in `history`, hearing of changes in `live`.

mod history;
mod live;

use async_graphql::{Context, Object};

pub use live::WalletSubscription;

use super::ask::Ask;
use super::error::{Nullable, answer, settle};
use crate::features::wallet::commands::{self, Deposit};
use crate::features::wallet::{Quote, Rates, queries};
use crate::kernel::id::{PaymentId, UserId};
use crate::kernel::{Currency, Error, Result};
use crate::loaders::WalletKey;
use crate::platform::work::Once;
use crate::schema::auth::{Access, auth};
use crate::schema::money::{FeeQuote, MoneyInput};
use crate::schema::wallet::*;

/// Queries of wallets.
#[derive(Default)]
pub struct WalletQuery;

/// What deals cost.
#[Object]
impl WalletQuery {
    /// What a deal of this budget would cost whom, at today's rates.
    #[graphql(directive = auth::apply(Access::Public))]
    async fn fee_quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The price to be agreed.")] budget: MoneyInput,
    ) -> async_graphql::Result<FeeQuote> {
        let quote = budget.read("budget").and_then(|budget| Quote::of(budget, Rates::current(ctx.platform())));
        let quote = quote.map_err(|error| Error::new(crate::kernel::Code::BadUserInput, error.message));
        answer(quote.and_then(|quote| FeeQuote::of(&quote)))
    }
}

/// Mutations of wallets.
#[derive(Default)]
pub struct WalletMutation;

/// Bringing money in.
#[Object]
impl WalletMutation {
    /// Brings money into the viewer's wallet. The sandbox settles at once and moves no real money.
    #[graphql(directive = auth::apply(Access::Customer))]
    async fn deposit_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How much, and the client's key.")] input: DepositCreateInput,
    ) -> Nullable<DepositCreatePayload> {
        settle(deposit(ctx, input).await)
    }
}

async fn deposit(ctx: &Context<'_>, input: DepositCreateInput) -> Result<DepositCreatePayload> {
    let amount = input.amount.read("amount")?;
    let key = Once::new("depositCreate", &input.idempotency_key)?;
    let id = ctx.done(commands::deposit(ctx.platform(), ctx.caller(), Deposit { amount, key }).await?);
    let payment = ctx.loaders().payment(id).await?.map(Into::into);
    let wallet = Some(of(ctx, ctx.viewer()?.user, amount.currency).await?);
    Ok(DepositCreatePayload { payment, wallet, ..Default::default() })
}

/// A user's wallet in one currency.
pub async fn of(ctx: &Context<'_>, user: UserId, currency: Currency) -> Result<Wallet> {
    let found = ctx.loaders().balance(WalletKey { user, currency }).await?;
    Ok((*found.ok_or_else(|| Error::internal("a wallet that cannot be summed"))?).into())
}

/// The currency that is meant when none is named.
pub fn default_currency(ctx: &Context<'_>) -> Result<Currency> {
    Currency::parse(&ctx.platform().config.money.default_currency)
}

/// A payment that the viewer may see: its own, or any for staff.
pub async fn visible_payment(ctx: &Context<'_>, id: PaymentId) -> Result<Option<Payment>> {
    let viewer = ctx.viewer()?;
    let found = ctx.loaders().payment(id).await?;
    Ok(found.filter(|payment| payment.user == viewer.user || viewer.roles.is_staff()).map(Into::into))
}

/// A user's wallets in all currencies.
pub async fn all(ctx: &Context<'_>, user: UserId) -> Result<Vec<Wallet>> {
    let balances = queries::balances(ctx.platform(), user, default_currency(ctx)?).await?;
    Ok(balances.into_iter().map(Into::into).collect())
}
