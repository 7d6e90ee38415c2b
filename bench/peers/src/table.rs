//! The table that is printed.

use crate::{
    measure::{COLUMNS, Column, Row},
    peers::PREDICATES,
};
use std::fmt;

/// Figures with what they are to native Rust and to Segue.
pub(crate) struct Table<'r> {
    pub(crate) rows: &'r [Row],
    pub(crate) events: usize,
    /// Of a line, on average.
    pub(crate) bytes: usize,
    pub(crate) rounds: usize,
}

/// The rows that the others are compared with.
const NATIVE: &str = "native Rust";
const SEGUE: &str = "Segue, compiled";

impl Table<'_> {
    fn figure(&self, name: &str, column: usize) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.name == name)?;
        row.figures.get(column).copied().flatten()
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} events of {} bytes on average, {PREDICATES} predicates; medians of {} runs taken in turn; nanoseconds",
            self.events, self.bytes, self.rounds
        )?;
        writeln!(f, "equal answers of all\n")?;
        write!(f, "{:<32}", "")?;
        for column in COLUMNS {
            let title = match column {
                Column::Predicate => "a predicate, bound",
                Column::Binding => "an event, with binding",
                Column::Decoding => "an event, with decoding",
            };
            write!(f, " | {title:^27}")?;
        }
        writeln!(f)?;
        write!(f, "{:<32}", "")?;
        for _ in COLUMNS {
            write!(f, " | {:>9} {:>8} {:>8}", "ns", "÷ native", "÷ Segue")?;
        }
        writeln!(f)?;
        for row in self.rows {
            write!(f, "{:<32}", row.name)?;
            for (figure, column) in row.figures.iter().zip(0..) {
                match figure {
                    None => write!(f, " | {:>9} {:>8} {:>8}", "–", "–", "–")?,
                    Some(figure) => {
                        let to = |name| self.figure(name, column).map_or(f64::NAN, |of| figure / of);
                        write!(f, " | {figure:>9.1} {:>8.2} {:>8.2}", to(NATIVE), to(SEGUE))?;
                    }
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
