//! Questions that are more than an id: a type per question, and how a batch of them is read.

use crate::features::changes::Change;
use crate::features::offers::{Offer, View};
use crate::features::reviews::Review;
use crate::features::wallet::Balance;
use crate::features::{bookings, changes, offers, reviews, wallet};
use crate::kernel::id::{BookingId, JobId, OfferId, UserId};
use crate::kernel::page::Slice;
use crate::kernel::{Currency, Result};
use crate::platform::Platform;
use crate::platform::db::by_group;

/// The booking of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BookingOfJob(pub Option<JobId>);

pub(super) async fn bookings_of_jobs(platform: &Platform, keys: &[BookingOfJob]) -> Result<Vec<bookings::Booking>> {
    let jobs: Vec<_> = keys.iter().filter_map(|key| key.0).collect();
    bookings::queries::by_jobs(platform, &jobs).await
}

/// A user's wallet in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WalletKey {
    /// Whose.
    pub user: UserId,
    /// Which currency.
    pub currency: Currency,
}

pub(super) fn wallet_key(balance: &Balance) -> WalletKey {
    WalletKey { user: balance.user, currency: balance.available.currency }
}

pub(super) async fn wallets(platform: &Platform, keys: &[WalletKey]) -> Result<Vec<Balance>> {
    let wanted: Vec<_> = keys.iter().map(|key| (key.user, key.currency)).collect();
    wallet::queries::balances_of(platform, &wanted).await
}

/// The first offers of a job that a viewer may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffersOfJob {
    /// Which job.
    pub job: JobId,
    /// Which of its offers, in which order.
    pub view: View,
    /// How many.
    pub size: i64,
}

/// The answer to [`OffersOfJob`].
pub struct FirstOffers {
    pub(super) of: OffersOfJob,
    /// The page.
    pub slice: Slice<Offer>,
}

/// One read for each view and size: in a list of jobs there is mostly one of each.
pub(super) async fn first_offers(platform: &Platform, keys: &[OffersOfJob]) -> Result<Vec<FirstOffers>> {
    let first = |(view, size), jobs: Vec<_>| async move {
        let found = offers::queries::first_of_jobs(platform, &jobs, view, size).await?;
        let answer = |(job, slice)| FirstOffers { of: OffersOfJob { job, view, size }, slice };
        Ok(found.into_iter().map(answer).collect())
    };
    by_group(keys.iter().map(|key| ((key.view, key.size), key.job)), first).await
}

/// Whether a contractor has an offer on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfferedJob {
    /// Which job.
    pub job: JobId,
    /// Who.
    pub contractor: UserId,
}

/// Those of the questions that are so. One read for each contractor: in a list it is the viewer.
pub(super) async fn offered_jobs(platform: &Platform, keys: &[OfferedJob]) -> Result<Vec<OfferedJob>> {
    let offered = |contractor, jobs: Vec<_>| async move {
        let found = offers::queries::jobs_with_offer_of(platform, contractor, &jobs).await?;
        Ok(found.into_iter().map(|job| OfferedJob { job, contractor }).collect())
    };
    by_group(keys.iter().map(|key| (key.contractor, key.job)), offered).await
}

/// The offer that answers another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CounterOf(pub Option<OfferId>);

pub(super) async fn counters(platform: &Platform, keys: &[CounterOf]) -> Result<Vec<Offer>> {
    let offers: Vec<_> = keys.iter().filter_map(|key| key.0).collect();
    offers::queries::counters(platform, &offers).await
}

/// The first changes of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangesOfBooking {
    /// Which booking.
    pub booking: BookingId,
    /// How many.
    pub size: i64,
}

/// The answer to [`ChangesOfBooking`].
pub struct FirstChanges {
    pub(super) of: ChangesOfBooking,
    /// The page.
    pub slice: Slice<Change>,
}

/// One read for each size: in a list of bookings there is mostly one.
pub(super) async fn first_changes(platform: &Platform, keys: &[ChangesOfBooking]) -> Result<Vec<FirstChanges>> {
    let first = |size, bookings: Vec<_>| async move {
        let found = changes::queries::first_of_bookings(platform, &bookings, size).await?;
        let answer = |(booking, slice)| FirstChanges { of: ChangesOfBooking { booking, size }, slice };
        Ok(found.into_iter().map(answer).collect())
    };
    by_group(keys.iter().map(|key| (key.size, key.booking)), first).await
}

/// The first published reviews of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReviewsOfUser {
    /// Whom they are about.
    pub user: UserId,
    /// How many.
    pub size: i64,
}

/// The answer to [`ReviewsOfUser`].
pub struct FirstReviews {
    pub(super) of: ReviewsOfUser,
    /// The page.
    pub slice: Slice<Review>,
}

/// One read for each size: in a list of users there is mostly one.
pub(super) async fn first_reviews(platform: &Platform, keys: &[ReviewsOfUser]) -> Result<Vec<FirstReviews>> {
    let first = |size, users: Vec<_>| async move {
        let found = reviews::queries::first_of_users(platform, &users, size).await?;
        let answer = |(user, slice)| FirstReviews { of: ReviewsOfUser { user, size }, slice };
        Ok(found.into_iter().map(answer).collect())
    };
    by_group(keys.iter().map(|key| (key.size, key.user)), first).await
}

/// How many there are of what a question is about. Where there is nothing, there is no answer.
pub struct Counted<K> {
    pub(super) of: K,
    /// The number.
    pub n: i64,
}

/// How many offers of a job a viewer may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfferCount {
    /// Which job.
    pub job: JobId,
    /// Which of its offers.
    pub view: View,
}

pub(super) async fn offer_counts(platform: &Platform, keys: &[OfferCount]) -> Result<Vec<Counted<OfferCount>>> {
    let count = |view, jobs: Vec<_>| async move {
        let found = offers::queries::count_of_jobs(platform, &jobs, view).await?;
        Ok(found.into_iter().map(|(job, n)| Counted { of: OfferCount { job, view }, n }).collect())
    };
    by_group(keys.iter().map(|key| (key.view, key.job)), count).await
}

pub(super) async fn change_counts(platform: &Platform, bookings: &[BookingId]) -> Result<Vec<Counted<BookingId>>> {
    let found = changes::queries::count_of_bookings(platform, bookings).await?;
    Ok(found.into_iter().map(|(of, n)| Counted { of, n }).collect())
}

pub(super) async fn review_counts(platform: &Platform, users: &[UserId]) -> Result<Vec<Counted<UserId>>> {
    let found = reviews::queries::count_of_users(platform, users).await?;
    Ok(found.into_iter().map(|(of, n)| Counted { of, n }).collect())
}
