//! What is made of many events: which of them count, within the bounded summary that is the meaning [8].

use super::{
    customer::{Completed, Event},
    evaluate::{Asked, This, is_decided_by_event},
};
use crate::{
    calendar::{Calendar, Habit, Unit},
    consent::Stamp,
    typed::{Aggregate, EventRole, Expr, ExprKind, FieldPath, Pattern, SequenceId, Window},
    types::Type,
    value::{Millis, Value},
};
use std::collections::BTreeSet;

/// Which matching events are remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// All of them (or what they add up to).
    All,
    /// The newest one by one, older ones in stretches of time that count while they are wholly inside the window.
    Stretches,
    /// The newest.
    Newest,
    /// Of each value the newest (by calendar days: the newest of each day), and of these the newest.
    Distinct,
}

/// The width in milliseconds of the stretches of a window: a 256th of it, rounded up.
pub(super) fn stretch(duration: i64) -> i64 {
    (duration.saturating_add(255)).div_euclid(256).max(1)
}

/// The start of the stretch in which an event lies.
pub(super) fn stretch_start(at: Millis, duration: i64) -> Millis {
    let width = stretch(duration);
    at.div_euclid(width).saturating_mul(width)
}

impl<'a> Asked<'a> {
    /// How often a pattern occurred, for comparing with a bound: windows that end now remember as many as it takes.
    pub(super) fn occurrences(&self, pattern: &Pattern, window: Window) -> usize {
        let memory = match window {
            Window::Always | Window::Since(_) | Window::Last(_) | Window::Calendar(_) => Memory::All,
            Window::Ago { .. } => Memory::Stretches,
            Window::ThisMatch | Window::ThisSession => Memory::Newest,
        };
        self.selected(pattern, None, window, memory).len()
    }

    /// `count of`.
    pub(super) fn count(&self, pattern: &Pattern, window: Window) -> usize {
        self.selected(pattern, None, window, summed(window)).len()
    }

    /// The values of an aggregate, from the earliest event to the latest; events whose value is missing are skipped.
    pub(super) fn values(
        &self,
        function: Aggregate,
        value: &Expr,
        pattern: &Pattern,
        window: Window,
    ) -> Vec<Value> {
        let memory = match function {
            Aggregate::Sum
            | Aggregate::Average
            | Aggregate::Smallest
            | Aggregate::Largest
            | Aggregate::First => summed(window),
            Aggregate::Last => match window {
                Window::Always | Window::Since(_) | Window::Calendar(_) => Memory::All,
                Window::Last(_) | Window::Ago { .. } | Window::ThisMatch | Window::ThisSession => {
                    Memory::Newest
                }
            },
            Aggregate::MostFrequent => Memory::Newest,
            Aggregate::DistinctCount => match window {
                // A value lies in a window that ends now if the newest event with it does.
                Window::Always
                | Window::Since(_)
                | Window::Last(_)
                | Window::ThisMatch
                | Window::ThisSession
                | Window::Calendar(_) => Memory::Distinct,
                Window::Ago { .. } => Memory::Newest,
            },
        };
        self.selected(pattern, Some(value), window, memory).into_iter().map(|(_, value)| value).collect()
    }

    /// The newest matching events as objects, newest first; with `by` only the newest of each value, and none without.
    pub(super) fn last_of(
        &self,
        count: usize,
        pattern: &Pattern,
        by: Option<&FieldPath>,
        window: Window,
    ) -> Value {
        // Nothing asks for the type of what is evaluated.
        let by = by.map(|path| Expr {
            kind: ExprKind::Field { of: EventRole::This, path: path.clone() },
            ty: Type::Text,
            span: pattern.span,
        });
        let mut values = Vec::new();
        let mut objects = Vec::new();
        for (event, value) in self.selected(pattern, by.as_ref(), window, Memory::Newest).into_iter().rev() {
            if by.is_some() {
                if values.contains(&value) {
                    continue;
                }
                values.push(value);
            }
            objects.push(self.object(event));
            if objects.len() == count {
                break;
            }
        }
        Value::List(objects.into())
    }

    /// The times of every match of a pattern, earliest first.
    pub(super) fn times(&self, pattern: &Pattern) -> Vec<Millis> {
        let selected = self.selected(pattern, None, Window::Always, Memory::All);
        selected.into_iter().map(|(event, _)| event.at()).collect()
    }

    /// How often a sequence completed.
    pub(super) fn completions(&self, sequence: SequenceId, window: Window) -> usize {
        let all = self.customer.completions.get(sequence.0 as usize).map(Vec::as_slice).unwrap_or_default();
        let remembered = match window {
            Window::Always | Window::Since(_) | Window::Last(_) | Window::Calendar(_) => all.len(),
            Window::Ago { .. } | Window::ThisMatch | Window::ThisSession => self.reference.bounds.events,
        };
        let counts = |completed: &&Completed| match window {
            Window::Calendar(calendar) => self.is_in(completed.day, calendar),
            _ => self.is_within(completed.stamp, window),
        };
        all.iter().rev().take(remembered).filter(counts).count()
    }

