//! Accounts: sign-up to sign-out, and the fields of a user.

mod rights;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object};
use futures_util::future::join_all;

pub use self::rights::RightsMutation;
use super::ask::{Ask, StreamHeads};
use super::error::{Nullable, answer, nullable, settle};
use super::{bookings, chat, jobs, notifications, offers, presence, reviews, uploads, wallet};
use crate::features::accounts::{self as feature, Sessions, commands, verification};
use crate::kernel::id::UserId;
use crate::kernel::page::Page;
use crate::kernel::{Error, Result};
use crate::schema::accounts::*;
use crate::schema::auth::{Access, auth};
use crate::schema::bookings::BookingConnection;
use crate::schema::chat::ConversationConnection;
use crate::schema::jobs::JobConnection;
use crate::schema::notifications::{NotificationConnection, NotificationFilter};
use crate::schema::offers::OfferConnection;
use crate::schema::presence::Presence;
use crate::schema::reviews::{RatingSummary, ReviewConnection};
use crate::schema::scalars::{CurrencyCode, DateTime, EmailAddress};
use crate::schema::uploads::File;
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

    /// Sends the viewer a new code for its e-mail address. The code before it is good no more.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn email_verification_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How to send it.")] input: EmailVerificationSendInput,
    ) -> Nullable<EmailVerificationSendPayload> {
        let outcome = verification::send(ctx.platform(), ctx.caller(), input.language.as_deref()).await;
        let payload = |until| EmailVerificationSendPayload { expires_at: Some(DateTime(until)), ..Default::default() };
        settle(outcome.map(payload))
    }

    /// Verifies the viewer's e-mail address with the code that was sent to it. Five wrong codes within an hour shut the
    /// door until the first of them is an hour old.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn email_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: EmailVerifyInput,
    ) -> Nullable<EmailVerifyPayload> {
        settle(verify(ctx, input).await)
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

/// Reads users of which the fields of many objects will ask. Whoever finds none here asks again.
pub async fn read_ahead(ctx: &Context<'_>, users: impl Iterator<Item = UserId>) {
    let loaders = ctx.loaders();
    join_all(users.map(|user| loaders.user(user))).await;
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

async fn verify(ctx: &Context<'_>, input: EmailVerifyInput) -> Result<EmailVerifyPayload> {
    let user = verification::verify(ctx.platform(), ctx.caller(), &input.code).await?;
    let viewer = Some(own_view(ctx, user).await?);
    Ok(EmailVerifyPayload { viewer, ..Default::default() })
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
    /// The user's picture. Null when there is none.
    async fn profile_image(&self, ctx: &Context<'_>) -> Nullable<File> {
        nullable(uploads::of(ctx, self.row.profile_image).await)
    }

    /// The wide picture on top of the user's profile. Null when there is none.
    async fn cover_image(&self, ctx: &Context<'_>) -> Nullable<File> {
        nullable(uploads::of(ctx, self.row.cover_image).await)
    }

    /// What the user may be. Shown to the user and to staff.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn roles(&self, ctx: &Context<'_>) -> Option<Vec<Role>> {
        let may_see = |viewer: &crate::kernel::Viewer| viewer.user == self.row.id || viewer.roles.is_staff();
        match ctx.caller().viewer {
            Some(viewer) if may_see(&viewer) => Some(self.row.roles.list().into_iter().map(Into::into).collect()),
            _ => None,
        }
    }

    /// Whether the user is online, and when it was last. Null for whoever may not see it: people without a shared
    /// conversation, and everybody but staff when the user hides it.
    #[graphql(directive = auth::apply(Access::Party))]
    async fn presence(&self, ctx: &Context<'_>) -> Nullable<Presence> {
        nullable(presence::of(ctx, &self.row).await)
    }

    /// How staff keep the user out. Null when they do not, or not any more.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn block(&self, ctx: &Context<'_>) -> Option<UserBlock> {
        let now = ctx.platform().clock.now();
        self.row.block.as_ref().filter(|block| block.holds(now)).map(Into::into)
    }

    /// How many live connections the user has, over all instances.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn connection_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
        nullable(presence::connections(ctx, self.row.id).await)
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
        // In a box: the engine gives each field of an object the room of its largest one.
        answer(Box::pin(reviews::of_user(ctx, self.row.id, &page)).await)
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

    /// The address that the viewer signs in with and gets letters at.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn email(&self) -> EmailAddress {
        EmailAddress(self.user.row.email.clone())
    }

    /// When the viewer proved that this address is its own; null as long as it did not.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn email_verified_at(&self) -> Option<DateTime> {
        self.user.row.email_verified_at.map(DateTime)
    }

    /// The viewer's sessions: everywhere that it is signed in, used last first, 100 at most.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn sessions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Session>> {
        answer(rights::sessions(ctx).await)
    }

    /// Whether others do not see if the viewer is online. `profileUpdate` sets it.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn is_presence_hidden(&self) -> bool {
        self.user.row.hides_presence
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

    /// What the viewer was told and has not dismissed, newest first.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 0 to 100; 20 when absent.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only some of them.")] filter: Option<NotificationFilter>,
    ) -> async_graphql::Result<NotificationConnection> {
        let page = answer(Page::from_args(first, after.as_deref(), last, before.as_deref()))?;
        answer(notifications::of_user(ctx, self.user.row.id, filter.unwrap_or_default().into(), &page).await)
    }

    /// How many notifications the viewer has not read.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        answer(notifications::unread(ctx, self.user.row.id).await)
    }
}
