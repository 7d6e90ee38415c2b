//! Rules that could set each other off for ever.

use super::Checker;
use crate::{
    diagnostics::rules,
    typed::{
        EventId, EventSet, Expr, ExprKind, FieldId, Occurrence, Pattern, Program, Rule, SegmentId,
        SequenceId, Step, StepKind, Trigger, visit,
    },
};
use segue_grammar::Span;
use std::collections::{BTreeSet, VecDeque};

/// What a rule looks at to be triggered.
#[derive(Default)]
struct Watches {
    events: BTreeSet<EventId>,
    any: bool,
    fields: BTreeSet<FieldId>,
    consent: bool,
    segments: BTreeSet<SegmentId>,
}

/// What a rule does that others can see.
#[derive(Default)]
struct Makes {
    events: BTreeSet<EventId>,
    fields: BTreeSet<FieldId>,
    consent: bool,
    sends: bool,
}

impl Checker<'_> {
    /// Cycles through `emit`, `set` and consent are refused; those through messages alone need a limit.
    pub(super) fn safety(&mut self) {
        let program = &self.program;
        let sent = program.event("Message Sent");
        let watches: Vec<Watches> = program.rules.iter().map(|rule| watches(program, rule)).collect();
        let makes: Vec<Makes> = program.rules.iter().map(makes).collect();
        let strong = |from: usize, to: usize| {
            let (Some(makes), Some(watches)) = (makes.get(from), watches.get(to)) else { return false };
            watches.any && !makes.events.is_empty()
                || !makes.events.is_disjoint(&watches.events)
                || !makes.fields.is_disjoint(&watches.fields)
                || makes.consent && watches.consent
        };
        let weak = |from: usize, to: usize| {
            let (Some(makes), Some(watches)) = (makes.get(from), watches.get(to)) else { return false };
            makes.sends && sent.is_some_and(|sent| watches.any || watches.events.contains(&sent))
        };
        let count = program.rules.len();
        let mut found = Vec::new();
        let mut told: BTreeSet<usize> = BTreeSet::new();
        for start in 0..count {
            if told.contains(&start) {
                continue;
            }
            let any = |from, to| strong(from, to) || weak(from, to);
            let Some(way) = way_back(start, count, &any) else { continue };
            told.extend(&way);
            let has_strong = way.iter().zip(way.iter().cycle().skip(1)).any(|(from, to)| strong(*from, *to));
            let limited =
                way.iter().any(|rule| program.rules.get(*rule).is_some_and(|rule| rule.limit.is_some()));
            if has_strong || !limited {
                found.push((way, has_strong));
            }
        }
        for (way, has_strong) in found {
            let names: Vec<String> = way
                .iter()
                .chain(way.first())
                .filter_map(|rule| self.program.rules.get(*rule))
                .map(|rule| rule.name.to_string())
                .collect();
            let span = way
                .first()
                .and_then(|rule| self.program.rules.get(*rule))
                .map(|rule| self.trigger_span(rule))
                .unwrap_or_default();
            self.report(rules::rule_cycle(span, &names.join(" → "), !has_strong));
        }
    }

    fn trigger_span(&self, rule: &Rule) -> Span {
        match rule.trigger {
            Trigger::Sequence(id) => self.program.sequences.get(id.0 as usize).map(|sequence| sequence.span),
            Trigger::Enters(id) | Trigger::Leaves(id) => {
                self.program.segments.get(id.0 as usize).map(|segment| segment.condition.span)
            }
        }
        .unwrap_or_default()
    }
}

/// The rules of a shortest way from one back to itself.
fn way_back(start: usize, count: usize, leads: &dyn Fn(usize, usize) -> bool) -> Option<Vec<usize>> {
    let mut before: Vec<Option<usize>> = vec![None; count];
    let mut open = VecDeque::from([start]);
    while let Some(from) = open.pop_front() {
        for to in (0..count).filter(|to| leads(from, *to)) {
            if to == start {
                let mut way = vec![from];
                while let Some(earlier) = way
                    .last()
                    .filter(|last| **last != start)
                    .and_then(|last| before.get(*last).copied().flatten())
                {
                    way.push(earlier);
                }
                way.reverse();
                return Some(way);
            }
            if let Some(place @ None) = before.get_mut(to) {
                *place = Some(from);
                open.push_back(to);
            }
        }
    }
    None
}

fn watches(program: &Program, rule: &Rule) -> Watches {
    let mut watches = Watches::default();
    match rule.trigger {
        Trigger::Sequence(id) => watches.sequence(program, id),
        Trigger::Enters(id) | Trigger::Leaves(id) => watches.segment(program, id),
    }
    watches
}

impl Watches {
    fn segment(&mut self, program: &Program, id: SegmentId) {
        if self.segments.insert(id)
            && let Some(segment) = program.segments.get(id.0 as usize)
        {
            self.expression(program, &segment.condition);
        }
    }

    fn sequence(&mut self, program: &Program, id: SequenceId) {
        let Some(sequence) = program.sequences.get(id.0 as usize) else { return };
        for element in &sequence.elements {
            self.pattern(program, &element.pattern, true);
        }
        if let Some((pattern, _)) = &sequence.then_no {
            // What must not come sets nothing off.
            self.pattern(program, pattern, false);
        }
    }

    fn pattern(&mut self, program: &Program, pattern: &Pattern, sets_off: bool) {
        if sets_off {
            match &pattern.events {
                EventSet::Any => self.any = true,
                EventSet::Of(events) => self.events.extend(events),
            }
        }
        if let Some(filter) = &pattern.filter
            && !sets_off
        {
            self.expression(program, filter);
        }
    }

    fn expression(&mut self, program: &Program, expr: &Expr) {
        let mut inner: Vec<Expr> = Vec::new();
        visit::expression(expr, &mut |it| inner.push(it.clone()));
        for expr in inner {
            match &expr.kind {
                ExprKind::Profile { field, .. } => {
                    self.fields.insert(*field);
                }
                ExprKind::Consent { .. } => self.consent = true,
                ExprKind::Let(id) => {
                    if let Some(definition) = program.lets.get(id.0 as usize) {
                        let parts = definition.arms.iter().flat_map(|(value, condition)| [value, condition]);
                        parts.chain([&definition.value]).for_each(|it| self.expression(program, it));
                    }
                }
                ExprKind::InSegment(id) => self.segment(program, *id),
                ExprKind::Did { what: Occurrence::Sequence(id), .. } => self.sequence(program, *id),
                ExprKind::Did { what: Occurrence::Pattern(pattern), .. }
                | ExprKind::Count { pattern, .. }
                | ExprKind::Aggregate { pattern, .. }
                | ExprKind::LastOf { pattern, .. }
                | ExprKind::TimeSince { pattern, .. } => self.pattern(program, pattern, true),
                _ => {}
            }
        }
    }
}

fn makes(rule: &Rule) -> Makes {
    let mut makes = Makes::default();
    steps(&rule.steps, &mut makes);
    makes
}

fn steps(list: &[Step], makes: &mut Makes) {
    for step in list {
        match &step.kind {
            StepKind::Send { .. } => makes.sends = true,
            StepKind::Call { .. } => {}
            StepKind::Set { field, .. } => {
                makes.fields.insert(*field);
            }
            StepKind::SetConsent { .. } => makes.consent = true,
            StepKind::Emit { event, .. } => {
                makes.events.insert(*event);
            }
            StepKind::If { arms, otherwise } => {
                arms.iter().for_each(|(_, list)| steps(list, makes));
                steps(otherwise, makes);
            }
        }
    }
}
