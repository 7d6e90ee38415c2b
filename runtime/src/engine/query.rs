//! What machine code asks of remembered rows and totals, and of values that lie elsewhere.

use super::{
    aggregate, calendar,
    customer::{Events, Match},
    host::Context,
    ring::{Keeping, Pushed, Ring, Row},
    sequence,
    total::Total,
};
use segue_compiler::{
    abi::{SPACE_SHIFT, Slot, Space},
    plan::{
        CellId, CellKind, CellSource, Class, NO_ELEMENT, Node, NodeId, Operation, QueryResult, WindowSpan,
    },
    session::Session,
    time::calendar,
    typed::{Aggregate, EventId, Function, SequenceId, TextTest},
    value::{Decimal, Value, divide_half_even},
};
use std::{collections::BTreeSet, sync::Arc};

/// How a cell of rows keeps them.
pub(super) fn keeping(kind: &CellKind) -> Option<Keeping> {
    match kind {
        CellKind::Rows { capacity, stretch, reach, distinct, .. } => Some(Keeping {
            capacity: *capacity as usize,
            stretch: *stretch,
            reach: *reach,
            distinct: *distinct,
        }),
        CellKind::Counter { .. }
        | CellKind::Moment { .. }
        | CellKind::Total { .. }
        | CellKind::Days { .. }
        | CellKind::Periods { .. } => None,
    }
}

