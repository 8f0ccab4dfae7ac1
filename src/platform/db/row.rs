//! Rows of either engine, read by column name.

use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::kernel::id::TypedId;
use crate::kernel::{Currency, Error, Money, Result, Timestamp};

/// One row of a result.
pub struct Row {
    of: Of,
    /// Behind the column that was read last. Columns are mostly read in their order, so that the next one is found at once.
    next: AtomicUsize,
}

enum Of {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Row { of: Of::Sqlite(row), next: AtomicUsize::new(0) }
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Row { of: Of::Postgres(row), next: AtomicUsize::new(0) }
    }
}

impl Row {
    /// The place of a column among the others.
    fn place<C: sqlx::Column>(&self, columns: &[C], name: &str) -> Option<usize> {
        let next = self.next.load(Ordering::Relaxed).min(columns.len());
        let place = (next..columns.len()).chain(0..next).find(|place| columns[*place].name() == name)?;
        self.next.store(place + 1, Ordering::Relaxed);
        Some(place)
    }

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
                let value = match &row.of {
                    Of::Sqlite(of) => row.place(of.columns(), name).map(|place| of.try_get(place)),
                    Of::Postgres(of) => row.place(of.columns(), name).map(|place| of.try_get(place)),
                };
                let value = value.ok_or_else(|| Error::internal(format!("there is no column {name}")))?;
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
