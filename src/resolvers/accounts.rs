//! Accounts: sign-up to sign-out, and the fields of a user.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object};

use super::ask::{Ask, StreamHeads};
use super::error::{Nullable, answer, settle};
use super::{bookings, chat, jobs, offers, reviews, wallet};
use crate::features::accounts::{self as feature, Sessions, commands};
use crate::kernel::id::UserId;
use crate::kernel::page::Page;
use crate::kernel::{Error, Result};
use crate::schema::accounts::*;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::BookingConnection;
use crate::schema::chat::ConversationConnection;
use crate::schema::jobs::JobConnection;
use crate::schema::offers::OfferConnection;
use crate::schema::reviews::{RatingSummary, ReviewConnection};
use crate::schema::scalars::{CurrencyCode, DateTime};
use crate::schema::wallet::Wallet;

/// Queries of accounts.
#[derive(Default)]
pub struct AccountQuery;

/// Who is asking.
#[Object]
impl AccountQuery {
    /// The signed-in user's own view; null when nobody is signed in.
    #[graphql(directive = auth::apply(Access::Public))]
    async fn viewer(&self, ctx: &Context<'_>) -> Nullable<Viewer> {
        match ctx.caller().viewer {
            None => None,
            Some(viewer) => Some(answer(own_view(ctx, viewer.user).await)),
        }
    }
}

/// Mutations of accounts.
#[derive(Default)]
pub struct AccountMutation;

/// Signing up, in, on and out.
#[Object]
impl AccountMutation {
    /// Opens an account and signs it in.
    #[graphql(directive = auth::apply(Access::Public))]
    async fn account_sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new account.")] input: AccountSignUpInput,
    ) -> Nullable<AccountSignUpPayload> {
        settle(sign_up(ctx, input).await)
    }

    /// Signs in with address and password.
    #[graphql(directive = auth::apply(Access::Public))]
    async fn account_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Address and password.")] input: AccountSignInInput,
    ) -> Nullable<AccountSignInPayload> {
        settle(sign_in(ctx, input).await)
    }

    /// Swaps a refresh token for a new pair. Each refresh token works once; a second use ends the session.
    #[graphql(directive = auth::apply(Access::Public))]
    async fn session_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: SessionRefreshInput,
    ) -> Nullable<SessionRefreshPayload> {
        let outcome = commands::refresh(ctx.platform(), ctx.caller(), &input.refresh_token).await;
        settle(outcome.map(|pair| SessionRefreshPayload { session: Some((&pair).into()), ..Default::default() }))
    }

    /// Ends this session, or all of the viewer's. Open sockets of ended sessions are closed.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn session_sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions.")] input: SessionSignOutInput,
    ) -> Nullable<SessionSignOutPayload> {
        let outcome = commands::sign_out(ctx.platform(), ctx.caller(), input.all).await;
        let payload = |ended| SessionSignOutPayload { ended_count: i32::try_from(ended).ok(), ..Default::default() };
        settle(outcome.map(payload))
    }

    /// Puts a fresh access token on the open socket that sends this, so that it outlives the old one.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn connection_renew(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The fresh token.")] input: ConnectionRenewInput,
    ) -> Nullable<ConnectionRenewPayload> {
        settle(renew(ctx, input).await)
    }
}

async fn own_view(ctx: &Context<'_>, user: UserId) -> Result<Viewer> {
    let row = ctx.loaders().user(user).await?.ok_or_else(|| Error::not_found("user"))?;
    Ok(Viewer { user: row.into() })
}

/// A user, whom nobody ever hides: an erased one is a pseudonym.
pub async fn user(ctx: &Context<'_>, id: UserId) -> async_graphql::Result<User> {
    let missing = || Error::internal("a user is gone");
    answer(ctx.loaders().user(id).await.and_then(|found| found.ok_or_else(missing))).map(Into::into)
}

async fn sign_up(ctx: &Context<'_>, input: AccountSignUpInput) -> Result<AccountSignUpPayload> {
    let roles: Vec<_> = input.roles.into_iter().map(Into::into).collect();
    let input = feature::SignUp::new(&input.email.0, &input.password, &input.display_name, &roles)?;
    let pair = commands::sign_up(ctx.platform(), ctx.caller(), input).await?;
    let viewer = Some(own_view(ctx, pair.user).await?);
    Ok(AccountSignUpPayload { session: Some((&pair).into()), viewer, ..Default::default() })
}