impl Context<'_> {
    /// The value of a word: itself, or what its handle means.
    pub(super) fn value(&self, tag: i64, word: i64, class: Class) -> Value {
        if tag == 0 {
            Value::Missing
        } else if class.is_handle() {
            self.resolve(word).cloned().unwrap_or_default()
        } else {
            class.value(word)
        }
    }

    /// What a handle means.
    pub(super) fn resolve(&self, handle: i64) -> Option<&Value> {
        let (space, place) =
            (handle >> SPACE_SHIFT, usize::try_from(handle & ((1 << SPACE_SHIFT) - 1)).ok()?);
        if space == Space::Profile as i64 {
            return self.profile_slots.get(u32::try_from(place).ok()?);
        }
        let values: &[Value] = match space {
            s if s == Space::Constants as i64 => &self.machine.constants,
            s if s == Space::This as i64 => &self.this?.values,
            s if s == Space::Trigger as i64 => &self.run?.frames.last()?.values,
            s if s == Space::Answer as i64 => &self.run?.answer.as_ref()?.values,
            s if s == Space::Temporary as i64 => &self.temporaries,
            element => {
                let number = usize::try_from(element - Space::Elements as i64).ok()?;
                &self.run?.frames.get(number)?.values
            }
        };
        values.get(place)
    }

    pub(super) fn text(&self, handle: i64) -> &str {
        self.resolve(handle).and_then(Value::as_text).unwrap_or_default()
    }

    /// A value as a slot; texts, lists and objects become temporaries.
    fn temporary(&mut self, value: Value) -> Slot {
        let place =
            i64::try_from(self.temporaries.len()).unwrap_or(0) | (Space::Temporary as i64) << SPACE_SHIFT;
        let slot = self.machine.slot(&value, place);
        if matches!(value, Value::Text(_) | Value::List(_) | Value::Object(_)) {
            self.temporaries.push(value);
        }
        slot
    }

    /// Leaves a value in the header.
    pub(super) fn give(&mut self, value: Value) {
        let slot = self.temporary(value);
        (self.header.tag, self.header.word) = (slot.tag, slot.word);
    }

    pub(super) fn deadline(&mut self, at: Option<i64>) {
        if let Some(at) = at.filter(|at| *at > self.header.now) {
            self.header.deadline = self.header.deadline.min(at);
        }
    }

    /// Adds the row made of the columns to a cell.
    pub(super) fn push(&mut self, cell: CellId) {
        let mut columns = std::mem::take(&mut self.columns);
        if self.cancels_only {
            return;
        }
        let (Some(cell), Some(event)) = (self.machine.plan.cell(cell), self.this) else { return };
        if matches!(cell.source, CellSource::Events { object: true, .. }) {
            columns.push(self.whole(event.event));
        }
        match &cell.kind {
            CellKind::Total { place, .. } => {
                self.totals.entry(*place).add(event.at, event.order, columns.last());
            }
            CellKind::Rows { place, capacity, .. } => {
                let Some(keeping) = keeping(&cell.kind) else { return };
                let ring = self.rings.entry(*place);
                let columns = columns.iter().map(Value::kept).collect();
                let row = Row { at: event.at, order: event.order, columns };
                let pushed = ring.push(row, self.header.now, keeping);
                self.counts.window_overflow += u64::from(pushed == Pushed::Overflowed && *capacity == EXACT);
            }
            CellKind::Days { .. } | CellKind::Periods { .. } => self.push_day(&cell.kind, event, &columns),
            CellKind::Counter { .. } | CellKind::Moment { .. } => {}
        }
    }

    /// The event that is being applied as an object of its known fields.
    fn whole(&self, event: Option<EventId>) -> Value {
        let Some(position) = event.map(|event| event.0 as usize) else { return Value::Missing };
        let (Some(ty), Some(layout)) =
            (self.program.events.get(position), self.machine.plan.layouts.get(position))
        else {
            return Value::Missing;
        };
        let value = |name: &Arc<str>| {
            let slot = layout.names.get(name)?;
            self.this?.values.get(*slot as usize).filter(|value| value.is_known()).cloned()
        };
        let fields = ty.declared().iter().filter_map(|field| Some((field.name.clone(), value(&field.name)?)));
        Value::Object(fields.collect())
    }

    /// The value of a window or a total.
    pub(super) fn aggregate(&mut self, node: NodeId) {
        let machine = self.machine;
        let value = match machine.plan.node(node) {
            Node::Total(cell, function) => match machine.plan.cell(*cell).map(|cell| &cell.kind) {
                Some(CellKind::Total { place, class }) => {
                    let none = Total::default();
                    Some(self.totals.get(*place).unwrap_or(&none).aggregate(*function, *class))
                }
                _ => None,
            },
            Node::Window { cell, function, span, class } => self.window(*cell, *function, *span, *class),
            Node::Days { cell, function, calendar, class } => {
                self.sum_of_days(*cell, *function, *calendar, *class)
            }
            Node::Habit(cell, habit) => self.habit(*cell, *habit),
            Node::Nth(cell) => self.nth(*cell).map(Value::Time),
            _ => None,
        };
        self.give(value.unwrap_or_default());
    }

    /// The time of the oldest row of a ring that is full.
    fn nth(&self, cell: CellId) -> Option<i64> {
        let CellKind::Rows { place, capacity, .. } = &self.machine.plan.cell(cell)?.kind else { return None };
        let ring = self.rings.get(*place)?;
        ring.row((*capacity as usize).checked_sub(1)?)?;
        ring.row(0).map(|row| row.at)
    }

    fn window(
        &mut self,
        cell: CellId,
        function: Option<Aggregate>,
        span: WindowSpan,
        class: Class,
    ) -> Option<Value> {
        let machine = self.machine;
        let CellKind::Rows { place, stretch, .. } = &machine.plan.cell(cell)?.kind else { return None };
        let ring = self.rings.get(*place).unwrap_or(&machine.no_rows);
        let now = self.header.now;
        let selection = ring.select(span, now, self.first(span));
        let (older, changes) = stretch.map_or_else(Default::default, |width| older(ring, span, width, now));
        let value = match function {
            None => {
                let older = usize::try_from(older.count).unwrap_or(usize::MAX);
                aggregate::number(older.saturating_add(ring.rows(selection).len()))
            }
            Some(function) => aggregate::of_rows(function, class, ring.rows(selection), older),
        };
        self.deadline(selection.deadline);
        self.deadline(self.session_ends(span));
        self.deadline(changes);
        Some(value)
    }

    /// The place from which on a window of a match or session reaches.
    fn first(&self, span: WindowSpan) -> (i64, u64) {
        if span == WindowSpan::ThisSession {
            let session = self.session.and_then(|session| session.reaches_back_to(self.header.now));
            return session.unwrap_or((i64::MAX, u64::MAX));
        }
        self.run.map_or((i64::MIN, 0), |run| run.first)
    }

    /// When it is this session no longer, if a window asks for it.
    fn session_ends(&self, span: WindowSpan) -> Option<i64> {
        self.session.filter(|_| span == WindowSpan::ThisSession).map(Session::is_over_from)
    }

    /// Finds the rows that a query looks at; returns how many.
    pub(super) fn query_begin(&mut self, node: NodeId) -> i64 {
        self.rows.clear();
        self.kept.clear();
        let Node::Query { cell, span, .. } = self.machine.plan.node(node) else { return 0 };
        let Some(CellKind::Rows { place, .. }) = self.machine.plan.cell(*cell).map(|cell| &cell.kind) else {
            return 0;
        };
        self.queried = *place;
        let Some(ring) = self.rings.get(*place) else { return 0 };
        let selection = ring.select(*span, self.header.now, self.first(*span));
        self.rows.extend(selection.from..selection.to.max(selection.from));
        self.deadline(selection.deadline);
        self.deadline(self.session_ends(*span));
        if let WindowSpan::Calendar(calendar) = *span {
            self.keep_days(calendar);
        }
        i64::try_from(self.rows.len()).unwrap_or(0)
    }

    /// Lays out a row's columns for machine code.
    pub(super) fn query_row(&mut self, row: i64) {
        let columns = self.queried_row(row).map(|row| row.columns.clone()).unwrap_or_default();
        self.row_slots.clear();
        for value in columns {
            let slot = self.temporary(value);
            self.row_slots.push(slot);
        }
        self.header.row = self.row_slots.as_ptr();
    }

    fn queried_row(&self, row: i64) -> Option<&Row> {
        let position = usize::try_from(row).ok().and_then(|row| self.rows.get(row))?;
        self.rings.get(self.queried)?.row(*position)
    }

    pub(super) fn query_keep(&mut self, row: i64) {
        let position = usize::try_from(row).ok().and_then(|row| self.rows.get(row)).copied();
        self.kept.extend(position);
    }

    pub(super) fn query_all(&mut self, node: NodeId) {
        self.query_begin(node);
        self.kept.clone_from(&self.rows);
    }

    /// The value of a query over the rows that it kept.
    pub(super) fn query_end(&mut self, node: NodeId) {
        let machine = self.machine;
        let Node::Query { result, class, .. } = machine.plan.node(node) else { return };
        let ring = self.rings.get(self.queried).unwrap_or(&machine.no_rows);
        let rows = self.kept.iter().filter_map(|position| ring.row(*position));
        let value = match *result {
            QueryResult::Habit(unit, habit) => {
                let days = rows.filter_map(calendar::day_of).map(|day| unit.of(day)).collect();
                let (value, changes) = self.habit_of_days(&days, unit, habit);
                self.deadline(changes);
                value
            }
            QueryResult::Count => aggregate::number(self.kept.len()),
            QueryResult::Aggregate(function) => aggregate::of_rows(function, *class, rows, Total::default()),
            QueryResult::Newest { count, distinct } => newest(rows, count as usize, distinct),
            QueryResult::FirstTime => rows.map(|row| row.at).next().map_or(Value::Missing, Value::Time),
            QueryResult::LastTime => rows.map(|row| row.at).next_back().map_or(Value::Missing, Value::Time),
        };
        self.give(value);
    }

    /// Arithmetic that rounds; both operands are known.
    pub(super) fn arithmetic(&mut self, node: NodeId, left: i64, right: i64) {
        let Node::Arithmetic { operation, .. } = self.machine.plan.node(node) else { return };
        let narrow = |value: i128| i64::try_from(value).ok();
        let million = i128::from(segue_compiler::value::MILLIONTHS);
        let word = match operation {
            Operation::Multiply => Decimal(left).checked_mul(Decimal(right)).map(|number| number.0),
            Operation::Divide => Decimal(left).checked_div(Decimal(right)).map(|number| number.0),
            Operation::Scale => narrow(divide_half_even(i128::from(left) * i128::from(right), million)),
            Operation::Shrink if right == 0 => None,
            Operation::Shrink => narrow(divide_half_even(i128::from(left) * million, i128::from(right))),
            Operation::Add => left.checked_add(right),
            Operation::Subtract => left.checked_sub(right),
        };
        (self.header.tag, self.header.word) = (i64::from(word.is_some()), word.unwrap_or(0));
    }

    /// A built-in function.
    pub(super) fn call(&mut self, node: NodeId, tag: i64, word: i64) {
        let (function, class) = match self.machine.plan.node(node) {
            Node::Call { function, class, .. } => (function, class),
            Node::LocalDay(_) => {
                let day = Some(word).filter(|_| tag != 0).and_then(|at| self.zone.date(at));
                self.give(day.map_or(Value::Missing, Value::Date));
                return;
            }
            _ => return,
        };
        let argument = self.value(tag, word, *class);
        let value = match (function, &argument) {
            (_, Value::Missing) => Value::Missing,
            (Function::Lower, Value::Text(text)) => Value::text(&text.to_lowercase()),
            (Function::Upper, Value::Text(text)) => Value::text(&text.to_uppercase()),
            (Function::Trim, Value::Text(text)) => Value::text(text.trim()),
            (Function::Length, Value::Text(text)) => aggregate::number(text.chars().count()),
            (Function::Length, Value::List(items)) => aggregate::number(items.len()),
            (Function::Round, Value::Number(number)) => number.round().map_or(Value::Missing, Value::Number),
            (Function::Abs, Value::Number(number)) => {
                number.checked_abs().map_or(Value::Missing, Value::Number)
            }
            (Function::Abs, Value::Duration(length)) => {
                length.checked_abs().map_or(Value::Missing, Value::Duration)
            }
            (Function::Hour | Function::Weekday | Function::Day | Function::Month, _) => {
                calendar(*function, &argument, self.zone)
            }
            _ => Value::Missing,
        };
        self.give(value);
    }

    pub(super) fn consent(&mut self, node: NodeId) {
        let Node::Consent { channel, topic } = self.machine.plan.node(node) else { return };
        let channel = self.machine.plan.texts.get(channel.0 as usize);
        let recorded = channel.and_then(|channel| self.consent.recorded(self.program, channel, *topic));
        self.give(recorded.map_or(Value::Missing, Value::Boolean));
    }

    pub(super) fn text_test(&self, node: NodeId, left: i64, right: i64) -> bool {
        let Node::TextTest(test, ..) = self.machine.plan.node(node) else { return false };
        let part = self.text(right);
        self.any_text(left, |text| match test {
            TextTest::Contains => text.contains(part),
            TextTest::StartsWith => text.starts_with(part),
            TextTest::EndsWith => text.ends_with(part),
            // A pattern is a constant and has a node of its own.
            TextTest::Matches => false,
        })
    }

    /// Whether a text, or any item of a list, passes a test.
    fn any_text(&self, handle: i64, passes: impl Fn(&str) -> bool) -> bool {
        match self.resolve(handle) {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_text).any(passes),
            value => passes(value.and_then(Value::as_text).unwrap_or_default()),
        }
    }

    pub(super) fn matches(&self, node: NodeId, text: i64) -> bool {
        let Node::Matches(_, pattern) = self.machine.plan.node(node) else { return false };
        let pattern = self.machine.patterns.get(*pattern as usize).and_then(Option::as_ref);
        pattern.is_some_and(|pattern| self.any_text(text, |text| pattern.is_match(text)))
    }

    pub(super) fn list_contains(&self, node: NodeId, list: i64, tag: i64, word: i64) -> bool {
        let Node::ListContains { class, .. } = self.machine.plan.node(node) else { return false };
        let item = self.value(tag, word, *class);
        matches!(self.resolve(list), Some(Value::List(items)) if items.contains(&item))
    }

    /// Lets the event play roles in a sequence.
    pub(super) fn role(&mut self, sequence: SequenceId, roles: u64) {
        let machine = self.machine;
        let (Some(plan), Some(event)) = (machine.plan.sequences.get(sequence.0 as usize), self.this) else {
            return;
        };
        let roles = if self.cancels_only { roles & (1 << NO_ELEMENT) } else { roles };
        if roles == 0 {
            return;
        }
        let now = self.header.now;
        let moment =
            sequence::Moment { now, starts: self.starts, horizon: now.saturating_sub(self.lateness) };
        if plan.is_plain() {
            // A single event is its own match and leaves nothing behind.
            if moment.starts && roles & 1 != 0 {
                self.matched(sequence, Match::of(Events::new(), event.kept(machine, true)));
            }
            return;
        }
        self.moved = true;
        let state = self.sequences.entry(sequence.0).read(machine);
        let matches = state.event(plan, roles, event, moment, machine, &mut self.counts);
        if state.is_empty() {
            self.sequences.remove(sequence.0);
        }
        for completed in matches {
            self.matched(sequence, completed);
        }
    }

    fn matched(&mut self, sequence: SequenceId, completed: Match) {
        if let Some(event) = self.this {
            self.feed(sequence, event.at, event.order);
        }
        self.matches.push((sequence, completed));
    }
}

