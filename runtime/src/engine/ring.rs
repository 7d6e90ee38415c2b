//! The newest rows of something, and sums over older ones.

use super::{merge::Shift, total::Total};
use segue_compiler::{
    pack::{Broken, Packed, Packer, Unpacker, with_room},
    packed,
    plan::WindowSpan,
    value::{Millis, Value},
};
use smallvec::SmallVec;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// What is remembered of an event.
pub(super) type Columns = SmallVec<[Value; 1]>;

/// One remembered event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) at: Millis,
    pub(super) order: u64,
    pub(super) columns: Columns,
}

/// The newest rows in order, and for older ones totals over aligned stretches of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    /// Shared with a copy of the customer until one of both changes.
    rows: Arc<VecDeque<Row>>,
    older: BTreeMap<Millis, Total>,
}

packed!(Row { at, order, columns });

impl Packed for Ring {
    fn pack(&self, to: &mut Packer) {
        let Self { rows, older } = self;
        to.number((rows.len() as u64) << 1 | u64::from(!older.is_empty()));
        rows.iter().for_each(|row| row.pack(to));
        if !older.is_empty() {
            older.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        if from.is_former() {
            let rows: VecDeque<Row> = Packed::unpack(from)?;
            return Ok(Self { rows: rows.into(), older: Packed::unpack(from)? });
        }
        let head = from.number()?;
        let count = from.at_most(head >> 1)?;
        let mut rows = VecDeque::with_capacity(with_room(count));
        for _ in 0..count {
            rows.push_back(Row::unpack(from)?);
        }
        let older = if head & 1 == 1 { Packed::unpack(from)? } else { BTreeMap::new() };
        Ok(Self { rows: rows.into(), older })
    }
}

/// How a ring keeps its rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    pub(super) capacity: usize,
    /// The width of the stretches.
    pub(super) stretch: Option<i64>,
    /// Rows this old are never asked for again.
    pub(super) reach: Option<i64>,
    /// Whether of rows with the same columns only the newest is kept.
    pub(super) distinct: bool,
}

/// Whether a window may have lost rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Kept,
    Overflowed,
}

impl Ring {
    /// Adds a row at its place in time and lets the oldest go where there are too many.
    pub(super) fn push(&mut self, row: Row, now: Millis, keeping: Keeping) -> Pushed {
        let rows = Arc::make_mut(&mut self.rows);
        if let Some(reach) = keeping.reach {
            let horizon = now - reach;
            while rows.front().is_some_and(|row| row.at <= horizon) {
                rows.pop_front();
            }
            while self.older.first_key_value().is_some_and(|(start, _)| *start <= horizon) {
                self.older.pop_first();
            }
            if row.at <= horizon {
                return Pushed::Kept;
            }
        }
        if keeping.distinct
            && let Some(place) = rows.iter().position(|other| other.columns == row.columns)
        {
            if rows.get(place).is_some_and(|other| (other.at, other.order) > (row.at, row.order)) {
                return Pushed::Kept;
            }
            rows.remove(place);
        }
        let place = rows.partition_point(|other| (other.at, other.order) < (row.at, row.order));
        rows.insert(place, row);
        if rows.len() <= keeping.capacity {
            return Pushed::Kept;
        }
        if let (Some(oldest), Some(width)) = (rows.pop_front(), keeping.stretch) {
            let start = oldest.at.div_euclid(width) * width;
            self.older.entry(start).or_default().add(oldest.at, oldest.order, oldest.columns.last());
        }
        Pushed::Overflowed
    }

    /// Takes up the rows and stretches of another customer, who turned out to be the same; gives how many rows are no
    /// longer told apart.
    pub(super) fn merge(&mut self, other: &Self, shift: Shift, now: Millis, keeping: Keeping) -> u64 {
        let Self { rows, older } = other;
        let mut overflowed = 0;
        for row in rows.iter() {
            let row = Row { order: shift.order(row.order), ..row.clone() };
            overflowed += u64::from(self.push(row, now, keeping) == Pushed::Overflowed);
        }
        let is_asked_for = |start: Millis| keeping.reach.is_none_or(|reach| start > now - reach);
        for (start, total) in older.iter().filter(|(start, _)| is_asked_for(**start)) {
            self.older.entry(*start).or_default().combine(&total.shifted(shift));
        }
        overflowed
    }

    /// The same with one place in the order of application.
    pub(super) fn at_order(mut self, order: u64) -> Self {
        Arc::make_mut(&mut self.rows).iter_mut().for_each(|row| row.order = order);
        self.older.values_mut().for_each(|total| *total = total.at_order(order));
        self
    }

