//! Reviews and ratings in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::connection::connection;
use super::error::{payload, user_error};
use super::live::{event_interface, event_object};
use super::scalars::{DateTime, Decimal};
use crate::features::reviews as feature;

/// What one party of a completed booking says of the other. Everybody reads it once it is PUBLISHED; until then, and
/// while it is HIDDEN, it is there for its author and for staff only.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Public))]
pub struct Review {
    /// The id.
    pub id: ID,
    /// Stars, 1 to 5.
    pub rating: i32,
    /// What the author says.
    pub text: String,
    /// Where it stands.
    pub status: ReviewStatus,
    /// What the reviewed user says to it.
    pub reply: Option<String>,
    /// When the reviewed user replied.
    pub replied_at: Option<DateTime>,
    /// When it was published; null while it is PENDING.
    pub published_at: Option<DateTime>,
    /// When it was posted.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole review, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Review>,
}

impl From<Arc<feature::Review>> for Review {
    fn from(row: Arc<feature::Review>) -> Self {
        Review {
            id: row.id.into(),
            rating: super::int(row.rating),
            text: row.text.clone(),
            status: row.status.into(),
            reply: row.reply.clone(),
            replied_at: row.replied_at.map(DateTime),
            published_at: row.published_at.map(DateTime),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

connection! {
    /// A page of reviews, newest first.
    ReviewConnection, ReviewEdge, Review, Access::Public
}

/// Where a review stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Status")]
pub enum ReviewStatus {
    /// Waits for the other party's review, or for its time.
    Pending,
    /// Everybody reads it.
    Published,
    /// Taken out of sight by staff.
    Hidden,
}

/// What the published reviews of a user add up to.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct RatingSummary {
    /// The mean of the stars, rounded to two decimals; null without a review.
    pub average: Option<Decimal>,
    /// How many reviews there are.
    pub count: i32,
    /// How many of them gave 1, 2, 3, 4 and 5 stars, in this order.
    pub count_by_stars: Vec<i32>,
}

impl From<&feature::Rating> for RatingSummary {
    fn from(rating: &feature::Rating) -> Self {
        RatingSummary {
            average: rating.average().map(Decimal),
            count: super::int(rating.count()),
            count_by_stars: rating.stars.into_iter().map(super::int).collect(),
        }
    }
}

/// A review to be posted.
#[derive(InputObject)]
pub struct ReviewPostInput {
    /// The booking: COMPLETED, and the viewer a party of it.
    pub booking_id: ID,
    /// Stars for the other party, 1 to 5.
    pub rating: i32,
    /// What to say of the other party: 1 to 2000 characters.
    pub text: String,
}

/// A reply to a review.
#[derive(InputObject)]
pub struct ReviewReplyInput {
    /// The review: PUBLISHED, and about the viewer.
    pub review_id: ID,
    /// What to say to it: 1 to 1000 characters.
    pub text: String,
}

/// Which review to hide, and why.
#[derive(InputObject)]
pub struct ReviewHideInput {
    /// The review: PUBLISHED.
    pub review_id: ID,
    /// Why: 1 to 1000 characters, shown to the author.
    pub reason: String,
}

/// Which review to show again.
#[derive(InputObject)]
pub struct ReviewUnhideInput {
    /// The review: HIDDEN.
    pub review_id: ID,
}

macro_rules! review_payload {
    ($(#[$doc:meta])* $payload:ident, $access:expr) => {
        $(#[$doc])*
        #[derive(Default, SimpleObject)]
        #[graphql(crate = "crate::schema::object", directive = auth::apply($access))]
        pub struct $payload {
            /// The review, as it is now; with CONFLICT as well, if there is one to show.
            pub review: Option<Review>,
            /// Why it was refused. Empty when it was done.
            pub user_errors: Vec<ReviewError>,
        }
        payload!($payload, ReviewError);
    };
}
review_payload! {
    /// The review that was posted.
    ReviewPostPayload, Access::Party
}
review_payload! {
    /// The review that was replied to.
    ReviewReplyPayload, Access::Party
}
review_payload! {
    /// The review that was hidden.
    ReviewHidePayload, Access::Moderator
}
review_payload! {
    /// The review that is shown again.
    ReviewUnhidePayload, Access::Moderator
}

user_error! {
    /// Why something about a review was refused.
    ReviewError, ReviewErrorCode {
        /// A value breaks a rule: empty, malformed, not 1 to 5 stars.
        Invalid,
        /// A text is longer than its limit.
        TooLong,
        /// There is no such booking or review for you.
        NotFound,
        /// The booking is not completed, or the review's state does not allow this.
        Conflict,
        /// You have reviewed this booking already.
        ReviewExists,
        /// You have replied to this review already.
        ReplyExists,
    }
}

event_object! {
    /// A review was posted; the other party learns that it is there, and not what it says.
    ReviewPosted, Access::Party
}
event_object! {
    /// A review became visible.
    ReviewPublished, Access::Party
}
event_object! {
    /// The reviewed user replied.
    ReviewReplied, Access::Party
}
event_object! {
    /// Staff took a review out of sight.
    ReviewHidden, Access::Party
}
event_object! {
    /// Staff put a review back.
    ReviewUnhidden, Access::Party
}

event_interface! {
    /// What happens to reviews by the viewer and about the viewer.
    ReviewEvent, Access::SignedIn, {
        /// A review was posted.
        Posted(ReviewPosted),
        /// A review became visible.
        Published(ReviewPublished),
        /// The reviewed user replied.
        Replied(ReviewReplied),
        /// Staff took a review out of sight.
        Hidden(ReviewHidden),
        /// Staff put a review back.
        Unhidden(ReviewUnhidden),
    }
}
