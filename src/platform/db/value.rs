//! Values for the placeholders of statements.

use uuid::Uuid;

use super::many::Array;
use crate::kernel::Timestamp;
use crate::kernel::id::TypedId;

/// A value for a placeholder.
#[derive(Clone, Debug)]
pub enum Value {
    /// bigint
    Int(Option<i64>),
    /// boolean
    Bool(bool),
    /// text
    Text(Option<String>),
    /// uuid
    Uuid(Option<Uuid>),
    /// A column of many rows. Only PostgreSQL knows such values, and only [`Query::rows`] makes them.
    Array(Array),
}

macro_rules! values {
    ($($type:ty => |$value:ident| $make:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $make
            }
        }
    )*};
}
values! {
    i64 => |value| Value::Int(Some(value));
    Option<i64> => |value| Value::Int(value);
    bool => |value| Value::Bool(value);
    &str => |value| Value::Text(Some(value.to_owned()));
    String => |value| Value::Text(Some(value));
    Option<String> => |value| Value::Text(value);
    Option<&str> => |value| Value::Text(value.map(str::to_owned));
    Uuid => |value| Value::Uuid(Some(value));
    Option<Uuid> => |value| Value::Uuid(value);
    Timestamp => |value| Value::Int(Some(value.0));
    Option<Timestamp> => |value| Value::Int(value.map(|at| at.0));
}

impl<T: TypedId> From<T> for Value {
    fn from(id: T) -> Self {
        Value::Uuid(Some(id.uuid()))
    }
}

impl<T: TypedId> From<Option<T>> for Value {
    fn from(id: Option<T>) -> Self {
        Value::Uuid(id.map(T::uuid))
    }
}
