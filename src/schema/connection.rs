//! Lists in pages: Relay connections, one type per noun, all made by `connection!`.
//!
//! To add one: a call of `connection!` beside the noun's object, and in `resolvers/` a field that reads the arguments
//! with [`Page::from_args`](crate::kernel::page::Page::from_args), asks a query for the [`Slice`] and
//! hands it to the connection's `of`, together with each entry's cursor and a [`Total`].

use std::fmt;
use std::future::Future;

use async_graphql::SimpleObject;
use futures_util::future::{BoxFuture, FutureExt};

use super::auth::{Access, auth};
use crate::kernel::page::Slice;

/// Where a page of a list stands in the whole list.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::Public))]
pub struct PageInfo {
    /// Whether entries follow this page. Reading backwards, it only says that `before` was given.
    pub has_next_page: bool,
    /// Whether entries precede this page. Reading forwards, it only says that `after` was given.
    pub has_previous_page: bool,
    /// The cursor of the first entry, for `before`. Null on an empty page.
    pub start_cursor: Option<String>,
    /// The cursor of the last entry, for `after`. Null on an empty page.
    pub end_cursor: Option<String>,
}

impl PageInfo {
    /// What a slice says of its place, with the cursors of its entries.
    pub fn of<T>(slice: &Slice<T>, mut cursors: impl DoubleEndedIterator<Item = String> + Clone) -> Self {
        PageInfo {
            has_next_page: slice.has_next,
            has_previous_page: slice.has_previous,
            end_cursor: cursors.clone().next_back(),
            start_cursor: cursors.next(),
        }
    }
}

/// How many entries a whole list has.
pub enum Total {
    /// Known without asking.
    Known(i64),
    /// Found out when a client selects it, and only then.
    Lazy(Box<dyn Fn() -> BoxFuture<'static, async_graphql::Result<i64>> + Send + Sync>),
}

impl Total {
    /// A total that `count` finds out when a client selects it.
    pub fn lazy<F>(count: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = async_graphql::Result<i64>> + Send + 'static,
    {
        Total::Lazy(Box::new(move || count().boxed()))
    }

    /// The number.
    pub async fn count(&self) -> async_graphql::Result<i32> {
        match self {
            Total::Known(count) => Ok(super::int(*count)),
            Total::Lazy(count) => Ok(super::int(count().await?)),
        }
    }
}

impl fmt::Debug for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Total::Known(count) => write!(f, "Known({count})"),
            Total::Lazy(_) => f.write_str("Lazy"),
        }
    }
}

/// Declares a connection: its type, the type of its edges, the type of its nodes, and who may read its fields.
macro_rules! connection {
    ($(#[$doc:meta])* $connection:ident, $edge:ident, $node:ident, $access:expr) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        #[graphql(crate = "crate::schema::object", complex, directive = $crate::schema::auth::auth::apply($access))]
        pub struct $connection {
            /// The entries of this page, each with its place in the list.
            pub edges: Vec<$edge>,
            /// Whether there is more, and from where to read on.
            pub page_info: $crate::schema::connection::PageInfo,
            #[graphql(skip)]
            total: $crate::schema::connection::Total,
        }

        /// An entry of a page and its place in the list.
        #[derive(async_graphql::SimpleObject)]
        #[graphql(crate = "crate::schema::object", directive = $crate::schema::auth::auth::apply($access))]
        pub struct $edge {
            /// The entry's place in the list, for `after` and `before`.
            pub cursor: String,
            /// The entry.
            pub node: $node,
        }

        #[async_graphql::ComplexObject]
        impl $connection {
            /// The entries of this page alone.
            async fn nodes(&self) -> Vec<&$node> {
                self.edges.iter().map(|edge| &edge.node).collect()
            }

            /// How many entries the whole list has. It is counted only when it is selected.
            async fn total_count(&self) -> async_graphql::Result<i32> {
                self.total.count().await
            }
        }

        impl $connection {
            /// A page: what was read, how many there are, and each entry's cursor and shape.
            pub fn of<T>(
                slice: $crate::kernel::page::Slice<T>,
                total: $crate::schema::connection::Total,
                cursor: impl Fn(&T) -> $crate::kernel::page::Cursor,
                shape: impl Fn(T) -> $node,
            ) -> Self {
                let cursors = slice.items.iter().map(|item| cursor(item).encode());
                let page_info = $crate::schema::connection::PageInfo::of(&slice, cursors.clone());
                let cursors: Vec<String> = cursors.collect();
                let edges = cursors.into_iter().zip(slice.items).map(|(cursor, row)| $edge { cursor, node: shape(row) });
                $connection { edges: edges.collect(), page_info, total }
            }
        }
    };
}
pub(crate) use connection;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_total_is_counted_when_asked() {
        let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let seen = calls.clone();
        let total = Total::lazy(move || {
            let seen = seen.clone();
            async move {
                seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                Ok(7)
            }
        });
        assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 0);
        assert_eq!(total.count().await.unwrap(), 7);
        assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert_eq!(Total::Known(i64::MAX).count().await.unwrap(), i32::MAX);
    }

    #[test]
    fn a_page_names_its_ends() {
        let slice = Slice { items: vec![1, 2, 3], has_next: true, has_previous: false };
        let info = PageInfo::of(&slice, slice.items.iter().map(ToString::to_string));
        assert_eq!((info.start_cursor.as_deref(), info.end_cursor.as_deref()), (Some("1"), Some("3")));
        assert!(info.has_next_page && !info.has_previous_page);
        let empty = PageInfo::of(&Slice::<u8>::empty(), std::iter::empty());
        assert_eq!((empty.start_cursor, empty.end_cursor), (None, None));
    }
}
