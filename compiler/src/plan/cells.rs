//! What is remembered of a customer.

use super::{Class, NodeId};
use crate::{
    calendar::Unit,
    typed::{EventId, SequenceId},
};

/// Something remembered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// How.
    pub kind: CellKind,
    /// Of what.
    pub source: CellSource,
}

/// How something is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// How many ever: a word of the record.
    Counter {
        /// Its word.
        word: u32,
    },
    /// The time of the first or last: a word of the record.
    Moment {
        /// Its word.
        word: u32,
        /// Whether the first (else the last).
        first: bool,
    },
    /// Count, sum, extremes, first and last of a value over all of history.
    Total {
        /// Its place among a customer's totals.
        place: u32,
        /// How the value is read.
        class: Class,
    },
    /// The newest rows, and for older ones sums over aligned stretches of time.
    Rows {
        /// Its place among a customer's rings.
        place: u32,
        /// How many rows at most.
        capacity: u32,
        /// How the columns are read.
        columns: Vec<Class>,
        /// The width of the stretches in milliseconds; `None`: older rows are let go.
        stretch: Option<i64>,
        /// Rows older than this many milliseconds are never asked for; `None`: all are.
        reach: Option<i64>,
        /// Whether of rows with the same columns only the newest is kept.
        distinct: bool,
    },
    /// Totals for each calendar day, which is the first column.
    Days {
        /// Its place among a customer's days.
        place: u32,
        /// How the value, the second column, is read; `None`: events are only counted.
        class: Option<Class>,
        /// How many days back are asked for, today included.
        reach: i32,
    },
    /// On which days or weeks there was something; the day is the only column.
    Periods {
        /// Its place among a customer's periods.
        place: u32,
        /// Days or weeks.
        unit: Unit,
        /// How many back are asked for, the current one included.
        reach: i32,
    },
}

/// What feeds a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CellSource {
    /// Events.
    Events {
        /// Which; `None`: any.
        events: Option<Vec<EventId>>,
        /// The condition on [`super::FrameRef::This`].
        filter: NodeId,
        /// The columns.
        columns: Vec<NodeId>,
        /// Whether the last column is the whole event as an object.
        object: bool,
        /// Since which change of rules; 0: from the beginning.
        since: u32,
    },
    /// Completed matches.
    Sequence {
        /// Of this sequence.
        sequence: SequenceId,
        /// From this instant on.
        since: i64,
    },
}
