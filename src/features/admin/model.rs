//! The figures of the house.

use crate::features::alerts::Kind;
use crate::kernel::Roles;

/// The figures of the house at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Users with a live connection, on all instances.
    pub users_online: i64,
    /// Jobs that may be offered for.
    pub jobs_open: i64,
    /// Offers that wait for an answer.
    pub offers_pending: i64,
    /// Bookings that are confirmed, in progress or delivered.
    pub bookings_active: i64,
    /// Disputes whose parties may still agree by themselves.
    pub disputes_open: i64,
    /// Disputes that wait for staff.
    pub disputes_escalated: i64,
    /// Tasks that wait for their time or a worker.
    pub tasks_waiting: i64,
    /// Tasks that were given up and are still kept.
    pub tasks_failed: i64,
    /// Payments that have arrived since midnight, UTC.
    pub payments_completed: i64,
    /// Payments that have failed since midnight, UTC.
    pub payments_failed: i64,
    /// Alerts on the list, by kind.
    pub alerts: Vec<(Kind, i64)>,
}

impl Figures {
    /// The alerts on the list of somebody with these roles.
    pub fn alerts_for(&self, roles: Roles) -> i64 {
        self.alerts.iter().filter(|(kind, _)| kind.is_for(roles)).map(|(_, count)| count).sum()
    }
}
