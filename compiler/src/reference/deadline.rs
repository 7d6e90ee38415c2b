//! When something may change by time alone [3].
//!
//! These are more instants than needed: judging conditions when nothing has changed changes nothing.

use super::{
    aggregate::{stretch, stretch_start},
    customer::{Customer, Event},
};
use crate::{
    limits::EXACT_EVENTS,
    time::Zone,
    typed::{Expr, ExprKind, Occurrence, Pattern, Program, SequenceId, StopWhen, Window, visit},
    value::{Millis, Value},
};
use std::collections::{BTreeMap, BTreeSet};

/// After how many milliseconds what happens may change the level of a segment, or stop a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Watches {
    patterns: Vec<(Pattern, BTreeSet<i64>)>,
    /// Windows whose older events lie in stretches of time: how long ago they end and begin.
    stretches: Vec<(Pattern, i64, i64)>,
    sequences: BTreeMap<u32, BTreeSet<i64>>,
    /// After an event of the customer's own.
    active: BTreeSet<i64>,
    /// After the customer was first seen.
    first_seen: BTreeSet<i64>,
    /// For how long each condition must hold without a break.
    held: Vec<i64>,
    /// Whether something is counted by calendar days, so that every local midnight matters.
    calendar: bool,
}

impl Watches {
    /// Gathers the durations of every segment, of every condition that must hold without a break, of what stops runs, and
    /// of the named values that they use.
    pub(super) fn new(program: &Program) -> Self {
        let durations = program.held.iter().map(|held| held.duration).collect();
        let mut watches = Self { held: durations, ..Self::default() };
        let mut gather = |expr: &Expr| watches.gather(program, expr);
        for segment in &program.segments {
            visit::expression(&segment.condition, &mut gather);
        }
        for held in &program.held {
            visit::expression(&held.condition, &mut gather);
        }
        for rule in &program.rules {
            if let Some(StopWhen::Condition(condition)) = &rule.stop_when {
                visit::expression(condition, &mut gather);
            }
        }
        for definition in &program.lets {
            for (value, condition) in &definition.arms {
                visit::expression(value, &mut gather);
                visit::expression(condition, &mut gather);
            }
            visit::expression(&definition.value, &mut gather);
        }
        watches
    }

    /// An event was applied: conditions may change when it leaves a window.
    pub(super) fn event_applied(&self, customer: &mut Customer, event: &Event, now: Millis) {
        let mut instants = Vec::new();
        for (_, offsets) in self.patterns.iter().filter(|(pattern, _)| pattern.is_of(event.id)) {
            instants.extend(offsets.iter().map(|offset| event.at().saturating_add(*offset)));
        }
        if event.active {
            instants.extend(self.active.iter().map(|offset| event.at().saturating_add(*offset)));
        }
        // Stretches matter only to those who have more events than are told apart.
        if customer.history.len() == EXACT_EVENTS + 1 {
            instants.extend(customer.history.events().flat_map(|event| self.stretch_ends(event)));
        } else if customer.history.len() > EXACT_EVENTS {
            instants.extend(self.stretch_ends(event));
        }
        watch(customer, instants, now);
    }

    /// A sequence completed.
    pub(super) fn sequence_completed(
        &self,
        customer: &mut Customer,
        id: SequenceId,
        at: Millis,
        now: Millis,
    ) {
        let offsets = self.sequences.get(&id.0).into_iter().flatten();
        watch(customer, offsets.map(|offset| at.saturating_add(*offset)).collect(), now);
    }

    /// The time at which the customer was first seen is known, or was corrected.
    pub(super) fn first_seen(&self, customer: &mut Customer, at: Millis, now: Millis) {
        watch(customer, self.first_seen.iter().map(|offset| at.saturating_add(*offset)).collect(), now);
    }

    /// When the next condition has held for long enough.
    pub(super) fn held(&self, customer: &Customer) -> Option<Millis> {
        let clock = customer.clock?;
        let ends = customer.lasting.iter().zip(&self.held);
        let ends = ends.filter_map(|(since, duration)| since.map(|since| since.saturating_add(*duration)));
        ends.filter(|end| *end > clock).min()
    }

    /// The next midnight, if days matter to what the customer did.
    pub(super) fn midnight(&self, customer: &Customer, zone: &Zone) -> Option<Millis> {
        let clock = customer.clock.filter(|_| self.calendar && customer.history.len() > 0)?;
        zone.begins(zone.date(clock)?.saturating_add(1), clock)
    }

    /// Two customers were joined: stretches may matter that did not.
    pub(super) fn joined(&self, customer: &mut Customer, now: Millis) {
        if customer.history.len() > EXACT_EVENTS {
            let instants = customer.history.events().flat_map(|event| self.stretch_ends(event)).collect();
            watch(customer, instants, now);
        }
    }

    /// The rules are new: whatever happened may change something later.
    pub(super) fn look_back(&self, customer: &mut Customer, now: Millis) {
        let events: Vec<_> = customer.history.events().cloned().collect();
        for event in events {
            self.event_applied(customer, &event, now);
        }
        for (completions, number) in customer.completions.clone().into_iter().zip(0..) {
            for completed in completions {
                self.sequence_completed(customer, SequenceId(number), completed.stamp.0, now);
            }
        }
        if let Some(seen) = customer.first_seen {
            self.first_seen(customer, seen, now);
        }
        self.joined(customer, now);
    }

