//! One statement and its values, for either engine.

use std::borrow::Cow;
use std::fmt::Write as _;

use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Postgres, SqlSafeStr, SqlStr, Sqlite};

use super::{Column, Db, DbError, Engine, FromRow, Row, Tx, TxInner, Value, many};
use crate::kernel::{Error, Result};

/// Where a statement runs: on the pool of readers, or inside a transaction.
pub enum On<'a> {
    /// Outside of any transaction.
    Db(&'a Db),
    /// Inside this one.
    Tx(&'a mut Tx),
}

impl<'a> From<&'a Db> for On<'a> {
    fn from(db: &'a Db) -> Self {
        On::Db(db)
    }
}

impl<'a> From<&'a mut Tx> for On<'a> {
    fn from(tx: &'a mut Tx) -> Self {
        On::Tx(tx)
    }
}

/// How often a read is tried on another connection.
const READ_ATTEMPTS: u32 = 4;

/// A statement with its values.
#[derive(Clone, Debug)]
pub struct Query {
    pub(super) postgres: Cow<'static, str>,
    /// Only where it differs.
    sqlite: Option<Cow<'static, str>>,
    pub(super) values: Vec<Value>,
    /// Waiting for their hole until the engine is known.
    rows: Vec<Vec<Value>>,
}

/// A statement that both engines understand.
pub fn q(sql: &'static str) -> Query {
    Query { postgres: Cow::Borrowed(sql), sqlite: None, values: Vec::new(), rows: Vec::new() }
}

/// A statement that must differ between the engines.
pub fn q2(postgres: &'static str, sqlite: &'static str) -> Query {
    Query {
        postgres: Cow::Borrowed(postgres),
        sqlite: Some(Cow::Borrowed(sqlite)),
        values: Vec::new(),
        rows: Vec::new(),
    }
}

