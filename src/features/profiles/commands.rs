//! Changing a profile.

use super::{Change, events};
use crate::features::accounts::{self, User};
use crate::features::uploads::{self, Purpose};
use crate::kernel::id::{FileId, UserId};
use crate::kernel::{Caller, Error, Result};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Changes the viewer's own profile. Pictures that it loses are removed in their time. What changes nothing is no event.
pub async fn update(platform: &Platform, caller: &Caller, change: Change) -> Result<UserId> {
    let viewer = caller.viewer()?.user;
    let shows_or_hides = change.hides_presence.is_some();
    let changed = platform
        .work
        .run(caller, (viewer, change), |unit, (viewer, change)| {
            Box::pin(async move {
                let before = accounts::queries::locked(unit, *viewer).await?;
                if change.expected_version.is_some_and(|version| version != before.version) {
                    let message = "The profile changed meanwhile; look at it and try again.";
                    return Err(Error::conflict(message).at("expectedVersion"));
                }
                let after = change.apply(&before);
                if !is_same(&before, &after) {
                    write(unit, &before, &after).await?;
                }
                Ok(*viewer)
            })
        })
        .await?;
    if shows_or_hides {
        platform.presence.renew(changed).await;
    }
    Ok(changed)
}

fn is_same(before: &User, after: &User) -> bool {
    before.display_name == after.display_name
        && before.bio == after.bio
        && before.profile_image == after.profile_image
        && before.cover_image == after.cover_image
        && before.hides_presence == after.hides_presence
}

async fn write(unit: &mut Unit, before: &User, after: &User) -> Result<()> {
    let pictures = [
        (before.profile_image, after.profile_image, Purpose::ProfileImage, "profileImageId"),
        (before.cover_image, after.cover_image, Purpose::CoverImage, "coverImageId"),
    ];
    for (old, new, purpose, field) in pictures {
        replace(unit, after.id, old, new, purpose).await.map_err(|error| error.at(field))?;
    }
    let version = accounts::commands::set_profile(unit, after).await?;
    unit.state(events::changed(after.id, version));
    Ok(())
}

async fn replace(
    unit: &mut Unit,
    owner: UserId,
    old: Option<FileId>,
    new: Option<FileId>,
    purpose: Purpose,
) -> Result<()> {
    if old == new {
        return Ok(());
    }
    if let Some(new) = new {
        uploads::commands::attach(unit, owner, new, purpose).await?;
    }
    if let Some(old) = old {
        uploads::commands::detach(unit, old).await?;
    }
    Ok(())
}