    /// The rows of a window, by position, and the earliest instant at which they will be others.
    pub(super) fn select(&self, span: WindowSpan, now: Millis, first: (Millis, u64)) -> Selection {
        let rows = &self.rows;
        let after = |at: Millis| rows.partition_point(|row| row.at <= at);
        match span {
            // Days need not be in the order of time; who asks looks at each row's own.
            WindowSpan::All | WindowSpan::Calendar(_) => {
                Selection { from: 0, to: rows.len(), deadline: None }
            }
            WindowSpan::ThisMatch | WindowSpan::ThisSession => {
                let from = rows.partition_point(|row| (row.at, row.order) < first);
                Selection { from, to: rows.len(), deadline: None }
            }
            WindowSpan::Last(duration) => {
                let (from, to) = (after(now - duration), after(now));
                let leaves = rows.get(from).filter(|_| from < to).map(|row| row.at + duration);
                let enters = rows.get(to).map(|row| row.at);
                Selection { from, to, deadline: leaves.into_iter().chain(enters).min() }
            }
            WindowSpan::Ago { near, far } => {
                let (from, to) = (after(now - far), after(now - near));
                let leaves = rows.get(from).filter(|_| from < to).map(|row| row.at + far);
                let enters = rows.get(to).map(|row| row.at + near);
                Selection { from, to, deadline: leaves.into_iter().chain(enters).min() }
            }
        }
    }

    /// The stretches that begin within `(now − far, now]`, each with its first and last moment.
    pub(super) fn stretches(
        &self,
        now: Millis,
        (far, width): (i64, i64),
    ) -> impl Iterator<Item = (Millis, Millis, &Total)> {
        self.older.range(now - far + 1..).map(move |(start, total)| (*start, *start + width - 1, total))
    }

    pub(super) fn row(&self, position: usize) -> Option<&Row> {
        self.rows.get(position)
    }

    pub(super) fn rows(
        &self,
        selection: Selection,
    ) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.rows.range(selection.from.min(selection.to)..selection.to)
    }
}

/// Rows by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The earliest instant at which the window has other rows.
    pub(super) deadline: Option<Millis>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: Millis, order: u64) -> Row {
        Row { at, order, columns: Columns::new() }
    }

    const KEEPING: Keeping = Keeping { capacity: 3, stretch: Some(10), reach: Some(100), distinct: false };

    #[test]
    fn order_of_arrival_makes_no_difference() {
        let times = [5, 41, 12, 77, 63, 30];
        let mut in_order = Ring::default();
        let mut sorted = times;
        sorted.sort_unstable();
        for at in sorted {
            in_order.push(row(at, 0), 80, KEEPING);
        }
        let mut shuffled = Ring::default();
        for at in times {
            shuffled.push(row(at, 0), 80, KEEPING);
        }
        assert_eq!(in_order.rows, shuffled.rows);
        assert_eq!(in_order.older.keys().collect::<Vec<_>>(), shuffled.older.keys().collect::<Vec<_>>());
        assert_eq!(in_order.older.keys().copied().collect::<Vec<_>>(), [0, 10, 30]);
    }

    #[test]
    fn of_equal_rows_the_newest_is_kept() {
        let of = |at: Millis, value: &str| Row { columns: [Value::text(value)].into(), ..row(at, 0) };
        let keeping = Keeping { capacity: 2, stretch: None, reach: None, distinct: true };
        let mut ring = Ring::default();
        for (at, value) in [(10, "a"), (20, "b"), (30, "a"), (25, "b"), (5, "a")] {
            assert_eq!(ring.push(of(at, value), 30, keeping), Pushed::Kept);
        }
        assert_eq!(*ring.rows, [of(25, "b"), of(30, "a")]);
        assert_eq!(ring.push(of(27, "c"), 30, keeping), Pushed::Overflowed);
        assert_eq!(*ring.rows, [of(27, "c"), of(30, "a")]);
    }

    #[test]
    fn a_window_is_open_at_its_old_end_and_tells_when_it_changes() {
        let mut ring = Ring::default();
        for at in [10, 20, 30] {
            ring.push(row(at, 0), 30, KEEPING);
        }
        let window = ring.select(WindowSpan::Last(20), 30, (0, 0));
        assert_eq!((window.from, window.to, window.deadline), (1, 3, Some(40)));
        let ago = ring.select(WindowSpan::Ago { near: 5, far: 20 }, 30, (0, 0));
        assert_eq!((ago.from, ago.to, ago.deadline), (1, 2, Some(35)));
    }
}
