//! The table of what was found.

use std::fmt::Display;

/// Lines of a table in Markdown, and whether all goals were met.
#[derive(Default)]
pub struct Report {
    missed: usize,
}

impl Report {
    /// Prints the head.
    pub fn begin(title: &str) -> Self {
        println!("| {title} | figure | goal | |\n|---|---|---|---|");
        Report::default()
    }

    /// A figure without a goal.
    pub fn note(&self, what: &str, figure: impl Display) {
        println!("| {what} | {figure} | | |");
    }

    /// A figure and whether it is what it should be.
    pub fn judge(&mut self, what: &str, figure: impl Display, goal: impl Display, is_met: bool) {
        self.missed += usize::from(!is_met);
        println!("| {what} | {figure} | {goal} | {} |", if is_met { "yes" } else { "**NO**" });
    }

    /// Whether every goal was met.
    pub const fn is_good(&self) -> bool {
        self.missed == 0
    }
}

/// Bytes, as people read them.
pub fn bytes(count: i64) -> String {
    match count.unsigned_abs() {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

/// What some use of memory came to for each of `count`.
pub fn each(before: u64, after: u64, count: usize) -> i64 {
    (after as i64 - before as i64) / count.max(1) as i64
}

/// The value below which a share of the sorted values lies.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// The same of unsorted values, which it sorts.
pub fn quantiles<const N: usize>(values: &mut [f64], shares: [f64; N]) -> [f64; N] {
    values.sort_unstable_by(f64::total_cmp);
    shares.map(|share| quantile(values, share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantiles(&mut values, [0.0, 0.5, 0.99, 1.0]), [1.0, 51.0, 100.0, 100.0]);
        assert_eq!(quantiles(&mut [], [0.5]), [0.0]);
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }
}