/// What a ring's stretches that lie wholly within a window come to, and when that is something else. One that goes on now
/// lies within: nothing is later.
fn older(ring: &Ring, span: WindowSpan, width: i64, now: i64) -> (Total, Option<i64>) {
    let (near, far) = match span {
        WindowSpan::Last(far) => (0, far),
        WindowSpan::Ago { near, far } => (near, far),
        WindowSpan::All | WindowSpan::ThisMatch | WindowSpan::ThisSession | WindowSpan::Calendar(_) => {
            return (Total::default(), None);
        }
    };
    let mut within = Total::default();
    let mut changes = None;
    for (start, last, total) in ring.stretches(now, (far, width)) {
        let is_within = near == 0 || last <= now - near;
        let next = if is_within { start + far } else { last + near };
        changes = Some(changes.map_or(next, |other: i64| other.min(next)));
        if is_within {
            within.combine(total);
        }
    }
    (within, changes)
}

/// How many rows make a window whose overflow is counted.
const EXACT: u32 = 256;

/// The last column of the newest rows, newest first; distinct by the column before it.
fn newest<'r>(rows: impl DoubleEndedIterator<Item = &'r Row>, count: usize, distinct: bool) -> Value {
    let mut seen = BTreeSet::new();
    let fresh = |row: &&Row| match row.columns.len().checked_sub(2).and_then(|place| row.columns.get(place)) {
        Some(by) if distinct => seen.insert(by.clone()),
        Some(_) | None => true,
    };
    Value::List(rows.rev().filter(fresh).take(count).filter_map(|row| row.columns.last().cloned()).collect())
}
