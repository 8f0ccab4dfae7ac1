//! The SQL of reviews and of the count of stars.

use super::{Review, Status};
use crate::kernel::id::{BookingId, ReviewId, UserId};
use crate::kernel::page::{Page, Slice};
use crate::kernel::{Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Query, Row, Tx, q};

impl FromRow for Review {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Review {
            id: row.get("id")?,
            booking: row.get("booking_id")?,
            author: row.get("author_id")?,
            subject: row.get("subject_id")?,
            rating: row.get("rating")?,
            text: row.get("text")?,
            status: row.parsed("status", Status::parse)?,
            publish_at: row.get("publish_at")?,
            published_at: row.get("published_at")?,
            reply: row.get("reply")?,
            replied_at: row.get("replied_at")?,
            hidden_reason: row.get("hidden_reason")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

/// How many published reviews gave a user so many stars.
pub(super) struct Stars {
    pub(super) user: UserId,
    pub(super) stars: i64,
    pub(super) reviews: i64,
}

impl FromRow for Stars {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Stars { user: row.get("user_id")?, stars: row.get("stars")?, reviews: row.get("reviews")? })
    }
}

/// Says whether the author had not reviewed this booking yet.
pub(super) async fn insert(tx: &mut Tx, review: &Review) -> Result<bool> {
    let inserted = q("insert into reviews (id, booking_id, author_id, subject_id, rating, text, status, publish_at,
            created_at, updated_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 1) on conflict (booking_id, author_id) do nothing")
    .bind(review.id)
    .bind(review.booking)
    .bind(review.author)
    .bind(review.subject)
    .bind(review.rating)
    .bind(review.text.as_str())
    .bind(review.status.name())
    .bind(review.publish_at)
    .bind(review.created_at)
    .execute(tx)
    .await?;
    Ok(inserted == 1)
}

/// Publishes one pending review; `None` when it is published already.
pub(super) async fn publish(tx: &mut Tx, id: ReviewId, now: Timestamp) -> Result<Option<Review>> {
    q("update reviews set status = 'PUBLISHED', published_at = $2, updated_at = $2, version = version + 1
        where id = $1 and status = 'PENDING' returning *")
    .bind(id)
    .bind(now)
    .optional(tx)
    .await
}

/// Publishes what is pending of a booking.
pub(super) async fn publish_of_booking(tx: &mut Tx, booking: BookingId, now: Timestamp) -> Result<Vec<Review>> {
    q("update reviews set status = 'PUBLISHED', published_at = $2, updated_at = $2, version = version + 1
        where booking_id = $1 and status = 'PENDING' returning *")
    .bind(booking)
    .bind(now)
    .all(tx)
    .await
}

/// Hides a published review; `None` when it is not published.
pub(super) async fn hide(tx: &mut Tx, id: ReviewId, reason: &str, now: Timestamp) -> Result<Option<Review>> {
    q("update reviews set status = 'HIDDEN', hidden_reason = $2, updated_at = $3, version = version + 1
        where id = $1 and status = 'PUBLISHED' returning *")
    .bind(id)
    .bind(reason)
    .bind(now)
    .optional(tx)
    .await
}

/// Shows a hidden review again; `None` when it is not hidden.
pub(super) async fn unhide(tx: &mut Tx, id: ReviewId, now: Timestamp) -> Result<Option<Review>> {
    q("update reviews set status = 'PUBLISHED', hidden_reason = null, updated_at = $2, version = version + 1
        where id = $1 and status = 'HIDDEN' returning *")
    .bind(id)
    .bind(now)
    .optional(tx)
    .await
}

/// Adds the reply to a published review that has none; `None` otherwise.
pub(super) async fn reply(tx: &mut Tx, id: ReviewId, text: &str, now: Timestamp) -> Result<Option<Review>> {
    q("update reviews set reply = $2, replied_at = $3, updated_at = $3, version = version + 1
        where id = $1 and status = 'PUBLISHED' and reply is null returning *")
    .bind(id)
    .bind(text)
    .bind(now)
    .optional(tx)
    .await
}

/// The statement that counts a review in.
pub(super) fn count_in(review: &Review) -> Query {
    q("insert into ratings (user_id, stars, reviews) values ($1, $2, 1)
        on conflict (user_id, stars) do update set reviews = ratings.reviews + 1")
    .bind(review.subject)
    .bind(review.rating)
}

/// The statement that takes a review out of the count.
pub(super) fn count_out(review: &Review) -> Query {
    q("update ratings set reviews = reviews - 1 where user_id = $1 and stars = $2")
        .bind(review.subject)
        .bind(review.rating)
}

pub(super) async fn ratings(db: &Db, users: &[UserId]) -> Result<Vec<Stars>> {
    q("select user_id, stars, reviews from ratings where user_id in ({list})").list(users.iter().copied()).all(db).await
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[ReviewId]) -> Result<Vec<Review>> {
    q("select * from reviews where id in ({list})").list(ids.iter().copied()).all(on).await
}

pub(super) async fn by_bookings(on: impl Into<On<'_>>, bookings: &[BookingId]) -> Result<Vec<Review>> {
    q("select * from reviews where booking_id in ({list}) order by created_at, id")
        .list(bookings.iter().copied())
        .all(on)
        .await
}

pub(super) async fn page_of_subject(db: &Db, subject: UserId, page: &Page) -> Result<Slice<Review>> {
    q("select * from reviews where subject_id = $1 and status = 'PUBLISHED'")
        .bind(subject)
        .page(db, page, Order::descending("published_at", "id"))
        .await
}

pub(super) async fn count_of_subjects(db: &Db, subjects: &[UserId]) -> Result<Vec<(UserId, i64)>> {
    q("select subject_id, count(*) as n from reviews where subject_id in ({list}) and status = 'PUBLISHED'
        group by subject_id")
    .list(subjects.iter().copied())
    .counts(db, "subject_id")
    .await
}

/// The first reviews of each of several users, and one more to know whether there are more.
pub(super) async fn first_of_subjects(db: &Db, subjects: &[UserId], size: i64) -> Result<Vec<Review>> {
    q("select * from (
            select r.*, row_number() over (partition by subject_id order by published_at desc, id desc) as place
            from reviews r where status = 'PUBLISHED' and subject_id in ({list})
        ) as numbered where place <= $1 order by subject_id, place")
    .bind(size + 1)
    .list(subjects.iter().copied())
    .all(db)
    .await
}

pub(super) async fn overdue(db: &Db, then: Timestamp) -> Result<Vec<ReviewId>> {
    let rows = q("select id from reviews where status = 'PENDING' and publish_at < $1 order by publish_at limit 100")
        .bind(then)
        .fetch(db)
        .await?;
    rows.iter().map(|row| row.get("id")).collect()
}