impl Query {
    /// Gives the next placeholder its value.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Puts the values in place of `{list}`, for `in ({list})`. The list is padded to a power of two with its last value,
    /// so that few different statements are prepared. It must not be empty.
    pub fn list<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        let start = self.values.len();
        self.values.extend(values.into_iter().map(Into::into));
        let wanted = (self.values.len() - start).next_power_of_two();
        while self.values.len() - start < wanted {
            let Some(last) = self.values.last().cloned() else { break };
            self.values.push(last);
        }
        let mut places = String::with_capacity(wanted * 4);
        for number in start + 1..=self.values.len() {
            let _ = write!(places, "{}${number}", if number == start + 1 { "" } else { "," });
        }
        self.fill("{list}", &places)
    }

    /// Puts a condition for each value that there is in place of `{conditions}`, which stands behind another one. A
    /// condition for what nobody asked for, however it is written, would hide from the planner which index serves.
    pub fn conditions<const N: usize>(mut self, all: [(&'static str, Option<Value>); N]) -> Self {
        let mut text = String::new();
        for (condition, value) in all {
            if let Some(value) = value {
                self.values.push(value);
                let _ = write!(text, " and {condition} ${}", self.values.len());
            }
        }
        self.fill("{conditions}", &text)
    }

    /// Puts rows in place of `values {rows}`, in an `insert` or in front of a statement: `with t (a, b) as (values {rows})`.
    /// Values are bound before.
    pub fn rows(mut self, rows: Vec<Vec<Value>>) -> Self {
        self.rows = rows;
        self
    }

    /// Fills the hole of the rows in the way of the engine that it is for.
    fn settled(mut self, is_sqlite: bool) -> Self {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return self;
        }
        let places = many::places(rows, &mut self.values, is_sqlite);
        self.fill(many::HOLE, &places)
    }

    fn fill(mut self, hole: &str, places: &str) -> Self {
        self.postgres = Cow::Owned(self.postgres.replacen(hole, places, 1));
        self.sqlite = self.sqlite.map(|sqlite| Cow::Owned(sqlite.replacen(hole, places, 1)));
        self
    }

    /// Runs it and gives the raw rows.
    pub async fn fetch(self, on: impl Into<On<'_>>) -> Result<Vec<Row>, DbError> {
        self.run(on.into()).await
    }

    /// Runs it and reads every row.
    pub async fn all<T: FromRow>(self, on: impl Into<On<'_>>) -> Result<Vec<T>> {
        self.run(on.into()).await?.iter().map(T::from_row).collect()
    }

    /// Runs it and reads the only row, if there is one.
    pub async fn optional<T: FromRow>(self, on: impl Into<On<'_>>) -> Result<Option<T>> {
        self.run(on.into()).await?.first().map(T::from_row).transpose()
    }

    /// Runs it and reads the row that must be there.
    pub async fn one<T: FromRow>(self, on: impl Into<On<'_>>) -> Result<T> {
        self.optional(on).await?.ok_or_else(|| Error::internal("a row that must exist is missing"))
    }

    /// Runs it and reads a count `n` for each value of a column.
    pub async fn counts<K: Column>(self, db: &Db, column: &str) -> Result<Vec<(K, i64)>> {
        self.run(db.into()).await?.iter().map(|row| Ok((row.get(column)?, row.get("n")?))).collect()
    }

    /// Runs it and says how many rows it changed.
    pub async fn execute(self, tx: &mut Tx) -> Result<u64, DbError> {
        tx.meter.tick();
        let (sql, values) = self.text(matches!(tx.inner, TxInner::Sqlite(_)));
        Ok(match &mut tx.inner {
            TxInner::Sqlite(tx) => {
                sqlx::query_with::<Sqlite, _>(sql, sqlite(values)?).execute(tx.connection()?).await?.rows_affected()
            }
            TxInner::Postgres(tx) => {
                sqlx::query_with::<Postgres, _>(sql, postgres(values)?).execute(tx.connection()?).await?.rows_affected()
            }
        })
    }

    /// Runs it together with others whose answers nobody wants: in one round trip on PostgreSQL, one by one on SQLite, where
    /// the others come first. None of them sees what another one does, no two touch one row, and none begins with `with`.
    pub async fn fetch_behind(self, others: Vec<Query>, tx: &mut Tx) -> Result<Vec<Row>, DbError> {
        if let TxInner::Sqlite(_) = tx.inner {
            for other in others {
                other.execute(tx).await?;
            }
            return self.fetch(tx).await;
        }
        self.behind(others).fetch(tx).await
    }

    /// PostgreSQL runs statements in front of another one to their end, whether or not that one reads from them.
    fn behind(self, others: Vec<Query>) -> Query {
        let mut sql = String::new();
        let mut values = Vec::new();
        let last = self.settled(false);
        for (number, other) in others.into_iter().map(|other| other.settled(false)).enumerate() {
            let word = if number == 0 { "with" } else { "," };
            let _ = write!(sql, "{word} part{number} as ({}) ", moved(&other.postgres, values.len()));
            values.extend(other.values);
        }
        sql.push_str(&moved(&last.postgres, values.len()));
        values.extend(last.values);
        Query { postgres: Cow::Owned(sql), sqlite: None, values, rows: Vec::new() }
    }

    pub(super) fn text(self, is_sqlite: bool) -> (SqlStr, Vec<Value>) {
        let query = self.settled(is_sqlite);
        let sql = match query.sqlite {
            Some(sqlite) if is_sqlite => sqlite,
            _ => query.postgres,
        };
        let sql = match sql {
            Cow::Borrowed(sql) => SqlStr::from_static(sql),
            // Only placeholders and constant column names were put in.
            Cow::Owned(sql) => AssertSqlSafe(sql).into_sql_str(),
        };
        (sql, query.values)
    }

    async fn run(self, on: On<'_>) -> Result<Vec<Row>, DbError> {
        match on {
            On::Db(db) => self.read(db).await,
            On::Tx(tx) => {
                tx.meter.tick();
                let (sql, values) = self.text(matches!(tx.inner, TxInner::Sqlite(_)));
                Ok(match &mut tx.inner {
                    TxInner::Sqlite(tx) => {
                        rows(sqlx::query_with::<Sqlite, _>(sql, sqlite(values)?).fetch_all(tx.connection()?).await?)
                    }
                    TxInner::Postgres(tx) => {
                        rows(sqlx::query_with::<Postgres, _>(sql, postgres(values)?).fetch_all(tx.connection()?).await?)
                    }
                })
            }
        }
    }

    /// Reads outside of a transaction. A connection that died in the pool shows it only now, and a read may simply be
    /// repeated on the next one.
    async fn read(self, db: &Db) -> Result<Vec<Row>, DbError> {
        let (sql, values) = self.text(!db.is_postgres());
        let mut attempt = 1;
        loop {
            db.meter.tick();
            let read = match &db.engine {
                Engine::Sqlite { readers, .. } => {
                    let query = sqlx::query_with::<Sqlite, _>(sql.clone(), sqlite(values.clone())?);
                    readers.once(query).await.map(rows)
                }
                Engine::Postgres(leases) => {
                    let query = sqlx::query_with::<Postgres, _>(sql.clone(), postgres(values.clone())?);
                    leases.once(query).await.map(rows)
                }
            };
            match read {
                Err(error) if error.kind == super::Kind::Away && attempt < READ_ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }
}

/// A statement whose placeholders begin that much later.
fn moved(sql: &str, by: usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        let number: usize = number.parse().unwrap_or(0);
        let _ = write!(text, "${}{rest}", number + by);
    }
    text
}

fn rows<R: Into<Row>>(read: Vec<R>) -> Vec<Row> {
    read.into_iter().map(Into::into).collect()
}

macro_rules! arguments {
    ($name:ident, $type:ty, |$column:ident, $into:ident| $add:expr) => {
        pub(super) fn $name(values: Vec<Value>) -> Result<$type, DbError> {
            let mut arguments = <$type>::default();
            for value in values {
                let $into = &mut arguments;
                let added = match value {
                    Value::Int(value) => $into.add(value),
                    Value::Bool(value) => $into.add(value),
                    Value::Text(value) => $into.add(value),
                    Value::Uuid(value) => $into.add(value),
                    Value::Array($column) => $add,
                };
                added.map_err(|error| DbError { kind: super::Kind::Other, message: error.to_string() })?;
            }
            Ok(arguments)
        }
    };
}
arguments!(sqlite, SqliteArguments, |_column, _into| Err("SQLite has no columns of values".into()));
arguments!(postgres, PgArguments, |column, into| column.bind(into));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_padded_to_a_power_of_two() {
        let query = q("select * from t where a = $1 and id in ({list})").bind(1_i64).list([7_i64, 8, 9]);
        assert_eq!(query.postgres, "select * from t where a = $1 and id in ($2,$3,$4,$5)");
        assert_eq!(query.values.len(), 5);
    }

    #[test]
    fn only_what_is_asked_for_is_a_condition() {
        let query = |b: Option<i64>| {
            let all = [("a =", None), ("b >=", b.map(Value::from))];
            q("select * from t where c = $1{conditions} and d").bind(1_i64).conditions(all).postgres
        };
        assert_eq!(query(None), "select * from t where c = $1 and d");
        assert_eq!(query(Some(7)), "select * from t where c = $1 and b >= $2 and d");
    }

    #[test]
    fn statements_that_run_together_share_their_places() {
        let first = q("update t set a = $1 where b = $2").bind(1_i64).bind(2_i64);
        let second = q("insert into t values {rows}").rows(vec![vec![3_i64.into()], vec![4_i64.into()]]);
        let last = q("insert into s values ($1) returning n").bind(5_i64).behind(vec![first, second]);
        assert_eq!(
            last.postgres,
            "with part0 as (update t set a = $1 where b = $2) , part1 as (insert into t values ($3),($4)) \
             insert into s values ($5) returning n"
        );
        assert_eq!(last.values.len(), 5);
    }

    #[test]
    fn rows_number_their_places() {
        let query = q("insert into t values {rows}")
            .rows(vec![vec![1_i64.into(), 2_i64.into()], vec![3_i64.into(), 4_i64.into()]]);
        assert_eq!(query.settled(true).postgres, "insert into t values ($1,$2),($3,$4)");
    }
}
