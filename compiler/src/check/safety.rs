//! Rules that could set each other off for ever.

mod ways;

use super::Checker;
use crate::{
    diagnostics::rules,
    typed::{
        EventId, EventSet, Expr, ExprKind, FieldId, Occurrence, Program, Rule, SegmentId, SequenceId, Step,
        StepKind, Trigger, visit,
    },
};
use segue_grammar::Span;
use std::collections::BTreeSet;
use ways::Ways;

/// What a message that is sent leads to.
const OF_MESSAGES: [&str; 4] = ["Message Sent", "Message Delivered", "Message Bounced", "Message Failed"];

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
        let of_messages: BTreeSet<EventId> =
            OF_MESSAGES.iter().filter_map(|name| program.event(name)).collect();
        let watches: Vec<Watches> = program.rules.iter().map(|rule| watches(program, rule)).collect();
        let makes: Vec<Makes> = program.rules.iter().map(makes).collect();
        let strong = Ways::of(&makes, &watches, |makes, watches| {
            // Most rules make nothing, and every rule is asked about every other.
            !makes.events.is_empty() && (watches.any || !makes.events.is_disjoint(&watches.events))
                || !makes.fields.is_empty() && !makes.fields.is_disjoint(&watches.fields)
                || makes.consent && watches.consent
        });
        let weak = Ways::of(&makes, &watches, |makes, watches| {
            let hears =
                || watches.any && !of_messages.is_empty() || !of_messages.is_disjoint(&watches.events);
            makes.sends && hears()
        });
        let all = strong.and(&weak);
        let mut found: Vec<(Vec<usize>, bool)> = Vec::new();
        let mut told: BTreeSet<usize> = BTreeSet::new();
        for circle in all.circles() {
            for from in &circle {
                // Within a circle every step has a way back.
                let to = strong.from(*from).find(|to| circle.contains(to));
                let way = to.filter(|_| !told.contains(from)).and_then(|to| all.shortest(to, *from));
                told.extend(way.iter().flatten());
                found.extend(way.map(|way| (way, true)));
            }
        }
        // A limited rule ends every circle that it is part of.
        let unlimited = |rule: usize| program.rules.get(rule).is_some_and(|rule| rule.limit.is_none());
        let endless = weak.among(&|rule| unlimited(rule) && !told.contains(&rule));
        for circle in endless.circles() {
            for from in &circle {
                let next = endless.from(*from).filter(|_| !told.contains(from));
                let ways = next.filter_map(|to| endless.shortest(to, *from));
                let way = ways.min_by_key(Vec::len);
                told.extend(way.iter().flatten());
                found.extend(way.map(|way| (way, false)));
            }
        }
        for (way, through_changes) in found {
            let rules: Vec<&Rule> = way.iter().filter_map(|rule| self.program.rules.get(*rule)).collect();
            // The first by name begins, so that the words do not depend on priorities.
            let first = (0..rules.len()).min_by_key(|place| rules.get(*place).map(|rule| &rule.name));
            let Some(first) = first else { continue };
            let turned: Vec<&Rule> =
                rules.iter().cycle().skip(first).take(rules.len() + 1).copied().collect();
            let names: Vec<&str> = turned.iter().map(|rule| &*rule.name).collect();
            let span = turned.first().map(|rule| self.trigger_span(rule)).unwrap_or_default();
            let cycle = rules::rule_cycle(span, &names.join(" → "), !through_changes);
            self.report(cycle);
        }
    }

    fn trigger_span(&self, rule: &Rule) -> Span {
        match rule.trigger {
            Trigger::Sequence(id) => self.program.sequences.get(id.0 as usize).map(|sequence| sequence.span),
            Trigger::Enters(id) | Trigger::Leaves(id) => {
                self.program.segments.get(id.0 as usize).map(|segment| segment.condition.span)
            }
            // What can lead back to a date is that steps set it.
            Trigger::Schedule(_) => {
                let mut first = None;
                visit::steps(&rule.steps, &mut |expr| first = first.or(Some(expr.span)));
                first
            }
            Trigger::Former { .. } => None,
        }
        .unwrap_or_default()
    }
}

fn watches(program: &Program, rule: &Rule) -> Watches {
    let mut watches = Watches::default();
    match rule.trigger {
        Trigger::Sequence(id) => watches.sequence(program, id),
        Trigger::Enters(id) | Trigger::Leaves(id) => watches.segment(program, id),
        Trigger::Schedule(id) => {
            let date = program.schedules.get(id.0 as usize).and_then(|schedule| schedule.date());
            watches.fields.extend(date.map(|date| date.field));
        }
        Trigger::Former { .. } => {}
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

    /// A match is made by the last event; a wait for what must not come begins with the one before. Filters are asked when
    /// an event arrives, so that what they look at sets nothing off.
    fn sequence(&mut self, program: &Program, id: SequenceId) {
        let Some(sequence) = program.sequences.get(id.0 as usize) else { return };
        if let Some(last) = sequence.elements.last() {
            self.events(&last.pattern.events);
        }
    }

    fn events(&mut self, events: &EventSet) {
        match events {
            EventSet::Any => self.any = true,
            EventSet::Of(events) => self.events.extend(events),
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
                | ExprKind::TimeSince { pattern, .. }
                | ExprKind::Regularly { pattern, .. }
                | ExprKind::Streak { pattern, .. } => self.events(&pattern.events),
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
            StepKind::Send { .. } | StepKind::Reply { .. } => makes.sends = true,
            StepKind::Call { .. } | StepKind::Wait(_) | StepKind::Stop => {}
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
            StepKind::WaitFor { up_to: _, what: _, steps: list, otherwise } => {
                steps(list, makes);
                steps(otherwise, makes);
            }
            StepKind::Split(arms) => arms.iter().for_each(|arm| steps(&arm.steps, makes)),
        }
    }
}
