//! Loaders: many single questions of one request become one statement.
//!
//! A loader is declared by what it is asked (`UserId`), what it answers (`User`) and the batch read of a feature's
//! `queries` that knows. Loaders live for one request, so that nobody sees what another viewer may, and are renewed
//! after each mutation, so that a payload shows what the mutation left behind. They wait by yielding, not
//! by a timer ([`gather`]). What many requests ask at the same time is read together ([`together`]).
//!
//! To add one: the batch read in a feature's `queries`, and a line in the list at the end of this file. A question that
//! is more than an id is a type in `questions`.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ::dataloader::BatchFn;
use futures_util::FutureExt;

use self::gather::{Gather, Question};
use self::together::Together;
use crate::features::{
    accounts, alerts, announcements, bookings, changes, chat, disputes, earnings, jobs, notifications, offers,
    presence, reviews, uploads, wallet,
};
use crate::kernel::Result;
use crate::kernel::id::{
    AlertId, AnnouncementId, BookingId, ChangeId, ConversationId, DisputeId, EarningId, FileId, JobId, MessageId,
    NotificationId, OfferId, PaymentId, ReviewId, UserId,
};
use crate::platform::Platform;

mod gather;
mod questions;
mod together;

pub use questions::{
    BookingOfJob, ChangesOfBooking, Counted, CounterOf, OfferCount, OfferedJob, OffersOfJob, ReviewsOfUser, WalletKey,
};

/// What a loader answers: the object, shared, if it is there.
type Answer<T> = Result<Option<Arc<T>>>;

/// The loaders of one request.
pub struct Loaders {
    readers: Arc<Readers>,
    batch: Mutex<Arc<Batch>>,
}

impl Loaders {
    /// Fresh loaders.
    pub fn new(readers: Arc<Readers>) -> Self {
        let batch = Mutex::new(Arc::new(Batch::new(&readers)));
        Loaders { readers, batch }
    }

    /// Forgets all answers: after a mutation.
    pub fn renew(&self) {
        *self.batch.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Batch::new(&self.readers));
    }

    fn batch(&self) -> Arc<Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Declares loaders. Each line: the method, its batch, what it is asked, what it answers, whose id the answer carries, who reads.
