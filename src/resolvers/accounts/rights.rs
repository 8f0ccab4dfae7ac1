//! Sessions, roles and blocks: what ends live connections.

use async_graphql::{Context, ID, Object};

use super::own_view;
use crate::features::accounts::rights::{self, Measure};
use crate::features::accounts::{commands, queries};
use crate::features::presence;
use crate::kernel::id::{UserId, parse};
use crate::kernel::{Result, Roles};
use crate::resolvers::ask::Ask;
use crate::resolvers::error::{Nullable, settle, settle_with};
use crate::schema::accounts::*;
use crate::schema::auth::{Access, auth};
use crate::schema::int;

/// Mutations of sessions and rights.
#[derive(Default)]
pub struct RightsMutation;

/// Ending, granting, keeping out.
#[Object]
impl RightsMutation {
    /// Ends one of the viewer's sessions. Its open sockets are closed.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn session_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: SessionEndInput,
    ) -> Nullable<SessionEndPayload> {
        settle(end(ctx, input).await)
    }

    /// Ends all live connections of a user, on every instance. Its sessions go on, so its clients may come back. Only
    /// administrators do it to staff.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn session_disconnect(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose connections, and why.")] input: SessionDisconnectInput,
    ) -> Nullable<SessionDisconnectPayload> {
        settle(disconnect(ctx, input).await)
    }

    /// Adds a role to the viewer's own. Its open sockets are closed, to be opened again with the new role.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn account_role_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role.")] input: AccountRoleAddInput,
    ) -> Nullable<AccountRoleAddPayload> {
        settle(add_role(ctx, input).await)
    }

    /// Gives a user exactly these roles; it is how roles of staff are granted and taken. The user's open sockets are
    /// closed. Somebody always stays an administrator.
    #[graphql(directive = auth::apply(Access::Admin))]
    async fn user_roles_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose roles, and which.")] input: UserRolesSetInput,
    ) -> Nullable<UserRolesSetPayload> {
        settle(set_roles(ctx, input).await)
    }

    /// Keeps a user out: its sessions end, its open sockets are closed, and it cannot sign in. Whoever is blocked already
    /// is blocked anew, with this end and reason. Only administrators block staff, and nobody itself.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn user_block(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, how long, and why.")] input: UserBlockInput,
    ) -> Nullable<UserBlockPayload> {
        settle(block(ctx, input).await)
    }

    /// Lets a blocked user in again.
    #[graphql(directive = auth::apply(Access::Moderator))]
    async fn user_unblock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and why.")] input: UserUnblockInput,
    ) -> Nullable<UserUnblockPayload> {
        let user = parse(&input.user_id);
        let current = async |refused| match user {
            Ok(user) => UserUnblockPayload { user: changed(ctx, user).await.ok().flatten(), ..refused },
            Err(_) => refused,
        };
        settle_with(unblock(ctx, input).await, current).await
    }
}

/// The viewer's own sessions.
pub(super) async fn sessions(ctx: &Context<'_>) -> Result<Vec<Session>> {
    let current = ctx.viewer()?.session;
    let found = queries::own_sessions(ctx.platform(), ctx.caller()).await?;
    Ok(found.into_iter().map(|row| Session::new(row, current)).collect())
}

async fn end(ctx: &Context<'_>, input: SessionEndInput) -> Result<SessionEndPayload> {
    commands::end_session(ctx.platform(), ctx.caller(), parse(&input.session_id)?).await?;
    let viewer = Some(own_view(ctx, ctx.viewer()?.user).await?);
    Ok(SessionEndPayload { viewer, ..Default::default() })
}

async fn disconnect(ctx: &Context<'_>, input: SessionDisconnectInput) -> Result<SessionDisconnectPayload> {
    let measure = measure(&input.user_id, &input.reason)?;
    let user = measure.user;
    let open = presence::queries::connections(ctx.platform(), &[user]).await?;
    rights::disconnect(ctx.platform(), ctx.caller(), measure).await?;
    let ended_count = open.first().map(|open| int(i64::try_from(open.count).unwrap_or(i64::MAX)));
    Ok(SessionDisconnectPayload { user: changed(ctx, user).await?, ended_count, ..Default::default() })
}

async fn add_role(ctx: &Context<'_>, input: AccountRoleAddInput) -> Result<AccountRoleAddPayload> {
    let user = rights::add_role(ctx.platform(), ctx.caller(), input.role.into()).await?;
    ctx.loaders().renew();
    Ok(AccountRoleAddPayload { viewer: Some(own_view(ctx, user).await?), ..Default::default() })
}

async fn set_roles(ctx: &Context<'_>, input: UserRolesSetInput) -> Result<UserRolesSetPayload> {
    let measure = measure(&input.user_id, &input.reason)?;
    let user = measure.user;
    let roles: Vec<_> = input.roles.into_iter().map(Into::into).collect();
    rights::set_roles(ctx.platform(), ctx.caller(), measure, Roles::of(&roles)).await?;
    Ok(UserRolesSetPayload { user: changed(ctx, user).await?, ..Default::default() })
}

async fn block(ctx: &Context<'_>, input: UserBlockInput) -> Result<UserBlockPayload> {
    let measure = measure(&input.user_id, &input.reason)?;
    let user = measure.user;
    rights::block(ctx.platform(), ctx.caller(), measure, input.block_until.map(|until| until.0)).await?;
    Ok(UserBlockPayload { user: changed(ctx, user).await?, ..Default::default() })
}

async fn unblock(ctx: &Context<'_>, input: UserUnblockInput) -> Result<UserUnblockPayload> {
    let measure = measure(&input.user_id, &input.reason)?;
    let user = measure.user;
    rights::unblock(ctx.platform(), ctx.caller(), measure).await?;
    Ok(UserUnblockPayload { user: changed(ctx, user).await?, ..Default::default() })
}

fn measure(user: &ID, reason: &str) -> Result<Measure> {
    Measure::new(parse(user)?, reason)
}

/// The user as it is now.
async fn changed(ctx: &Context<'_>, user: UserId) -> Result<Option<User>> {
    ctx.loaders().renew();
    Ok(ctx.loaders().user(user).await?.map(Into::into))
}