    fn stretch_ends(&self, event: &Event) -> Vec<Millis> {
        let watched = self.stretches.iter().filter(|(pattern, ..)| pattern.is_of(event.id));
        let ends = watched.flat_map(|(_, near, far)| {
            let start = stretch_start(event.at(), *far);
            // The last moment of the stretch enters, then its first one leaves.
            [start.saturating_add(stretch(*far) - 1).saturating_add(*near), start.saturating_add(*far)]
        });
        ends.collect()
    }

    fn gather(&mut self, program: &Program, expr: &Expr) {
        match &expr.kind {
            ExprKind::Did { what: Occurrence::Pattern(pattern), bound: _, count: _, window } => {
                self.calendar |= matches!(window, Window::Calendar(_));
                self.pattern(pattern, offsets(*window));
                self.stretched(pattern, *window);
            }
            ExprKind::Did { what: Occurrence::Sequence(id), bound: _, count: _, window } => {
                self.calendar |= matches!(window, Window::Calendar(_));
                self.sequences.entry(id.0).or_default().extend(offsets(*window));
            }
            ExprKind::Count { pattern, window }
            | ExprKind::Aggregate { function: _, value: _, pattern, window }
            | ExprKind::LastOf { count: _, pattern, distinct_by: _, window } => {
                self.calendar |= matches!(window, Window::Calendar(_));
                self.pattern(pattern, offsets(*window));
                self.stretched(pattern, *window);
            }
            ExprKind::NoActivity(duration) => {
                self.active.insert(*duration);
                self.first_seen.insert(*duration);
            }
            ExprKind::Regularly { .. } | ExprKind::Streak { .. } => self.calendar = true,
            ExprKind::KnownFor(duration) => {
                self.first_seen.insert(*duration);
            }
            ExprKind::Compare { .. } | ExprKind::Between { .. } | ExprKind::In { .. } => {
                let mut compared = Compared::default();
                compared.gather(program, expr);
                for pattern in compared.patterns {
                    self.pattern(
                        &pattern,
                        compared.durations.iter().flat_map(|it| [*it, it.saturating_add(1)]),
                    );
                }
            }
            ExprKind::Literal(_)
            | ExprKind::Profile { .. }
            | ExprKind::Consent { .. }
            | ExprKind::Field { .. }
            | ExprKind::Let(_)
            | ExprKind::Call { .. }
            | ExprKind::Arithmetic { .. }
            | ExprKind::TextTest { .. }
            | ExprKind::IsKnown(_)
            | ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::AtLeastOf { .. }
            | ExprKind::InSegment(_)
            | ExprKind::Held { .. }
            | ExprKind::TimeSince { .. } => {}
        }
    }

    fn stretched(&mut self, pattern: &Pattern, window: Window) {
        match window {
            Window::Last(far) => self.stretches.push((pattern.clone(), 0, far)),
            Window::Ago { near, far } => self.stretches.push((pattern.clone(), near, far)),
            Window::Always
            | Window::Since(_)
            | Window::ThisMatch
            | Window::ThisSession
            | Window::Calendar(_) => {}
        }
    }

    fn pattern(&mut self, pattern: &Pattern, offsets: impl IntoIterator<Item = i64>) {
        match self.patterns.iter_mut().find(|(other, _)| other.events == pattern.events) {
            Some((_, known)) => known.extend(offsets),
            None => self.patterns.push((pattern.clone(), offsets.into_iter().collect())),
        }
    }
}

/// What a comparison with `time since` looks at, through named values too.
#[derive(Default)]
struct Compared {
    patterns: Vec<Pattern>,
    durations: Vec<i64>,
}

impl Compared {
    fn gather(&mut self, program: &Program, expr: &Expr) {
        let mut lets = Vec::new();
        visit::expression(expr, &mut |inner| {
            if let ExprKind::TimeSince { first: _, pattern } = &inner.kind {
                self.patterns.push(pattern.clone());
            } else if let ExprKind::Literal(Value::Duration(duration)) = &inner.kind {
                self.durations.push(*duration);
            } else if let ExprKind::Let(id) = &inner.kind {
                lets.push(*id);
            }
        });
        // A named value stands after those it uses, so this ends.
        for definition in lets.iter().filter_map(|id| program.lets.get(id.0 as usize)) {
            for (value, _) in &definition.arms {
                self.gather(program, value);
            }
            self.gather(program, &definition.value);
        }
    }
}

/// After how many milliseconds something enters or leaves a window.
fn offsets(window: Window) -> Vec<i64> {
    match window {
        Window::Always | Window::Since(_) | Window::ThisMatch | Window::ThisSession | Window::Calendar(_) => {
            Vec::new()
        }
        Window::Last(duration) => vec![duration],
        Window::Ago { near, far } => vec![near, far],
    }
}

fn watch(customer: &mut Customer, instants: Vec<Millis>, now: Millis) {
    customer.deadlines.extend(instants.into_iter().filter(|instant| *instant > now));
}
