//! What machine code asks of calendar days.

use super::{aggregate, frame::Frame, host::Context, ring::Row};
use segue_compiler::{
    calendar::{Calendar, Habit, Unit},
    plan::{CellId, CellKind, Class},
    typed::Aggregate,
    value::{Millis, Value},
};
use std::collections::BTreeSet;

/// The day of a row that remembers it: its first column.
pub(super) fn day_of(row: &Row) -> Option<i32> {
    row.columns.first().and_then(day)
}

fn day(value: &Value) -> Option<i32> {
    match value {
        Value::Date(day) => Some(*day),
        _ => None,
    }
}

impl Context<'_> {
    /// The day in the customer's zone now.
    fn today(&self) -> i32 {
        self.zone.date(self.header.now).unwrap_or_default()
    }

    /// Adds the event to its day; the columns are the day and, where there is one, the value.
    pub(super) fn push_day(&mut self, kind: &CellKind, event: &Frame, columns: &[Value]) {
        let Some(day) = columns.first().and_then(day) else { return };
        let today = self.today();
        match kind {
            CellKind::Days { place, reach, .. } => {
                let days = self.days.entry(*place);
                days.add((day, today, *reach), (event.at, event.order), columns.get(1));
            }
            CellKind::Periods { place, unit, reach } => {
                self.periods.entry(*place).add(unit.of(day), unit.of(today), *reach);
            }
            CellKind::Counter { .. }
            | CellKind::Moment { .. }
            | CellKind::Total { .. }
            | CellKind::Rows { .. } => {}
        }
    }

    /// A count or an aggregate over calendar days.
    pub(super) fn sum_of_days(
        &mut self,
        cell: CellId,
        function: Option<Aggregate>,
        calendar: Calendar,
        class: Class,
    ) -> Option<Value> {
        let CellKind::Days { place, .. } = self.machine.plan.cell(cell)?.kind else { return None };
        let first = calendar.first_day(self.today());
        let (total, oldest) = self.days.get(place).map(|days| days.from(first)).unwrap_or_default();
        let ends = oldest.and_then(|oldest| self.zone.begins(calendar.ends(oldest), self.header.now));
        self.deadline(ends);
        Some(match function {
            None => aggregate::number(usize::try_from(total.count).unwrap_or(usize::MAX)),
            Some(function) => total.aggregate(function, class),
        })
    }

    /// What the days or weeks of a cell come to.
    pub(super) fn habit(&mut self, cell: CellId, habit: Habit) -> Option<Value> {
        let CellKind::Periods { place, unit, .. } = self.machine.plan.cell(cell)?.kind else { return None };
        let current = unit.of(self.today());
        let (count, changes) =
            self.periods.get(place).map(|all| all.count(habit, current)).unwrap_or_default();
        let (value, changes) = self.outcome(count, changes, unit);
        self.deadline(changes);
        Some(value)
    }

    /// What the days or weeks of remembered rows come to, and when that changes.
    pub(super) fn habit_of_days(
        &self,
        active: &BTreeSet<i32>,
        unit: Unit,
        habit: Habit,
    ) -> (Value, Option<Millis>) {
        let (count, changes) = habit.count(active, unit.of(self.today()));
        self.outcome(count, changes, unit)
    }

    fn outcome(&self, count: i32, changes: Option<i32>, unit: Unit) -> (Value, Option<Millis>) {
        let changes = changes.and_then(|number| self.zone.begins(unit.first_day(number), self.header.now));
        (aggregate::number(usize::try_from(count).unwrap_or_default()), changes)
    }

    /// Of the rows of a query keeps those whose day lies in a calendar window.
    pub(super) fn keep_days(&mut self, calendar: Calendar) {
        let first = calendar.first_day(self.today());
        let Some(ring) = self.rings.get(self.queried) else { return };
        let day = |position: &usize| ring.row(*position).and_then(day_of);
        self.rows.retain(|position| day(position).is_some_and(|day| day >= first));
        let oldest = self.rows.iter().filter_map(day).min();
        let ends = oldest.and_then(|oldest| self.zone.begins(calendar.ends(oldest), self.header.now));
        self.deadline(ends);
    }
}
