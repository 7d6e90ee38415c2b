//! How far back conditions look: as far as the log of events must reach for them to be known.

use crate::{
    settings::Settings,
    succession::Made,
    typed::{
        Calendar, Expr, ExprKind, LetId, Occurrence, Program, Rule, SegmentId, Sequence, Step, StopWhen,
        Trigger, Unit, Window, visit,
    },
    value::Millis,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// How far back something looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// So many milliseconds; 0 where no window ends now.
    pub back: i64,
    /// Back to this instant.
    pub since: Option<Millis>,
    /// At all of history: as far as the log reaches.
    pub always: bool,
}

impl Reach {
    /// No further than the present.
    pub const NONE: Self = Self { back: 0, since: None, always: false };

    fn back(length: i64) -> Self {
        Self { back: length, ..Self::NONE }
    }

    fn always() -> Self {
        Self { always: true, ..Self::NONE }
    }

    /// As far back as one of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            back: self.back.max(other.back),
            since: self.since.into_iter().chain(other.since).min(),
            always: self.always || other.always,
        }
    }

    /// Whether every window lies within a log that begins at an instant. All of history is as much as there is.
    #[must_use]
    pub fn is_within(&self, log_from: Millis, now: Millis) -> bool {
        (self.back == 0 || now.saturating_sub(self.back) >= log_from)
            && self.since.is_none_or(|since| since >= log_from)
    }

    /// Whether it looks at nothing of the past.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

/// How far back a rule looks: its trigger, its conditions and what its messages say.
#[must_use]
pub fn of_rule(program: &Program, rule: &Rule) -> Reach {
    let view = View::of_rule(program, rule);
    view.parts.values().fold(Reach::NONE, |reach, part| reach.or(*part))
}

/// How far back a rule looks, and by how much of the log that is known.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// By the change of rules since which it is remembered, and whether rules made some of it themselves before.
    parts: BTreeMap<(u32, bool), Reach>,
}

impl View {
    /// The view of a rule.
    #[must_use]
    pub fn of_rule(program: &Program, rule: &Rule) -> Self {
        let mut reached = Reached::new(program);
        reached.rule(rule);
        reached.view
    }

    /// Whether the rule is not in effect yet, because it looks further back than the log did when what it looks at began to
    /// be remembered.
    #[must_use]
    pub fn is_cold(&self, program: &Program, rule: &Rule, settings: &Settings, now: Millis) -> bool {
        let log_from = |(since, is_made): (u32, bool)| {
            let Some(change) = since.checked_sub(1) else { return settings.log_from };
            let change = program.changes.get(change as usize)?;
            // What rules made is known since the change only.
            if is_made { change.log_from.max(Some(change.at)) } else { change.log_from }
        };
        !rule.start_cold
            && self
                .parts
                .iter()
                .any(|(since, reach)| log_from(*since).is_some_and(|from| !reach.is_within(from, now)))
    }

    fn add(&mut self, since: (u32, bool), reach: Reach) {
        if !reach.is_none() {
            let known = self.parts.entry(since).or_insert(Reach::NONE);
            *known = known.or(reach);
        }
    }
}

/// Since which change of rules something that is looked at is remembered; 0: from the beginning.
#[must_use]
pub fn remembered_since(program: &Program, expr: &Expr) -> u32 {
    match &expr.kind {
        ExprKind::Did { what: Occurrence::Pattern(pattern), .. }
        | ExprKind::Count { pattern, .. }
        | ExprKind::Aggregate { pattern, .. }
        | ExprKind::LastOf { pattern, .. }
        | ExprKind::TimeSince { pattern, .. }
        | ExprKind::Regularly { pattern, .. }
        | ExprKind::Streak { pattern, .. } => pattern.since,
        ExprKind::Did { what: Occurrence::Sequence(id), .. } => {
            program.sequences.get(id.0 as usize).map_or(0, |sequence| sequence.since)
        }
        ExprKind::Held { id, .. } => program.held.get(id.0 as usize).map_or(0, |held| held.since),
        ExprKind::NoActivity(_) => program.active_since,
        _ => 0,
    }
}

/// What rules had made before the change of rules since which something is remembered.
fn made_before(program: &Program, since: u32) -> Option<&Made> {
    Some(&program.changes.get(since.checked_sub(1)? as usize)?.made)
}

/// A rule and the named values and segments that it uses, as in `rule win_back`, `segment lapsed`.
#[must_use]
pub fn used_by(program: &Program, rule: &Rule) -> BTreeSet<String> {
    let mut reached = Reached::new(program);
    reached.rule(rule);
    let lets = reached.lets.iter().filter_map(|id| program.lets.get(id.0 as usize));
    let segments = reached.segments.iter().filter_map(|id| program.segments.get(id.0 as usize));
    lets.map(|it| format!("let {}", it.name))
        .chain(segments.map(|it| format!("segment {}", it.name)))
        .chain([format!("rule {}", rule.name)])
        .collect()
}