async fn sign_in(ctx: &Context<'_>, input: AccountSignInInput) -> Result<AccountSignInPayload> {
    let input = feature::SignIn { email: input.email.0, password: input.password };
    let pair = commands::sign_in(ctx.platform(), ctx.caller(), input).await?;
    let viewer = Some(own_view(ctx, pair.user).await?);
    Ok(AccountSignInPayload { session: Some((&pair).into()), viewer, ..Default::default() })
}

/// Where a socket keeps the pass that it may renew. Absent over HTTP.
pub type Renewal = Arc<dyn Fn(feature::sessions::Pass) + Send + Sync>;

async fn renew(ctx: &Context<'_>, input: ConnectionRenewInput) -> Result<ConnectionRenewPayload> {
    let viewer = ctx.viewer()?;
    let pass = ctx.data_unchecked::<Sessions>().authenticate(&input.access_token).await?;
    if pass.viewer.user != viewer.user {
        return Err(Error::forbidden("This token belongs to another user; open a new socket for it."));
    }
    let conflict = || Error::conflict("This renews an open socket; send it over one.");
    let renewal = ctx.data_opt::<Renewal>().ok_or_else(conflict)?;
    renewal(pass);
    Ok(ConnectionRenewPayload { expires_at: Some(DateTime(pass.expires_at)), ..Default::default() })
}

/// Fields of a user that need a look.
#[ComplexObject]
impl User {
    /// What the user may be. Shown to the user and to staff.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn roles(&self, ctx: &Context<'_>) -> Option<Vec<Role>> {
        let may_see = |viewer: &crate::kernel::Viewer| viewer.user == self.row.id || viewer.roles.is_staff();
        match ctx.caller().viewer {
            Some(viewer) if may_see(&viewer) => Some(self.row.roles.list().into_iter().map(Into::into).collect()),
            _ => None,
        }
    }

    /// What the published reviews of the user add up to.
    async fn rating(&self, ctx: &Context<'_>) -> async_graphql::Result<RatingSummary> {
        answer(reviews::rating_of(ctx, self.row.id).await)
    }

    /// What others say of the user: published reviews, newest first.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<ReviewConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), None, None))?;
        answer(reviews::of_user(ctx, self.row.id, &page).await)
    }
}

/// Fields of the viewer that need a look.
#[ComplexObject]
impl Viewer {
    /// Where the viewer's streams ended before this document ran. Subscribe with it in `after`, and nothing between this
    /// answer and the first event is lost.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn stream_cursor(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
        let heads = ctx.data_opt::<StreamHeads>();
        answer(heads.map(|heads| heads.0.encode()).ok_or_else(Error::unauthenticated))
    }

    /// The viewer's wallet in one currency: the house's default when none is named.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn wallet(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which currency.")] currency: Option<CurrencyCode>,
    ) -> async_graphql::Result<Wallet> {
        let currency = answer(currency.map_or_else(|| wallet::default_currency(ctx), |code| Ok(code.0)))?;
        answer(wallet::of(ctx, self.user.row.id, currency).await)
    }

    /// The viewer's wallets in all currencies that ever moved, the house's default first.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn wallets(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Wallet>> {
        answer(wallet::all(ctx, self.user.row.id).await)
    }

    /// The viewer's own jobs, newest first.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<JobConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), None, None))?;
        answer(jobs::of_customer(ctx, self.user.row.id, &page).await)
    }

    /// Offers that the viewer made or got, newest first.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn offers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<OfferConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), None, None))?;
        answer(offers::of_user(ctx, self.user.row.id, &page).await)
    }

    /// The viewer's bookings on either side, newest first.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<BookingConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), None, None))?;
        answer(bookings::of_user(ctx, self.user.row.id, &page).await)
    }

    /// The viewer's conversations, newest activity first.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 when it is not given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<ConversationConnection> {
        answer(chat::of_viewer(ctx, first, after).await)
    }

    /// How many messages to the viewer are unread, over all conversations.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn unread_message_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        answer(chat::unread_total(ctx).await)
    }
}
