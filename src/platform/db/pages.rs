//! Pages of lists, by the key of their order: the tenth page costs what the first one does.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{FromRow, On, Query, Value};
use crate::kernel::Result;
use crate::kernel::page::{Page, Slice};

/// The order of a list: a column of whole numbers, and the id that breaks ties.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    key: &'static str,
    id: &'static str,
    descending: bool,
}

impl Order {
    /// Newest or largest first.
    pub const fn descending(key: &'static str, id: &'static str) -> Self {
        Order { key, id, descending: true }
    }

    /// Oldest or smallest first.
    pub const fn ascending(key: &'static str, id: &'static str) -> Self {
        Order { key, id, descending: false }
    }
}

impl Query {
    /// Reads one page of a list in the given order. The statement must end inside its `where` clause.
    pub async fn page<T: FromRow>(mut self, on: impl Into<On<'_>>, page: &Page, order: Order) -> Result<Slice<T>> {
        let Order { key, id, descending } = order;
        let mut sql = self.postgres.into_owned();
        let (behind, in_front) = if descending { ("<", ">") } else { (">", "<") };
        for (bound, sign) in [(page.after, behind), (page.before, in_front)] {
            if let Some(cursor) = bound {
                self.values.push(cursor.key.into());
                self.values.push(cursor.id.into());
                let last = self.values.len();
                let _ = write!(sql, " and ({key}, {id}) {sign} (${}, ${last})", last - 1);
            }
        }
        self.values.push(Value::Int(Some(page.size + 1)));
        let way = if page.forward == descending { "desc" } else { "asc" };
        let _ = write!(sql, " order by {key} {way}, {id} {way} limit ${}", self.values.len());
        self.postgres = Cow::Owned(sql);
        Ok(Slice::of(page, self.all(on).await?))
    }
}
