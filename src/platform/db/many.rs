//! Many rows in one statement.
//!
//! SQLite gets a placeholder for each value. PostgreSQL gets that for a few rows; more of them travel as one array for each
//! column, so that the statement has the same text however many there are and is prepared once.

use std::fmt::Write as _;

use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use uuid::Uuid;

use super::Value;

/// Where rows go.
pub(super) const HOLE: &str = "values {rows}";
/// Rows that PostgreSQL gets value by value: most statements have no more, and it plans them best.
const FEW: usize = 4;

/// The values of one column, row by row.
#[derive(Clone, Debug)]
pub enum Array {
    /// bigint
    Int(Vec<Option<i64>>),
    /// boolean
    Bool(Vec<bool>),
    /// text
    Text(Vec<Option<String>>),
    /// uuid
    Uuid(Vec<Option<Uuid>>),
}

impl Array {
    /// An empty column for values like this one.
    fn like(value: &Value) -> Self {
        match value {
            Value::Int(_) => Array::Int(Vec::new()),
            Value::Bool(_) => Array::Bool(Vec::new()),
            Value::Text(_) => Array::Text(Vec::new()),
            Value::Uuid(_) => Array::Uuid(Vec::new()),
            Value::Array(column) => column.clone(),
        }
    }

    /// Adds a value. One of another type than the first is left out, and PostgreSQL refuses the statement.
    fn push(&mut self, value: Value) {
        match (self, value) {
            (Array::Int(all), Value::Int(value)) => all.push(value),
            (Array::Bool(all), Value::Bool(value)) => all.push(value),
            (Array::Text(all), Value::Text(value)) => all.push(value),
            (Array::Uuid(all), Value::Uuid(value)) => all.push(value),
            _ => {}
        }
    }

    /// Hands it to PostgreSQL.
    pub(super) fn bind(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Array::Int(all) => arguments.add(all),
            Array::Bool(all) => arguments.add(all),
            Array::Text(all) => arguments.add(all),
            Array::Uuid(all) => arguments.add(all),
        }
    }
}

/// The text in place of the hole. The values join those that are bound already.
pub(super) fn places(rows: Vec<Vec<Value>>, values: &mut Vec<Value>, is_sqlite: bool) -> String {
    if is_sqlite || rows.len() <= FEW { each(rows, values) } else { arrays(rows, values) }
}

fn each(rows: Vec<Vec<Value>>, values: &mut Vec<Value>) -> String {
    let mut text = "values ".to_owned();
    for (number, row) in rows.into_iter().enumerate() {
        text.push_str(if number == 0 { "(" } else { ",(" });
        for (index, value) in row.into_iter().enumerate() {
            values.push(value);
            let _ = write!(text, "{}${}", if index == 0 { "" } else { "," }, values.len());
        }
        text.push(')');
    }
    text
}

fn arrays(rows: Vec<Vec<Value>>, values: &mut Vec<Value>) -> String {
    let mut columns: Vec<Array> = rows.first().map(|row| row.iter().map(Array::like).collect()).unwrap_or_default();
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    let mut text = "select * from unnest(".to_owned();
    for (index, column) in columns.into_iter().enumerate() {
        values.push(Value::Array(column));
        let _ = write!(text, "{}${}", if index == 0 { "" } else { "," }, values.len());
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(count: i64, is_sqlite: bool) -> (String, usize) {
        let mut values = vec![Value::Bool(true)];
        let rows = (0..count).map(|n| vec![n.into(), "a".into()]).collect();
        (places(rows, &mut values, is_sqlite), values.len())
    }

    #[test]
    fn few_rows_have_a_place_for_each_value() {
        assert_eq!(text(2, false), ("values ($2,$3),($4,$5)".to_owned(), 5));
        assert_eq!(text(5, true).1, 11);
    }

    #[test]
    fn many_rows_are_arrays_on_postgres() {
        let (five, values) = text(5, false);
        assert_eq!((five.as_str(), values), ("select * from unnest($2,$3)", 3));
        assert_eq!(five, text(500, false).0);
    }
}
