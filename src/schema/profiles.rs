//! Profiles in the API.

use async_graphql::{ID, InputObject, MaybeUndefined, SimpleObject};

use super::accounts::User;
use super::auth::{Access, auth};
use super::error::{payload, user_error};
use super::live::event_object;

/// What is to be changed. What is absent stays as it is; null clears it.
#[derive(InputObject)]
pub struct ProfileUpdateInput {
    /// The name that everyone sees: 1 to 80 characters. It cannot be cleared.
    pub display_name: MaybeUndefined<String>,
    /// What the user says of itself: at most 1000 characters.
    pub bio: MaybeUndefined<String>,
    /// A file of the viewer's, uploaded as PROFILE_IMAGE.
    pub profile_image_id: MaybeUndefined<ID>,
    /// A file of the viewer's, uploaded as COVER_IMAGE.
    pub cover_image_id: MaybeUndefined<ID>,
    /// Whether others are not to see if the viewer is online, and when it was last. Staff see it all the same.
    pub is_presence_hidden: Option<bool>,
    /// Change only if `User.version` still is this; else CONFLICT.
    pub expected_version: Option<i32>,
}

/// The changed profile.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct ProfileUpdatePayload {
    /// The viewer's own account; on CONFLICT as it is now.
    pub user: Option<User>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<ProfileError>,
}
payload!(ProfileUpdatePayload, ProfileError);

user_error! {
    /// Why a profile was not changed.
    ProfileError, ProfileErrorCode {
        /// A value breaks a rule: empty, malformed, or a file that was uploaded for another purpose.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
        /// There is no such file of the viewer's.
        NotFound,
        /// The profile changed meanwhile.
        Conflict,
    }
}

event_object! {
    /// The viewer's own profile changed.
    ProfileChanged, Access::SelfOnly
}
