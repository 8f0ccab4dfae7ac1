//! Hearing of money.

use async_graphql::{ComplexObject, Context, Subscription};

use super::of;
use crate::features::wallet::events;
use crate::features::wallet::model::Kind;
use crate::kernel::id::PaymentId;
use crate::kernel::{Currency, Error};
use crate::platform::streams::Event;
use crate::resolvers::ask::Ask;
use crate::resolvers::error::{Nullable, answer, nullable};
use crate::resolvers::live::{Live, durable, live_events, own};
use crate::schema::auth::{Access, auth};
use crate::schema::money::Money;
use crate::schema::wallet::*;

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
        #[graphql(
            desc = "Bring news at most so often, in milliseconds from 100 to 10,000: of what happened meanwhile, the \
                          latest event of each kind for each object."
        )]
        throttle_ms: Option<i32>,
    ) -> async_graphql::Result<Live<WalletEvent>> {
        durable(ctx, (after, throttle_ms), async || own(ctx, events::NOUN, None)).await
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

/// The wallet right after the event, which carries the figures.
async fn wallet_of(ctx: &Context<'_>, event: &Event) -> async_graphql::Result<Wallet> {
    let (change, user) = (change(event)?, answer(ctx.viewer())?.user);
    match answer(change.balance(user))? {
        Some(balance) => Ok(balance.into()),
        None => answer(of(ctx, user, answer(Currency::parse(&change.currency))?).await),
    }
}

fn amount_of(event: &Event) -> async_graphql::Result<Money> {
    Ok(answer(change(event)?.amount())?.into())
}

fn kind_of(event: &Event) -> async_graphql::Result<TransactionKind> {
    let kind = Kind::parse(&change(event)?.kind);
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
        amount_of(&self.event)
    }
    /// What for.
    async fn kind(&self) -> async_graphql::Result<TransactionKind> {
        kind_of(&self.event)
    }
    /// The whole wallet, as it was right after this.
    async fn wallet(&self, ctx: &Context<'_>) -> async_graphql::Result<Wallet> {
        wallet_of(ctx, &self.event).await
    }
}

/// Less may be spent.
#[ComplexObject]
impl WalletDebited {
    /// By how much.
    async fn amount(&self) -> async_graphql::Result<Money> {
        amount_of(&self.event)
    }
    /// What for.
    async fn kind(&self) -> async_graphql::Result<TransactionKind> {
        kind_of(&self.event)
    }
    /// The whole wallet, as it was right after this.
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
    /// The whole wallet, as it was right after this.
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
    /// Why.
    async fn code(&self) -> async_graphql::Result<PaymentFailureCode> {
        Ok(change(&self.event)?.failure().into())
    }
    /// Whether the same deposit, begun anew with a new key, may well succeed.
    async fn is_retryable(&self) -> async_graphql::Result<bool> {
        Ok(change(&self.event)?.failure().is_retryable())
    }
    /// The whole wallet, which this did not change.
    async fn wallet(&self, ctx: &Context<'_>) -> async_graphql::Result<Wallet> {
        wallet_of(ctx, &self.event).await
    }
}
