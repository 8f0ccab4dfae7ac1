//! Rows of either engine, read by column name.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::kernel::id::TypedId;
use crate::kernel::{Currency, Error, Money, Result, Timestamp};

/// One row of a result.
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// The value of a column.
    pub fn get<T: Column>(&self, name: &str) -> Result<T> {
        T::read(self, name)
    }

    /// The money in an amount column and the row's `currency`.
    pub fn money(&self, name: &str) -> Result<Money> {
        Ok(Money::new(self.get(name)?, self.get("currency")?))
    }

    /// A value that the program itself wrote, such as the name of a state.
    pub fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        let text: String = self.get(name)?;
        parse(&text).ok_or_else(|| Error::internal(format!("column {name} holds {text}")))
    }
}

/// A type that a column can hold.
pub trait Column: Sized {
    /// Reads it.
    fn read(row: &Row, name: &str) -> Result<Self>;
}

macro_rules! columns {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read(row: &Row, name: &str) -> Result<Self> {
                let value = match row {
                    Row::Sqlite(row) => sqlx::Row::try_get(row, name),
                    Row::Postgres(row) => sqlx::Row::try_get(row, name),
                };
                value.map_err(|error| Error::internal(format!("column {name}: {error}")))
            }
        }
    )*};
}
columns!(i64, bool, String, Uuid, Option<i64>, Option<bool>, Option<String>, Option<Uuid>);

impl<T: TypedId> Column for T {
    fn read(row: &Row, name: &str) -> Result<Self> {
        Uuid::read(row, name).map(T::of)
    }
}

impl<T: TypedId> Column for Option<T> {
    fn read(row: &Row, name: &str) -> Result<Self> {
        Ok(Option::<Uuid>::read(row, name)?.map(T::of))
    }
}

impl Column for Timestamp {
    fn read(row: &Row, name: &str) -> Result<Self> {
        i64::read(row, name).map(Timestamp)
    }
}

impl Column for Option<Timestamp> {
    fn read(row: &Row, name: &str) -> Result<Self> {
        Ok(Option::<i64>::read(row, name)?.map(Timestamp))
    }
}

impl Column for Currency {
    fn read(row: &Row, name: &str) -> Result<Self> {
        Currency::parse(&String::read(row, name)?).map_err(Error::internal)
    }
}

/// A type that a row can be read as. Stores implement it beside their statements.
pub trait FromRow: Sized {
    /// Reads it.
    fn from_row(row: &Row) -> Result<Self>;
}

impl FromRow for i64 {
    fn from_row(row: &Row) -> Result<Self> {
        row.get("n")
    }
}

impl FromRow for String {
    fn from_row(row: &Row) -> Result<Self> {
        row.get("value")
    }
}

impl FromRow for Uuid {
    fn from_row(row: &Row) -> Result<Self> {
        row.get("id")
    }
}
