//! Profiles: changing the own one, and hearing of it.

use async_graphql::{ComplexObject, Context, ID, MaybeUndefined, Object};

use super::accounts;
use super::ask::Ask;
use super::error::{Nullable, settle_with};
use crate::features::profiles::{Change, commands};
use crate::kernel::id::FileId;
use crate::kernel::{Code, Error, Result};
use crate::schema::accounts::User;
use crate::schema::auth::{Access, auth};
use crate::schema::profiles::*;

/// Mutations of profiles.
#[derive(Default)]
pub struct ProfileMutation;

/// Showing oneself.
#[Object]
impl ProfileMutation {
    /// Changes what everyone sees of the viewer.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn profile_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: ProfileUpdateInput,
    ) -> Nullable<ProfileUpdatePayload> {
        let current = async |refused| ProfileUpdatePayload { user: own(ctx).await.ok().flatten(), ..refused };
        settle_with(update(ctx, input).await, current).await
    }
}

async fn update(ctx: &Context<'_>, input: ProfileUpdateInput) -> Result<ProfileUpdatePayload> {
    let change = change(input)?;
    commands::update(ctx.platform(), ctx.caller(), change).await?;
    ctx.loaders().renew();
    Ok(ProfileUpdatePayload { user: own(ctx).await?, ..Default::default() })
}

fn change(input: ProfileUpdateInput) -> Result<Change> {
    let mut change = Change {
        profile_image: file(input.profile_image_id)?,
        cover_image: file(input.cover_image_id)?,
        hides_presence: input.is_presence_hidden,
        expected_version: input.expected_version.map(i64::from),
        ..Change::default()
    };
    change = match input.display_name {
        MaybeUndefined::Undefined => change,
        MaybeUndefined::Null => {
            return Err(Error::new(Code::Invalid, "A name cannot be cleared; give another one.").at("displayName"));
        }
        MaybeUndefined::Value(name) => change.with_display_name(&name)?,
    };
    match input.bio {
        MaybeUndefined::Undefined => Ok(change),
        MaybeUndefined::Null => change.with_bio(""),
        MaybeUndefined::Value(bio) => change.with_bio(&bio),
    }
}

fn file(given: MaybeUndefined<ID>) -> Result<Option<Option<FileId>>> {
    match given {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(None)),
        MaybeUndefined::Value(id) => Ok(Some(Some(id.parse()?))),
    }
}

async fn own(ctx: &Context<'_>) -> Result<Option<User>> {
    let viewer = ctx.viewer()?.user;
    Ok(ctx.loaders().user(viewer).await?.map(Into::into))
}

/// What changed.
#[ComplexObject]
impl ProfileChanged {
    /// The account as it is now.
    async fn user(&self, ctx: &Context<'_>) -> async_graphql::Result<User> {
        accounts::user(ctx, self.event.object_id()).await
    }
}
