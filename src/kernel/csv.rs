//! Comma-separated values (RFC 4180) that a spreadsheet shows and does not run.

/// A table that is being written.
#[derive(Debug)]
pub struct Csv(String);

impl Csv {
    /// A table with these names on top.
    pub fn new(names: &[&str]) -> Self {
        let mut table = Csv(String::new());
        table.row(names);
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[&str]) {
        for (place, text) in cells.iter().enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            cell(&mut self.0, text);
        }
        self.0.push_str("\r\n");
    }

    /// The whole table.
    pub fn text(self) -> String {
        self.0
    }
}

fn cell(table: &mut String, text: &str) {
    // What begins like this is a formula to a spreadsheet. Numbers may begin with a sign.
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(text);
    let mark = if is_formula { "'" } else { "" };
    if text.contains(['"', ',', '\r', '\n']) {
        table.push('"');
        table.push_str(mark);
        table.push_str(&text.replace('"', "\"\""));
        table.push('"');
    } else {
        table.push_str(mark);
        table.push_str(text);
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let mut table = Csv::new(&["a", "b"]);
        table.row(&["plain", "one, two"]);
        table.row(&["she said \"no\"", "two\nlines"]);
        let wanted = "a,b\r\nplain,\"one, two\"\r\n\"she said \"\"no\"\"\",\"two\nlines\"\r\n";
        assert_eq!(table.text(), wanted);
    }

    #[test]
    fn formulas_are_texts_and_numbers_stay_numbers() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("@sum", "'@sum"),
            ("-cmd", "'-cmd"),
            ("\tx", "'\tx"),
            ("=a,b", "\"'=a,b\""),
            ("-5.00", "-5.00"),
            ("7", "7"),
        ] {
            let mut table = String::new();
            cell(&mut table, text);
            assert_eq!(table, written);
        }
    }
}
