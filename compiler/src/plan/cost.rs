//! What a customer costs at worst, in bytes.

use super::{Cell, CellKind, Class, Plan};
use crate::{calendar::ZONE_DAYS, typed::SequenceId, value::KEPT_TEXT_BYTES};
use std::fmt;

/// A size, printed in the unit that suits it.
pub(super) struct Bytes(pub(super) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1_024 {
            write!(f, "{} B", self.0)
        } else {
            write!(f, "{}.{} KB", self.0 / 1_024, self.0 % 1_024 * 10 / 1_024)
        }
    }
}

/// Time, order of application and the pointer to the columns.
const ROW: u64 = 32;
/// A value of a column.
const VALUE: u64 = 24;
/// Count, sum, extremes, first and last over a stretch.
const STRETCH: u64 = 192;
/// The number of a day.
const DAY: u64 = 8;
/// How many stretches lie within a window.
const STRETCHES: u64 = 257;
/// How many matches of a sequence are kept, and what an event in one takes besides its fields.
const MATCHES: u64 = 64;
const EVENT: u64 = 96;

/// The mark of a schedule's last occurrence, with its number.
pub(super) const BYTES_OF_SCHEDULE: u64 = 16;

/// The latest session of a customer.
pub(super) const SESSION: u64 = 48;

/// The most that a cell takes beyond the record.
pub(super) fn bytes_of_cell(cell: &Cell) -> u64 {
    match &cell.kind {
        CellKind::Counter { .. } | CellKind::Moment { .. } => 0,
        CellKind::Total { class, .. } => STRETCH + 2 * text(*class),
        CellKind::Rows { capacity, columns, stretch, .. } => {
            let row = ROW + columns.iter().map(|class| VALUE + text(*class)).sum::<u64>();
            u64::from(*capacity) * row + if stretch.is_some() { STRETCHES * STRETCH } else { 0 }
        }
        CellKind::Days { class, reach, .. } => {
            let day = DAY + STRETCH + 2 * class.map_or(0, text);
            u64::try_from(*reach + ZONE_DAYS).unwrap_or(0) * day
        }
        CellKind::Periods { reach, .. } => {
            16 + u64::try_from(*reach + ZONE_DAYS).unwrap_or(0).div_ceil(64) * 8
        }
    }
}

fn text(class: Class) -> u64 {
    match class {
        Class::Text | Class::Value => KEPT_TEXT_BYTES as u64,
        Class::Number | Class::Boolean | Class::Time | Class::Date | Class::Duration => 0,
    }
}

/// The most that the matches of a sequence take; 0 when it keeps none.
pub(super) fn bytes_of_sequence(plan: &Plan, sequence: SequenceId) -> u64 {
    let Some(sequence) = plan.sequences.get(sequence.0 as usize) else { return 0 };
    if sequence.within.len() == 1 && sequence.then_no.is_none() {
        return 0;
    }
    let slots = plan.layouts.iter().map(|layout| u64::from(layout.slots)).max().unwrap_or(0);
    let matches =
        if sequence.same.values().all(Vec::is_empty) && sequence.anchor != crate::typed::Anchor::Each {
            1
        } else {
            MATCHES
        };
    matches * sequence.within.len() as u64 * (EVENT + slots * (16 + VALUE))
}
