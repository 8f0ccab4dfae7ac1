//! Earnings in the API.

use std::sync::Arc;

use async_graphql::{ID, SimpleObject};

use super::auth::{Access, auth};
use super::live::{event_interface, event_object};
use super::money::Money;
use super::scalars::DateTime;
use crate::features::earnings as feature;

/// What a contractor made with one booking.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::SelfOnly))]
pub struct Earning {
    /// The id.
    pub id: ID,
    /// The price agreed.
    pub gross: Money,
    /// The fee taken out of it.
    pub service_fee: Money,
    /// What was left.
    pub amount: Money,
    /// When it was earned.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole earning, for fields that need a look.
    #[graphql(skip)]
    pub row: Arc<feature::Earning>,
}

impl From<Arc<feature::Earning>> for Earning {
    fn from(row: Arc<feature::Earning>) -> Self {
        Earning {
            id: row.id.into(),
            gross: row.gross.into(),
            service_fee: row.service_fee.into(),
            amount: row.net.into(),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

event_object! {
    /// Something was earned.
    EarningCreated, Access::SelfOnly
}

event_interface! {
    /// What happens to the viewer's earnings.
    EarningEvent, Access::SignedIn, {
        /// Something was earned.
        Created(EarningCreated),
    }
}
