//! Refusals in payloads: an interface for all, and a type with a closed set of codes for each domain.
//!
//! A new domain is one call of `user_error!`; a new code is a line in it. The names are those of the kernel's codes.

use async_graphql::Interface;

pub use super::accounts::AccountError;
pub use super::alerts::AdminAlertError;
pub use super::announcements::AnnouncementError;
pub use super::bookings::BookingError;
pub use super::changes::BookingChangeError;
pub use super::chat::ChatError;
pub use super::disputes::DisputeError;
pub use super::jobs::JobError;
pub use super::notifications::NotificationError;
pub use super::offers::OfferError;
pub use super::profiles::ProfileError;
pub use super::reviews::ReviewError;
pub use super::transitions::TransitionError;
pub use super::uploads::UploadError;
pub use super::wallet::WalletError;

/// Why a mutation was refused. The concrete type adds `code`, an enum of its domain.
#[derive(Interface)]
#[graphql(
    crate = "crate::schema::object",
    directive = super::auth::auth::apply(super::auth::Access::Public),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "Where it points at, as a path inside `input`."),
    field(name = "message", ty = "&String", desc = "What is wrong and what to do, for people.")
)]
pub enum UserError {
    /// Of accounts.
    Account(AccountError),
    /// Of alerts.
    AdminAlert(AdminAlertError),
    /// Of announcements.
    Announcement(AnnouncementError),
    /// Of chat.
    Chat(ChatError),
    /// Of wallets.
    Wallet(WalletError),
    /// Of jobs.
    Job(JobError),
    /// Of offers.
    Offer(OfferError),
    /// Of bookings.
    Booking(BookingError),
    /// Of changes of bookings.
    BookingChange(BookingChangeError),
    /// Of disputes.
    Dispute(DisputeError),
    /// Of reviews.
    Review(ReviewError),
    /// Of notifications.
    Notification(NotificationError),
    /// Of profiles.
    Profile(ProfileError),
    /// Of uploads.
    Upload(UploadError),
    /// Of transitions.
    Transition(TransitionError),
}

/// A domain's refusals, as made from the kernel's errors.
pub trait DomainError: Sized {
    /// The refusal, if its code belongs to the domain.
    fn of(error: &crate::kernel::Error) -> Option<Self>;
}

/// A payload: everything in it is nullable, and refusals stand beside it.
pub trait Payload: Default {
    /// The refusals of its domain.
    type Error: DomainError;
    /// The payload of a refused mutation.
    fn refused(error: Self::Error) -> Self;
}

/// Declares a domain's refusals: the type, the enum of its codes, and for each code what it means there.
macro_rules! user_error {
    ($(#[$doc:meta])* $error:ident, $code:ident { $($(#[$code_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject, Clone, Debug)]
        #[graphql(crate = "crate::schema::object", directive = $crate::schema::auth::auth::apply($crate::schema::auth::Access::Public))]
        pub struct $error {
            /// The stable name of what is wrong.
            pub code: $code,
            /// Where it points at, as a path inside `input`.
            pub field: Option<Vec<String>>,
            /// What is wrong and what to do, for people.
            pub message: String,
        }

        $(#[$doc])*
        #[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $code {
            $($(#[$code_doc])* $variant,)*
        }

        impl $crate::schema::error::DomainError for $error {
            fn of(error: &$crate::kernel::Error) -> Option<Self> {
                let code = match error.code {
                    $($crate::kernel::Code::$variant => $code::$variant,)*
                    _ => return None,
                };
                Some($error { code, field: error.field.clone(), message: error.message.clone() })
            }
        }
    };
}
pub(crate) use user_error;

/// Says that a payload is one: its `user_errors` hold refusals of a domain.
macro_rules! payload {
    ($payload:ident, $error:ident) => {
        impl $crate::schema::error::Payload for $payload {
            type Error = $error;
            fn refused(error: $error) -> Self {
                $payload { user_errors: vec![error], ..Self::default() }
            }
        }
    };
}
pub(crate) use payload;
