//! The figures of the house in the API.

use std::sync::Arc;

use async_graphql::{ID, SimpleObject};

use super::auth::{Access, auth};
use super::scalars::DateTime;
use crate::features::admin::Figures;
use crate::kernel::Timestamp;

/// The figures of the house, at most a few seconds old.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Moderator))]
pub struct AdminStats {
    /// Always the same, so that a cache keeps one.
    pub id: ID,
    /// Always null: figures are not kept, so there is nothing to go on from.
    pub cursor: Option<String>,
    /// When they were counted.
    pub occurred_at: DateTime,
    /// Users with a live connection, on all instances.
    pub users_online: i32,
    /// Jobs that may be offered for.
    pub jobs_open: i32,
    /// Offers that wait for an answer.
    pub offers_pending: i32,
    /// Bookings that are CONFIRMED, IN_PROGRESS or DELIVERED.
    pub bookings_active: i32,
    /// Disputes whose parties may still agree by themselves.
    pub disputes_open: i32,
    /// Disputes that wait for staff.
    pub disputes_escalated: i32,
    /// Background tasks that wait for their time or a worker.
    pub tasks_waiting: i32,
    /// Background tasks of the last seven days that were given up.
    pub tasks_failed: i32,
    /// Deposits that have arrived since midnight, UTC.
    #[graphql(directive = auth::apply(Access::Admin))]
    pub payments_completed_today: i32,
    /// Deposits that have failed since midnight, UTC.
    #[graphql(directive = auth::apply(Access::Admin))]
    pub payments_failed_today: i32,
    /// The figures, for fields that need a look.
    #[graphql(skip)]
    pub figures: Arc<Figures>,
}

impl AdminStats {
    /// The figures in the API's shape, with the instant at which they were counted.
    pub fn of((at, figures): (Timestamp, Arc<Figures>)) -> Self {
        AdminStats {
            id: ID("stats".to_owned()),
            cursor: None,
            occurred_at: DateTime(at),
            users_online: super::int(figures.users_online),
            jobs_open: super::int(figures.jobs_open),
            offers_pending: super::int(figures.offers_pending),
            bookings_active: super::int(figures.bookings_active),
            disputes_open: super::int(figures.disputes_open),
            disputes_escalated: super::int(figures.disputes_escalated),
            tasks_waiting: super::int(figures.tasks_waiting),
            tasks_failed: super::int(figures.tasks_failed),
            payments_completed_today: super::int(figures.payments_completed),
            payments_failed_today: super::int(figures.payments_failed),
            figures,
        }
    }
}
