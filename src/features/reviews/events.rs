//! The facts that reviews state. Both parties hear of all of them; what a review says is never part of a fact, so that a
//! hearer reads only what it may see at that moment.

use super::Review;
use crate::platform::streams::Draft;

/// The subscription that shows them.
pub const NOUN: &str = "review";
/// A review was posted. The other party learns that it is there, and not what it says.
pub const POSTED: &str = "ReviewPosted";
/// A review became visible.
pub const PUBLISHED: &str = "ReviewPublished";
/// The reviewed user replied.
pub const REPLIED: &str = "ReviewReplied";
/// Staff took a review out of sight.
pub const HIDDEN: &str = "ReviewHidden";
/// Staff put a review back.
pub const UNHIDDEN: &str = "ReviewUnhidden";

/// Something of one of these kinds happened to a review.
pub fn happened(kind: &'static str, review: &Review) -> Draft {
    Draft::new(NOUN, kind, review.id, review.version).about(review.booking).to([review.author, review.subject])
}
