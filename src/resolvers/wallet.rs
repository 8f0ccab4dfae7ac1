//! Wallets: depositing, balances, history, and hearing of changes.

use async_graphql::{ComplexObject, Context, Object, Subscription};

use super::ask::Ask;
use super::connection::total;
use super::error::{Nullable, answer, nullable, settle};
use super::live::{Live, durable, live_events, own};
use crate::features::wallet::commands::{self, Deposit};
use crate::features::wallet::{Quote, Rates, events, queries};
use crate::kernel::id::{PaymentId, UserId};
use crate::kernel::page::{Cursor, Page};
use crate::kernel::{Currency, Error, Result};
use crate::loaders::WalletKey;
use crate::platform::streams::Event;
use crate::platform::work::Once;
use crate::schema::auth::{Access, auth};
use crate::schema::money::{FeeQuote, Money, MoneyInput};
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

/// Fields of a wallet that need a look.
#[ComplexObject]
impl Wallet {
    /// What happened to it, newest first.
    async fn transactions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<TransactionConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), None, None))?;
        let (owner, currency) = (self.owner, self.currency.0);
        let slice = answer(queries::transactions(ctx.platform(), owner, currency, &page).await)?;
        let total =
            total(ctx, move |platform| async move { queries::transaction_count(&platform, owner, currency).await });
        let cursor = |row: &crate::features::wallet::Transaction| Cursor {
            key: row.created_at.0,
            id: crate::kernel::id::TypedId::uuid(row.id),
        };
        Ok(TransactionConnection::of(slice, total, cursor, Into::into))
    }
}

/// Subscriptions of wallets.
#[derive(Default)]
pub struct WalletSubscription;

/// Hearing of money.
#[Subscription]
impl WalletSubscription {
    /// What happens to the viewer's money.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn wallet_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Live<WalletEvent>> {
        durable(ctx, after, async || own(ctx, events::NOUN, None)).await
    }
}

live_events!(WalletEvent {
    events::CREDITED => Credited(WalletCredited),
    events::DEBITED => Debited(WalletDebited),
    events::PAYMENT_COMPLETED => Completed(PaymentCompleted),
    events::PAYMENT_FAILED => Failed(PaymentFailed),
});

fn change(event: &Event) -> async_graphql::Result<events::Change> {
    answer(event.read_facts())
}

async fn wallet_of(ctx: &Context<'_>, event: &Event) -> async_graphql::Result<Wallet> {
    let currency = answer(Currency::parse(&change(event)?.currency))?;
    let viewer = answer(ctx.viewer())?;
    answer(of(ctx, viewer.user, currency).await)
}

fn kind_of(event: &Event) -> async_graphql::Result<TransactionKind> {
    let kind = crate::features::wallet::model::Kind::parse(&change(event)?.kind);
    answer(kind.map(Into::into).ok_or_else(|| Error::internal("an unknown kind of transfer")))
}

async fn payment_of(ctx: &Context<'_>, event: &Event) -> Nullable<Payment> {
    nullable(ctx.loaders().payment(event.object_id::<PaymentId>()).await.map(|found| found.map(Into::into)))
}

/// More may be spent.
#[ComplexObject]
impl WalletCredited {
    /// By how much.
    async fn amount(&self) -> async_graphql::Result<Money> {
        Ok(answer(change(&self.event)?.amount())?.into())
    }
    /// What for.
    async fn kind(&self) -> async_graphql::Result<TransactionKind> {
        kind_of(&self.event)
    }
    /// The whole wallet, as it is now.
    async fn wallet(&self, ctx: &Context<'_>) -> async_graphql::Result<Wallet> {
        wallet_of(ctx, &self.event).await
    }
}

/// Less may be spent.
#[ComplexObject]
impl WalletDebited {
    /// By how much.
    async fn amount(&self) -> async_graphql::Result<Money> {
        Ok(answer(change(&self.event)?.amount())?.into())
    }
    /// What for.
    async fn kind(&self) -> async_graphql::Result<TransactionKind> {
        kind_of(&self.event)
    }
    /// The whole wallet, as it is now.
    async fn wallet(&self, ctx: &Context<'_>) -> async_graphql::Result<Wallet> {
        wallet_of(ctx, &self.event).await
    }
}

/// A deposit has arrived.
#[ComplexObject]
impl PaymentCompleted {
    /// The payment.
    async fn payment(&self, ctx: &Context<'_>) -> Nullable<Payment> {
        payment_of(ctx, &self.event).await
    }
    /// The whole wallet, as it is now.
    async fn wallet(&self, ctx: &Context<'_>) -> async_graphql::Result<Wallet> {
        wallet_of(ctx, &self.event).await
    }
}

/// A deposit will not arrive.
#[ComplexObject]
impl PaymentFailed {
    /// The payment.
    async fn payment(&self, ctx: &Context<'_>) -> Nullable<Payment> {
        payment_of(ctx, &self.event).await
    }
    /// The whole wallet, as it is now.
    async fn wallet(&self, ctx: &Context<'_>) -> async_graphql::Result<Wallet> {
        wallet_of(ctx, &self.event).await
    }
}
