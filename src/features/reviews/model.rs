//! What a review is, who may see it, and what many of them add up to.

use crate::kernel::id::{BookingId, ReviewId, UserId};
use crate::kernel::{Code, Error, Result, Timestamp, Viewer, text};

/// The most stars that a review gives; the fewest are one.
pub const STARS_MAX: i64 = 5;

/// Where a review stands: PENDING becomes PUBLISHED, and PUBLISHED and HIDDEN become each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for the other party's review, or for its time.
    Pending,
    /// Everybody reads it.
    Published,
    /// Taken out of sight by staff.
    Hidden,
}

impl Status {
    const ALL: [Status; 3] = [Status::Pending, Status::Published, Status::Hidden];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Pending => "PENDING",
            Status::Published => "PUBLISHED",
            Status::Hidden => "HIDDEN",
        }
    }

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What one party of a booking says of the other.
#[derive(Clone, Debug)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// The booking that it is about.
    pub booking: BookingId,
    /// Who wrote it.
    pub author: UserId,
    /// Whom it is about.
    pub subject: UserId,
    /// Stars, 1 to [`STARS_MAX`].
    pub rating: i64,
    /// What the author says.
    pub text: String,
    /// Where it stands.
    pub status: Status,
    /// When it is published by itself, if it is still pending then.
    pub publish_at: Timestamp,
    /// When it was published first.
    pub published_at: Option<Timestamp>,
    /// What the reviewed user says to it.
    pub reply: Option<String>,
    /// When the reviewed user replied.
    pub replied_at: Option<Timestamp>,
    /// Why staff hid it.
    pub hidden_reason: Option<String>,
    /// When it was posted.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Review {
    /// Whether somebody may see it: everybody once it is published, until then its author and staff.
    pub fn is_for(&self, viewer: Option<&Viewer>) -> bool {
        self.status == Status::Published || viewer.is_some_and(|viewer| self.is_open_to(viewer))
    }

    /// Refuses everybody but the reviewed user. Who has no part in it at all finds no review to act on.
    pub fn must_be_about(&self, viewer: &Viewer) -> Result<()> {
        match viewer.user {
            user if user == self.subject => Ok(()),
            user if user == self.author => Err(Error::forbidden("Only the reviewed user replies to a review.")),
            _ => Err(Error::not_found("review")),
        }
    }

    /// Whether somebody sees it whatever its status. Staff who are reviewed themselves are blind like everybody.
    pub fn is_open_to(&self, viewer: &Viewer) -> bool {
        viewer.user == self.author || viewer.roles.is_staff() && viewer.user != self.subject
    }

    /// Refuses staff who have a part in it.
    pub fn must_not_concern(&self, viewer: &Viewer) -> Result<()> {
        if [self.author, self.subject].contains(&viewer.user) {
            return Err(Error::forbidden("This review concerns you; let another member of staff decide."));
        }
        Ok(())
    }
}

/// All reviews of one booking: none, one or two.
#[derive(Clone, Debug)]
pub struct OfBooking {
    /// The booking.
    pub booking: BookingId,
    /// Its reviews, the oldest first.
    pub reviews: Vec<Review>,
}

/// What the published reviews of a user add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Who was reviewed.
    pub user: UserId,
    /// How many reviews gave one star, two stars, and so on.
    pub stars: [i64; STARS_MAX as usize],
}

impl Rating {
    /// Nobody has reviewed this user yet.
    pub const fn none(user: UserId) -> Self {
        Rating { user, stars: [0; STARS_MAX as usize] }
    }

    /// How many reviews there are.
    pub fn count(&self) -> i64 {
        self.stars.iter().sum()
    }

    /// The mean of the stars with two decimals, a half rounded up; nothing without a review.
    pub fn average(&self) -> Option<String> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let sum: i64 = (1..).zip(self.stars).map(|(stars, reviews)| stars * reviews).sum();
        let hundredths = (200 * sum + count) / (2 * count);
        Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
    }
}

/// What a new review needs, checked.
#[derive(Clone, Debug)]
pub struct NewReview {
    /// The booking.
    pub booking: BookingId,
    /// Stars, 1 to [`STARS_MAX`].
    pub rating: i64,
    /// What the author says.
    pub text: String,
}

impl NewReview {
    /// Checks what a person typed.
    pub fn new(booking: BookingId, rating: i64, text: &str) -> Result<Self> {
        if !(1..=STARS_MAX).contains(&rating) {
            return Err(Error::new(Code::Invalid, format!("Give 1 to {STARS_MAX} stars.")).at("rating"));
        }
        let text = text::paragraphs(text, text::REVIEW_MAX).map_err(|error| error.at("text"))?;
        Ok(NewReview { booking, rating, text })
    }
}

/// What a reply needs, checked.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The review.
    pub review: ReviewId,
    /// What the reviewed user says.
    pub text: String,
}

impl Reply {
    /// Checks what a person typed.
    pub fn new(review: ReviewId, text: &str) -> Result<Self> {
        Ok(Reply { review, text: text::paragraphs(text, text::NOTE_MAX).map_err(|error| error.at("text"))? })
    }
}

/// What hiding a review needs, checked.
#[derive(Clone, Debug)]
pub struct Hide {
    /// The review.
    pub review: ReviewId,
    /// Why.
    pub reason: String,
}

impl Hide {
    /// Checks what staff typed.
    pub fn new(review: ReviewId, reason: &str) -> Result<Self> {
        let reason = text::paragraphs(reason, text::NOTE_MAX).map_err(|error| error.at("reason"))?;
        Ok(Hide { review, reason })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kernel::id::TypedId;

    fn average(stars: [i64; 5]) -> Option<String> {
        Rating { user: UserId::of(Uuid::nil()), stars }.average()
    }

    #[test]
    fn an_average_is_rounded_to_two_decimals() {
        assert_eq!(average([0; 5]), None);
        assert_eq!(average([0, 0, 0, 0, 1]).unwrap(), "5.00");
        assert_eq!(average([0, 0, 0, 2, 1]).unwrap(), "4.33");
        assert_eq!(average([0, 0, 0, 1, 2]).unwrap(), "4.67");
        assert_eq!(average([7, 1, 0, 0, 0]).unwrap(), "1.13", "1.125 is rounded up");
        assert_eq!(average([199, 1, 0, 0, 0]).unwrap(), "1.01", "1.005 is rounded up");
    }

    #[test]
    fn stars_have_their_range() {
        let booking = BookingId::of(Uuid::nil());
        for rating in [i64::MIN, -1, 0, 6, i64::MAX] {
            let refused = NewReview::new(booking, rating, "Good").unwrap_err();
            assert_eq!((refused.code, refused.field), (Code::Invalid, Some(vec!["rating".to_owned()])));
        }
        assert!((1..=5).all(|rating| NewReview::new(booking, rating, "Good").is_ok()));
    }
}