    /// The events that count and their values, from the earliest to the latest.
    ///
    /// What a filter says about its event alone is decided when the event is applied. Where it looks at more (the profile,
    /// the match), the newest events that fulfil the first part are remembered, and the rest is asked of them now.
    fn selected(
        &self,
        pattern: &Pattern,
        value: Option<&Expr>,
        window: Window,
        memory: Memory,
    ) -> Vec<(&'a Event, Value)> {
        let (decided, asked): (Vec<&Expr>, Vec<&Expr>) =
            conjuncts(pattern).into_iter().partition(|conjunct| is_decided_by_event(conjunct));
        let value_is_decided = value.is_none_or(is_decided_by_event);
        let memory = if asked.is_empty() && value_is_decided { memory } else { Memory::Newest };
        let mut rank = 0;
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for event in self.customer.history.since(pattern.since).iter().rev().map(|event| &**event) {
            if self.is_before(event.stamp, window)
                || matches!(memory, Memory::Newest | Memory::Distinct) && rank == self.reference.bounds.events
            {
                break;
            }
            if !pattern.is_of(event.id) || !decided.iter().all(|it| self.holds(it, This::Applied(event))) {
                continue;
            }
            let mut reached = Value::Missing;
            if let Some(value) = value.filter(|_| value_is_decided) {
                reached = self.value(value, This::Applied(event)).kept();
                if !reached.is_known() {
                    continue;
                }
            }
            let day = matches!(window, Window::Calendar(_)).then(|| event.day());
            if memory == Memory::Distinct && !seen.insert((day, reached.clone())) {
                continue;
            }
            rank += 1;
            let counts = match (memory, window) {
                (Memory::Stretches, Window::Last(far)) if rank > self.reference.bounds.events => {
                    self.is_wholly_within(event, (0, far))
                }
                (Memory::Stretches, Window::Ago { near, far }) if rank > self.reference.bounds.events => {
                    self.is_wholly_within(event, (near, far))
                }
                (_, Window::Calendar(calendar)) => self.is_in(event.day(), calendar),
                (Memory::All | Memory::Stretches | Memory::Newest | Memory::Distinct, _) => {
                    self.is_within(event.stamp, window)
                }
            };
            if !counts || !asked.iter().all(|it| self.holds(it, This::Remembered(event))) {
                continue;
            }
            if let Some(value) = value.filter(|_| !value_is_decided) {
                reached = self.value(value, This::Remembered(event)).kept();
                if !reached.is_known() {
                    continue;
                }
            }
            found.push((event, reached));
        }
        found.reverse();
        found
    }

    /// Whether the stretch in which an event lies is wholly inside `(now − far, now − near]`. One that goes on now lies
    /// inside: nothing is later.
    fn is_wholly_within(&self, event: &Event, (near, far): (i64, i64)) -> bool {
        let start = stretch_start(event.at(), far);
        let last = start.saturating_add(stretch(far) - 1);
        start > self.now.saturating_sub(far) && (near == 0 || last <= self.now.saturating_sub(near))
    }

    /// Whether something lies in a window.
    fn is_within(&self, stamp: Stamp, window: Window) -> bool {
        let past_the_end = match window {
            Window::Ago { near, far: _ } => stamp.0 > self.now.saturating_sub(near),
            Window::Always
            | Window::Last(_)
            | Window::Since(_)
            | Window::ThisMatch
            | Window::ThisSession
            | Window::Calendar(_) => stamp.0 > self.now,
        };
        !past_the_end && !self.is_before(stamp, window)
    }

    /// Whether something lies before the start of a window.
    fn is_before(&self, stamp: Stamp, window: Window) -> bool {
        match window {
            Window::Always => false,
            Window::Last(duration) | Window::Ago { near: _, far: duration } => {
                stamp.0 <= self.now.saturating_sub(duration)
            }
            Window::Since(from) => stamp.0 < from,
            Window::ThisMatch => self.found.is_none_or(|found| stamp < found.first),
            Window::ThisSession => {
                let session = self.customer.session.as_ref();
                let first = session.and_then(|session| session.reaches_back_to(self.now));
                first.is_none_or(|first| stamp < first)
            }
            // Days need not be in the order of time: customers change their zone.
            Window::Calendar(_) => false,
        }
    }

    /// Whether what happened on a day lies in a calendar window.
    fn is_in(&self, day: i32, calendar: Calendar) -> bool {
        day >= calendar.first_day(self.today())
    }

    /// The day in the customer's zone now.
    fn today(&self) -> i32 {
        self.zone_now().date(self.now).unwrap_or_default()
    }

    /// What the days or weeks on which a pattern occurred come to.
    pub(super) fn habit(&self, pattern: &Pattern, unit: Unit, habit: Habit) -> usize {
        let selected = self.selected(pattern, None, Window::Always, Memory::All);
        let active: BTreeSet<i32> = selected.into_iter().map(|(event, _)| unit.of(event.day())).collect();
        let (count, _) = habit.count(&active, unit.of(self.today()));
        usize::try_from(count).unwrap_or_default()
    }

    /// An event as an object: its declared fields that are known.
    fn object(&self, event: &Event) -> Value {
        let declared = event.id.and_then(|id| self.reference.program.events.get(id.0 as usize));
        let names = declared.map(crate::typed::EventType::declared).unwrap_or_default();
        let fields = names.iter().zip(&event.fields).filter(|(_, value)| value.is_known());
        Value::Object(fields.map(|(field, value)| (field.name.clone(), value.kept())).collect())
    }
}

/// Which events a count or a sum remembers.
fn summed(window: Window) -> Memory {
    match window {
        // Calendar windows are made of whole days, which are added up one by one.
        Window::Always | Window::Since(_) | Window::Calendar(_) => Memory::All,
        Window::Last(_) | Window::Ago { .. } => Memory::Stretches,
        Window::ThisMatch | Window::ThisSession => Memory::Newest,
    }
}

/// The conditions that a filter joins by `and`.
fn conjuncts(pattern: &Pattern) -> Vec<&Expr> {
    match pattern.filter.as_deref() {
        None => Vec::new(),
        Some(Expr { kind: ExprKind::And(all), .. }) => all.iter().collect(),
        Some(filter) => vec![filter],
    }
}
