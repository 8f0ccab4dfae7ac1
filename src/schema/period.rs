//! When work takes place, in the API.

use async_graphql::{InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::scalars::DateTime;
use crate::features::offers;

/// From when until when work takes place.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Party))]
pub struct Period {
    /// When it begins.
    pub starts_at: DateTime,
    /// When it ends.
    pub ends_at: DateTime,
}

impl From<offers::Period> for Period {
    fn from(period: offers::Period) -> Self {
        Period { starts_at: DateTime(period.starts_at), ends_at: DateTime(period.ends_at) }
    }
}

/// From when until when work takes place: the end is later than the start, and at most 365 days ahead.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct PeriodInput {
    /// When it begins: not in the past.
    pub starts_at: DateTime,
    /// When it ends.
    pub ends_at: DateTime,
}

impl From<PeriodInput> for offers::Period {
    fn from(input: PeriodInput) -> Self {
        offers::Period { starts_at: input.starts_at.0, ends_at: input.ends_at.0 }
    }
}
