//! `gigwire lives`: the life of each object, drawn from the tables that the commands obey.

use std::fmt::Write;

use super::{Failure, print};
use crate::features;
use crate::kernel::life::{Chart, Line};
use crate::kernel::{Code, Error};

/// Where a drawing begins, in words.
const NEW: &str = "(new)";

/// Prints one life or all of them, as tables or as Mermaid diagrams.
pub fn run(noun: Option<&str>, as_mermaid: bool) -> Result<(), Failure> {
    let lives = features::lives();
    let known: Vec<_> = lives.iter().map(|chart| chart.noun).collect();
    let drawn: Vec<_> = lives.iter().filter(|chart| noun.is_none_or(|noun| chart.noun == noun)).collect();
    if drawn.is_empty() {
        return Err(Error::new(Code::BadUserInput, format!("Lives are those of: {}.", known.join(", "))).into());
    }
    let draw = if as_mermaid { mermaid } else { table };
    print(&drawn.into_iter().map(draw).collect::<Vec<_>>().join("\n"))
}

fn people(line: &Line) -> String {
    line.by.iter().map(|by| by.name()).collect::<Vec<_>>().join(", ")
}

fn begins(line: &Line) -> String {
    if line.from.is_empty() { NEW.to_owned() } else { line.from.join(", ") }
}

/// A table in columns.
fn table(chart: &Chart) -> String {
    let head = ["transition", "from", "to", "by", "label"].map(str::to_owned);
    let row =
        |line: &Line| [line.name.to_owned(), begins(line), line.to.to_owned(), people(line), line.label.to_owned()];
    let rows: Vec<_> = std::iter::once(head).chain(chart.lines.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<_> = (0..5).map(width).collect();
    let mut text = format!("The life of the {}; it ends as {}.\n\n", chart.noun, chart.ends.join(", "));
    for row in &rows {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
    }
    text
}

/// A state diagram. What is refused for a reason is no line in it.
fn mermaid(chart: &Chart) -> String {
    let mut text = "stateDiagram-v2\n".to_owned();
    for line in &chart.lines {
        let froms = if line.from.is_empty() { &["[*]"][..] } else { &line.from[..] };
        for from in froms {
            let _ = writeln!(text, "    {from} --> {}: {} ({})", line.to, line.name, people(line));
        }
    }
    let ends = chart.ends.iter().filter(|end| chart.lines.iter().any(|line| line.to == **end));
    for end in ends {
        let _ = writeln!(text, "    {end} --> [*]");
    }
    text
}
