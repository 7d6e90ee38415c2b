//! Costs as a table.

use super::{Bytes, Cost, Line};
use std::fmt;

/// A size, printed in the unit that suits it.
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GB"), (20, "MB"), (10, "KB")];
        match units.into_iter().find(|(shift, _)| self.0 >> shift > 0) {
            None => write!(f, "{} B", self.0),
            Some((shift, unit)) => {
                let tenths = (u128::from(self.0) * 10) >> shift;
                write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
            }
        }
    }
}

/// The table, line by line.
#[must_use]
pub fn print(cost: &Cost) -> String {
    let heading =
        ["bytes of a customer", "fixed", "typical", "worst", "work per event", "something is due at"];
    let mut rows: Vec<[String; 6]> = vec![heading.map(str::to_owned)];
    let total =
        Line { what: "all together, each thing once".to_owned(), bytes: cost.total, ..Line::default() };
    rows.extend(cost.common.iter().chain(&cost.declarations).chain([&total]).map(row));
    let widths: Vec<usize> = (0..6)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for ((cell, width), column) in row.iter().zip(&widths).zip(0..) {
            // Sizes stand to the right.
            if (1..4).contains(&column) {
                line.push_str(&format!("{cell:>width$}  "));
            } else {
                line.push_str(&format!("{cell:<width$}  "));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(line: &Line) -> [String; 6] {
    let Bytes { fixed, typical, worst } = line.bytes;
    let work = match (line.work.most, line.work.events) {
        (0, _) => String::new(),
        (most, 1) => format!("≤ {most}, for 1 event"),
        (most, events) => format!("≤ {most}, for {events} events"),
    };
    let worst = if worst == u64::MAX { "no bound".to_owned() } else { Size(worst).to_string() };
    [line.what.clone(), Size(fixed).to_string(), Size(typical).to_string(), worst, work, line.due.join(", ")]
}