macro_rules! loaders {
    ($($(#[$doc:meta])* $name:ident, $batch:ident: $key:ty => $value:ty, $id:expr, $read:path;)*) => {
        /// What the loaders of all requests read with.
        pub struct Readers {
            $($name: Arc<Together<$key, Answer<$value>>>,)*
        }

        impl Readers {
            /// Readers of this platform's database.
            pub fn new(platform: &Arc<Platform>) -> Arc<Self> {
                Arc::new(Readers {
                    $($name: {
                        let platform = platform.clone();
                        Together::new(Arc::new(move |keys: Vec<$key>| {
                            let platform = platform.clone();
                            async move {
                                let found = $read(&platform, &keys).await;
                                answers(keys, found, $id)
                            }
                            .boxed()
                        }))
                    },)*
                })
            }
        }

        // Of many kinds of questions a request asks a few.
        struct Batch {
            $($name: OnceLock<Box<Gather<$key, Answer<$value>, $batch>>>,)*
            readers: Arc<Readers>,
        }

        impl Batch {
            fn new(readers: &Arc<Readers>) -> Self {
                Batch { $($name: OnceLock::new(),)* readers: readers.clone() }
            }
        }

        $(
        struct $batch(Arc<Readers>);

        impl BatchFn<Question<$key>, Answer<$value>> for $batch {
            async fn load(&mut self, asked: &[Question<$key>]) -> HashMap<Question<$key>, Answer<$value>> {
                mine(asked, self.0.$name.ask(asked.iter().map(|question| question.0).collect()).await)
            }
        }
            )*

        impl Loaders {
            $(
                $(#[$doc])*
                pub async fn $name(&self, key: $key) -> Answer<$value> {
                    let batch = self.batch();
                    let gather = batch.$name.get_or_init(|| Box::new(Gather::new($batch(batch.readers.clone()))));
                    gather.load(key).await?
                }
            )*
        }
    };
}

/// What was found, by what was asked: an answer for every question.
fn answers<K: Eq + Hash, V>(keys: Vec<K>, found: Result<Vec<V>>, key: impl Fn(&V) -> K) -> HashMap<K, Answer<V>> {
    match found {
        Ok(found) => {
            let mut answers: HashMap<_, Answer<V>> = keys.into_iter().map(|key| (key, Ok(None))).collect();
            answers.extend(found.into_iter().map(|it| (key(&it), Ok(Some(Arc::new(it))))));
            answers
        }
        Err(error) => keys.into_iter().map(|key| (key, Err(error.clone()))).collect(),
    }
}

/// What answers the questions that were asked here.
type Mine<K, V> = HashMap<Question<K>, Answer<V>>;

/// The part of the answers that was asked for here.
fn mine<K: Copy + Eq + Hash, V>(asked: &[Question<K>], all: Result<Arc<HashMap<K, Answer<V>>>>) -> Mine<K, V> {
    let answer = |key: &K| match &all {
        Ok(all) => all.get(key).cloned().unwrap_or(Ok(None)),
        Err(error) => Err(error.clone()),
    };
    asked.iter().map(|question| (*question, answer(&question.0))).collect()
}

loaders! {
    /// A user by id.
    user, UserBatch: UserId => accounts::User, |it: &accounts::User| it.id, accounts::queries::by_ids;
    /// How it stands with a user, as a viewer sees it; nothing if they have no conversation.
    presence, PresenceBatch: (UserId, UserId) => presence::Seen, |it: &presence::Seen| (it.user, it.viewer), presence::queries::of;
    /// How many connections a user has.
    connections, ConnectionsBatch: UserId => presence::Connections, |it: &presence::Connections| it.user, presence::queries::connections;
    /// When a user was there last.
    last_seen, LastSeenBatch: UserId => accounts::LastSeen, |it: &accounts::LastSeen| it.user, accounts::queries::last_seen;
    /// A file by id, for whoever may see it.
    file, FileBatch: FileId => uploads::Upload, uploads::Upload::file_id, uploads::queries::by_ids;
    /// An alert by id, for whoever may see it.
    alert, AlertBatch: AlertId => alerts::Alert, |it: &alerts::Alert| it.id, alerts::queries::by_ids;
    /// An announcement by id.
    announcement, AnnouncementBatch: AnnouncementId => announcements::Announcement, |it: &announcements::Announcement| it.id, announcements::queries::by_ids;
    /// A job by id.
    job, JobBatch: JobId => jobs::Job, |it: &jobs::Job| it.id, jobs::queries::by_ids;
    /// Whether a contractor has an offer on a job; nothing if not.
    offered_job, OfferedJobBatch: OfferedJob => OfferedJob, |it: &OfferedJob| *it, questions::offered_jobs;
    /// An offer by id.
    offer, OfferBatch: OfferId => offers::Offer, |it: &offers::Offer| it.id, offers::queries::by_ids;
    /// The first offers of a job.
    offers_of_job, OffersOfJobBatch: OffersOfJob => questions::FirstOffers, |it: &questions::FirstOffers| it.of, questions::first_offers;
    /// How many offers of a job there are; nothing for none.
    offer_count, OfferCountBatch: OfferCount => Counted<OfferCount>, |it: &Counted<OfferCount>| it.of, questions::offer_counts;
    /// The offer that answers another one.
    counter_of, CounterOfBatch: CounterOf => offers::Offer, |it: &offers::Offer| CounterOf(it.counter_to), questions::counters;
    /// What the pending offers of a job are about.
    offer_summary, OfferSummaryBatch: JobId => offers::Summary, |it: &offers::Summary| it.job, offers::queries::summaries;
    /// A booking by id.
    booking, BookingBatch: BookingId => bookings::Booking, |it: &bookings::Booking| it.id, bookings::queries::by_ids;
    /// The booking of a job.
    booking_of_job, BookingOfJobBatch: BookingOfJob => bookings::Booking, |it: &bookings::Booking| BookingOfJob(it.job), questions::bookings_of_jobs;
    /// A change of a booking by id.
    change, ChangeBatch: ChangeId => changes::Change, |it: &changes::Change| it.id, changes::queries::by_ids;
    /// The pending change of a booking.
    pending_change, PendingChangeBatch: BookingId => changes::Change, |it: &changes::Change| it.booking, changes::queries::pending;
    /// The first changes of a booking.
    changes_of_booking, ChangesOfBookingBatch: ChangesOfBooking => questions::FirstChanges, |it: &questions::FirstChanges| it.of, questions::first_changes;
    /// How many changes of a booking there are; nothing for none.
    change_count, ChangeCountBatch: BookingId => Counted<BookingId>, |it: &Counted<BookingId>| it.of, questions::change_counts;
    /// A dispute by id.
    dispute, DisputeBatch: DisputeId => disputes::Dispute, |it: &disputes::Dispute| it.id, disputes::queries::by_ids;
    /// The last dispute of a booking.
    dispute_of_booking, DisputeOfBookingBatch: BookingId => disputes::Dispute, |it: &disputes::Dispute| it.booking, disputes::queries::of_bookings;
    /// The files of a dispute.
    evidence, EvidenceBatch: DisputeId => disputes::EvidenceOf, |it: &disputes::EvidenceOf| it.dispute, disputes::queries::evidence;
    /// Whom a file is shown to that is evidence.
    audience, AudienceBatch: FileId => disputes::Audience, |it: &disputes::Audience| it.file, disputes::queries::audiences;
    /// A review by id.
    review, ReviewBatch: ReviewId => reviews::Review, |it: &reviews::Review| it.id, reviews::queries::by_ids;
    /// The reviews of a booking.
    reviews_of_booking, ReviewsOfBookingBatch: BookingId => reviews::OfBooking, |it: &reviews::OfBooking| it.booking, reviews::queries::of_bookings;
    /// The first published reviews of a user.
    reviews_of_user, ReviewsOfUserBatch: ReviewsOfUser => questions::FirstReviews, |it: &questions::FirstReviews| it.of, questions::first_reviews;
    /// How many published reviews of a user there are; nothing for none.
    review_count, ReviewCountBatch: UserId => Counted<UserId>, |it: &Counted<UserId>| it.of, questions::review_counts;
    /// What a user's reviews add up to.
    rating, RatingBatch: UserId => reviews::Rating, |it: &reviews::Rating| it.user, reviews::queries::ratings;
    /// A user's wallet in one currency.
    balance, BalanceBatch: WalletKey => wallet::Balance, questions::wallet_key, questions::wallets;
    /// A payment by id.
    payment, PaymentBatch: PaymentId => wallet::Payment, |it: &wallet::Payment| it.id, wallet::queries::payments;
    /// An earning by id.
    earning, EarningBatch: EarningId => earnings::Earning, |it: &earnings::Earning| it.id, earnings::queries::by_ids;
    /// A conversation by id, as a viewer sees it.
    conversation, ConversationBatch: (ConversationId, UserId) => chat::Conversation, |it: &chat::Conversation| (it.id, it.viewer), chat::queries::by_ids;
    /// A viewer's most active conversation about a subject.
    conversation_about, ConversationAboutBatch: (chat::Subject, UserId) => chat::Conversation, |it: &chat::Conversation| (it.subject, it.viewer), chat::queries::by_subjects;
    /// A message by id, as a viewer sees it.
    message, MessageBatch: (MessageId, UserId) => chat::Message, |it: &chat::Message| (it.id, it.viewer), chat::queries::messages_by_ids;
    /// A notification by id.
    notification, NotificationBatch: NotificationId => notifications::Notification, |it: &notifications::Notification| it.id, notifications::queries::by_ids;
    /// The newest notification of a conversation's messages.
    notification_of_conversation, NotificationOfConversationBatch: (ConversationId, UserId) => notifications::Notification, |it: &notifications::Notification| (it.subject.typed(), it.user), notifications::queries::of_conversations;
    /// How many notifications a user has not read; nothing when there are none.
    unread_notifications, UnreadNotificationsBatch: UserId => notifications::Unread, |it: &notifications::Unread| it.user, notifications::queries::unread;
}