/// How far back an expression itself looks, without the named values and segments in it.
#[must_use]
pub fn of_expression(program: &Program, expr: &Expr) -> Reach {
    match &expr.kind {
        ExprKind::Did { what: Occurrence::Pattern(_), window, .. }
        | ExprKind::Count { window, .. }
        | ExprKind::Aggregate { window, .. }
        | ExprKind::LastOf { window, .. } => of_window(*window),
        ExprKind::Did { what: Occurrence::Sequence(id), window, .. } => {
            let matched = program.sequences.get(id.0 as usize).map_or(Reach::NONE, of_sequence);
            let window = of_window(*window);
            // A match in the window may have begun before it.
            Reach {
                back: if window.back == 0 { 0 } else { window.back.saturating_add(matched.back) },
                ..window
            }
            .or(Reach { back: 0, ..matched })
        }
        ExprKind::NoActivity(length) | ExprKind::KnownFor(length) => Reach::back(*length),
        ExprKind::Held { condition, duration, .. } => {
            let mut reach = Reach::NONE;
            visit::expression(condition, &mut |part| reach = reach.or(of_expression(program, part)));
            Reach { back: reach.back.saturating_add(*duration), ..reach }
        }
        ExprKind::Regularly { last, unit: Unit::Days, .. } => calendar_days(*last),
        ExprKind::Regularly { last, unit: Unit::Weeks, .. } => calendar_days(last.saturating_mul(7)),
        ExprKind::TimeSince { .. } | ExprKind::Streak { .. } => Reach::always(),
        ExprKind::Literal(_)
        | ExprKind::Profile { .. }
        | ExprKind::Consent { .. }
        | ExprKind::Field { .. }
        | ExprKind::Let(_)
        | ExprKind::Call { .. }
        | ExprKind::Arithmetic { .. }
        | ExprKind::Compare { .. }
        | ExprKind::Between { .. }
        | ExprKind::In { .. }
        | ExprKind::TextTest { .. }
        | ExprKind::IsKnown(_)
        | ExprKind::Not(_)
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::AtLeastOf { .. }
        | ExprKind::InSegment(_) => Reach::NONE,
    }
}

/// How far back the first event of a match lies at most.
#[must_use]
pub fn of_sequence(sequence: &Sequence) -> Reach {
    let within = sequence.elements.iter().map(|element| element.within);
    let no = sequence.then_no.iter().map(|(_, within)| *within);
    let back = within.chain(no).fold(0_i64, i64::saturating_add);
    Reach { back, since: None, always: sequence.first_time }
}

fn of_window(window: Window) -> Reach {
    match window {
        Window::Always => Reach::always(),
        Window::Last(length) => Reach::back(length),
        Window::Ago { near: _, far } => Reach::back(far),
        Window::Since(at) => Reach { since: Some(at), ..Reach::NONE },
        Window::Calendar(Calendar::Days(count)) => calendar_days(count),
        Window::Calendar(Calendar::Week) => calendar_days(7),
        Window::Calendar(Calendar::Month) => calendar_days(31),
        // The match or the session itself says how far.
        Window::ThisMatch | Window::ThisSession => Reach::NONE,
    }
}

/// So many days of the calendar lie within a day more by the clock, whatever zones and clocks do.
fn calendar_days(count: u32) -> Reach {
    Reach::back(i64::from(count).saturating_add(1).saturating_mul(DAY))
}

/// Goes through what a rule uses, each named value and segment once.
struct Reached<'p> {
    program: &'p Program,
    view: View,
    lets: BTreeSet<LetId>,
    segments: BTreeSet<SegmentId>,
}

impl<'p> Reached<'p> {
    fn new(program: &'p Program) -> Self {
        Self { program, view: View::default(), lets: BTreeSet::new(), segments: BTreeSet::new() }
    }

    fn rule(&mut self, rule: &Rule) {
        match rule.trigger {
            Trigger::Sequence(id) => {
                if let Some(sequence) = self.program.sequences.get(id.0 as usize) {
                    let made = made_before(self.program, sequence.since);
                    let is_made = made.is_some_and(|made| made.is_followed_by(self.program, sequence));
                    self.view.add((sequence.since, is_made), of_sequence(sequence));
                }
            }
            Trigger::Enters(id) | Trigger::Leaves(id) => self.segment(id),
            Trigger::Schedule(_) | Trigger::Former { .. } => {}
        }
        for condition in [&rule.only_if, &rule.still_if].into_iter().flatten() {
            self.expression(condition);
        }
        if let Some(StopWhen::Condition(condition)) = &rule.stop_when {
            self.expression(condition);
        }
        self.steps(&rule.steps);
    }

    fn steps(&mut self, steps: &[Step]) {
        self.gather(|each| visit::steps(steps, each));
        let program = self.program;
        for id in visit::templates(steps) {
            let lets = program.templates.get(id.0 as usize).map(|template| template.lets.as_slice());
            for id in lets.unwrap_or_default() {
                self.definition(*id);
            }
        }
    }

    fn expression(&mut self, expr: &Expr) {
        self.gather(|each| visit::expression(expr, each));
    }

    /// Goes through expressions, and then through what they name.
    fn gather(&mut self, visit: impl FnOnce(&mut dyn FnMut(&Expr))) {
        let (program, mut view) = (self.program, std::mem::take(&mut self.view));
        let (mut lets, mut segments) = (Vec::new(), Vec::new());
        visit(&mut |part| {
            let since = remembered_since(program, part);
            let is_made =
                made_before(program, since).is_some_and(|made| made.is_remembered_for(program, part));
            view.add((since, is_made), of_expression(program, part));
            match &part.kind {
                ExprKind::Let(id) => lets.push(*id),
                ExprKind::InSegment(id) => segments.push(*id),
                _ => {}
            }
        });
        self.view = view;
        lets.into_iter().for_each(|id| self.definition(id));
        segments.into_iter().for_each(|id| self.segment(id));
    }

    fn definition(&mut self, id: LetId) {
        let program = self.program;
        if let Some(definition) = program.lets.get(id.0 as usize)
            && self.lets.insert(id)
        {
            for (value, condition) in &definition.arms {
                self.expression(value);
                self.expression(condition);
            }
            self.expression(&definition.value);
        }
    }

    fn segment(&mut self, id: SegmentId) {
        let program = self.program;
        if let Some(segment) = program.segments.get(id.0 as usize)
            && self.segments.insert(id)
        {
            self.expression(&segment.condition);
        }
    }
}
