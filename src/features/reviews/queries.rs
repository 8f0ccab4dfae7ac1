//! Reads of reviews and ratings. What is published is public; the rest is for its author and for staff.

use std::collections::HashMap;

use super::{OfBooking, Rating, Review, store};
use crate::kernel::id::{BookingId, ReviewId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::Platform;
use crate::platform::work::Unit;

/// Reviews by id, in no particular order. The caller shows them to those whom [`Review::is_for`] names.
pub async fn by_ids(platform: &Platform, ids: &[ReviewId]) -> Result<Vec<Review>> {
    store::by_ids(&platform.db, ids).await
}

/// A review, read inside a unit of work.
pub async fn in_unit(unit: &mut Unit, id: ReviewId) -> Result<Option<Review>> {
    Ok(store::by_ids(&mut unit.tx, &[id]).await?.into_iter().next())
}

/// All reviews of each of these bookings. The caller shows them to those whom [`Review::is_for`] names.
pub async fn of_bookings(platform: &Platform, bookings: &[BookingId]) -> Result<Vec<OfBooking>> {
    let mut found: HashMap<BookingId, Vec<Review>> = HashMap::new();
    for review in store::by_bookings(&platform.db, bookings).await? {
        found.entry(review.booking).or_default().push(review);
    }
    Ok(found.into_iter().map(|(booking, reviews)| OfBooking { booking, reviews }).collect())
}

/// What these users' published reviews add up to. Nothing for users without one.
pub async fn ratings(platform: &Platform, users: &[UserId]) -> Result<Vec<Rating>> {
    let mut found: HashMap<UserId, Rating> = HashMap::new();
    for row in store::ratings(&platform.db, users).await? {
        let rating = found.entry(row.user).or_insert(Rating::none(row.user));
        for (_, reviews) in (1..).zip(&mut rating.stars).filter(|(stars, _)| *stars == row.stars) {
            *reviews = row.reviews;
        }
    }
    Ok(found.into_values().collect())
}

/// A page of a user's published reviews, newest first.
pub async fn of_user(platform: &Platform, user: UserId, page: &Page) -> Result<Slice<Review>> {
    store::page_of_subject(&platform.db, user, page).await
}

/// How many published reviews of each of these users there are. Users without any are missing.
pub async fn count_of_users(platform: &Platform, users: &[UserId]) -> Result<Vec<(UserId, i64)>> {
    store::count_of_subjects(&platform.db, users).await
}

/// The first published reviews of several users, in one read.
pub async fn first_of_users(
    platform: &Platform,
    users: &[UserId],
    size: i64,
) -> Result<HashMap<UserId, Slice<Review>>> {
    let mut by_user: HashMap<UserId, Vec<Review>> = HashMap::new();
    for review in store::first_of_subjects(&platform.db, users, size).await? {
        by_user.entry(review.subject).or_default().push(review);
    }
    let page = Page::first(size);
    Ok(by_user.into_iter().map(|(user, reviews)| (user, Slice::of(&page, reviews))).collect())
}

/// Pending reviews that were to be published before `then`, a hundred at a time.
pub async fn overdue(platform: &Platform, then: Timestamp) -> Result<Vec<ReviewId>> {
    store::overdue(&platform.db, then).await
}
