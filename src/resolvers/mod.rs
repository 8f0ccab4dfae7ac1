//! Resolvers: from the API to the features and back, one file per noun. They hold no rule: parse ids, call, wrap.
//!
//! This file is the table of contents of the API: the roots, merged from the nouns. A query asks through [`ask::Ask`],
//! a mutation ends in [`error::settle`], and a subscription is one call of [`live::durable`] or [`live::signals`].
//!
//! To add a field: a method under its noun. To add a noun: a file here, and its roots in [`Query`], [`Mutation`] and
//! [`Subscription`].

pub mod accounts;
pub mod admin;
pub mod alerts;
pub mod announcements;
pub mod ask;
pub mod bookings;
pub mod changes;
pub mod chat;
pub mod connection;
pub mod disputes;
pub mod earnings;
pub mod engine;
pub mod error;
pub mod jobs;
pub mod live;
pub mod node;
pub mod notifications;
pub mod offers;
pub mod presence;
pub mod profiles;
pub mod proof;
pub mod reviews;
pub mod sdl;
pub mod stream;
pub mod transitions;
pub mod uploads;
pub mod wallet;

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

/// Everything that can be read.
#[derive(MergedObject, Default)]
pub struct Query(
    accounts::AccountQuery,
    admin::AdminQuery,
    alerts::AlertQuery,
    bookings::BookingQuery,
    chat::ChatQuery,
    disputes::DisputeQuery,
    jobs::JobQuery,
    node::NodeQuery,
    presence::PresenceQuery,
    proof::ProofQuery,
    stream::StreamQuery,
    transitions::TransitionQuery,
    wallet::WalletQuery,
);

/// Everything that can be done.
#[derive(MergedObject, Default)]
pub struct Mutation(
    accounts::AccountMutation,
    alerts::AlertMutation,
    accounts::RightsMutation,
    announcements::AnnouncementMutation,
    bookings::BookingMutation,
    changes::ChangeMutation,
    chat::ChatMutation,
    disputes::DisputeMutation,
    jobs::JobMutation,
    notifications::NotificationMutation,
    offers::OfferMutation,
    reviews::ReviewMutation,
    profiles::ProfileMutation,
    uploads::UploadMutation,
    wallet::WalletMutation,
);

/// Everything that can be watched.
#[derive(MergedSubscription, Default)]
pub struct Subscription(
    admin::AdminSubscription,
    alerts::AlertSubscription,
    announcements::AnnouncementSubscription,
    bookings::BookingSubscription,
    chat::ChatSubscription,
    disputes::DisputeSubscription,
    earnings::EarningSubscription,
    jobs::JobSubscription,
    notifications::NotificationSubscription,
    offers::OfferSubscription,
    presence::PresenceSubscription,
    reviews::ReviewSubscription,
    stream::StreamSubscription,
    wallet::WalletSubscription,
);

/// The schema of the API.
pub type Api = Schema<Query, Mutation, Subscription>;

/// The schema before it is built.
pub type Builder = SchemaBuilder<Query, Mutation, Subscription>;

fn builder() -> Builder {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .register_output_type::<crate::schema::error::UserError>()
        .disable_suggestions()
        .with_sorted_fields()
        .with_sorted_enums()
}

/// The schema that judges documents, and its twin that runs documents which were judged before. One function builds both,
/// with the same data.
pub fn build(data: impl Fn(Builder) -> Builder + Sync) -> (Api, Api) {
    let make = |mode| data(builder()).validation_mode(mode).finish();
    // Each is tens of milliseconds of work, and a restart waits for them.
    std::thread::scope(|scope| {
        let twin = scope.spawn(|| make(ValidationMode::Fast));
        let strict = make(ValidationMode::Strict);
        (strict, twin.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)))
    })
}

/// A schema in SDL, as the engine prints it.
pub fn raw_sdl(api: &Api) -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by()
        .use_space_ident();
    api.sdl_with_options(options)
}
