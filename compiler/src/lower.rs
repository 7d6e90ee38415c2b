//! Checked program to plan.

mod calendar;
mod cells;
mod condition;
mod graph;
mod handlers;
mod layout;
mod operations;
mod rules;
mod value;

use crate::{
    plan::{NodeId, Plan, SchedulePlan, SequencePlan, ValueId, ValuePlan},
    typed::{
        EventId, EventRole, EventSet, Expr, LetId, Pattern, Program, ScheduleId, Sequence, SequenceId,
        Trigger, schedule::Schedule,
    },
};
use cells::Cells;
use graph::Graph;
use layout::{Group, Layouts};
use std::collections::BTreeMap;

/// Makes the plan of a checked program. Total: every checked program has a plan.
#[must_use]
pub fn lower(program: &Program) -> Plan {
    let mut lowering = Lowering {
        program,
        graph: Graph::default(),
        layouts: Layouts::new(program),
        cells: Cells::new(program),
        plan: Plan::default(),
        row: None,
        lets: BTreeMap::new(),
    };
    lowering.plan.lets = vec![None; program.lets.len()];
    let sequences: Vec<_> =
        program.sequences.iter().enumerate().map(|(id, it)| lowering.sequence(id, it)).collect();
    let levels = program.segments.iter().map(|segment| &segment.condition);
    let levels = levels.chain(program.held.iter().map(|held| &held.condition));
    let levels: Vec<_> = levels.map(|condition| lowering.condition(condition, Scope::Global)).collect();
    let rules: Vec<_> = program.rules.iter().map(|rule| lowering.rule(rule)).collect();
    for sequence in &program.sequences {
        lowering.keys(sequence);
    }
    let Lowering { graph, layouts, cells, mut plan, lets, .. } = lowering;
    plan.let_nodes = vec![Vec::new(); program.lets.len()];
    for ((id, _), node) in lets {
        plan.let_nodes.get_mut(id.0 as usize).into_iter().for_each(|nodes| nodes.push(node));
    }
    plan.nodes = graph.nodes;
    plan.texts = graph.texts;
    plan.patterns = graph.patterns;
    plan.levels = levels;
    plan.segments = u32::try_from(program.segments.len()).unwrap_or(u32::MAX);
    plan.order = program.judged().into_iter().map(|judged| plan.level(judged)).collect();
    plan.rules = rules;
    plan.schedules = schedules(program);
    plan.sequences = sequences.iter().map(|(sequence, _)| sequence.clone()).collect();
    plan.record = cells.record(layouts.profile.clone());
    plan.cells = cells.cells;
    for (sequence, source) in plan.sequences.iter_mut().zip(&program.sequences) {
        sequence.same = layouts.keys(source);
    }
    plan.layouts = layouts.finish();
    let roles: Vec<_> = sequences.into_iter().flat_map(|(_, roles)| roles).collect();
    handlers::fill(program, &mut plan, &roles);
    plan
}

fn schedules(program: &Program) -> Vec<SchedulePlan> {
    let plan = |(schedule, number): (&Schedule, u32)| {
        let triggered = |rule: &crate::typed::Rule| rule.trigger == Trigger::Schedule(ScheduleId(number));
        let rules = program.rules.iter().zip(0..).filter(|(rule, _)| triggered(rule)).map(|(_, n)| n);
        SchedulePlan { schedule: schedule.clone(), rules: rules.collect() }
    };
    program.schedules.iter().zip(0..).map(plan).collect()
}

/// What an expression can see.
#[derive(Clone, Copy)]
enum Scope<'p> {
    /// No event.
    Global,
    /// A rule.
    Rule(View<'p>),
    /// The event that is looked at.
    Event(Group),
    /// An event that a run of a rule listens for.
    Heard(Group, View<'p>),
}

/// What a rule can see of the past.
#[derive(Clone, Copy, Default)]
struct View<'p> {
    /// The sequence that triggers it.
    sequence: Option<&'p Sequence>,
    /// The events that `answer` is.
    answer: Option<&'p EventSet>,
}

impl<'p> View<'p> {
    /// The events that may have a role in what triggers the rule, or ends its waits.
    fn events(self, role: &EventRole) -> Option<&'p EventSet> {
        let elements = self.sequence.map(|sequence| sequence.elements.as_slice()).unwrap_or_default();
        let element = match role {
            EventRole::This | EventRole::Trigger => elements.last(),
            EventRole::Element(number, _) => elements.get(*number as usize),
            EventRole::Answer => return self.answer,
        };
        element.map(|element| &element.pattern.events)
    }
}

/// The pass.
struct Lowering<'p> {
    program: &'p Program,
    graph: Graph,
    layouts: Layouts<'p>,
    cells: Cells,
    plan: Plan,
    /// While a condition on remembered rows is lowered: what the rows remember.
    row: Option<RowScope>,
    /// Lets that were lowered before, as a condition or as a value.
    lets: BTreeMap<(LetId, bool), NodeId>,
}

/// What remembered rows hold, for a condition that is asked of them later.
struct RowScope {
    group: Group,
    columns: Vec<NodeId>,
}

/// A role in a sequence with the events that can play it; `None`: any.
struct PlayedRole {
    events: Option<Vec<EventId>>,
    role: crate::plan::Role,
}

impl<'p> Lowering<'p> {
    fn sequence(&mut self, position: usize, sequence: &'p Sequence) -> (SequencePlan, Vec<PlayedRole>) {
        let id = SequenceId(u32::try_from(position).unwrap_or(u32::MAX));
        let mut roles = Vec::new();
        let mut role = |lowering: &mut Self, element: u32, pattern: &'p Pattern| {
            let filter = lowering.event_filter(pattern);
            let events = match &pattern.events {
                EventSet::Any => None,
                EventSet::Of(events) => Some(events.clone()),
            };
            roles.push(PlayedRole { events, role: crate::plan::Role { sequence: id, element, filter } });
        };
        if !sequence.idle {
            for (element, number) in sequence.elements.iter().zip(0..) {
                role(self, number, &element.pattern);
            }
            if let Some((pattern, _)) = &sequence.then_no {
                role(self, crate::plan::NO_ELEMENT, pattern);
            }
        }
        let triggered = |rule: &crate::typed::Rule| rule.trigger == Trigger::Sequence(id);
        let plan = SequencePlan {
            anchor: sequence.anchor,
            first_time: sequence.first_time,
            within: sequence.elements.iter().map(|element| element.within).collect(),
            then_no: sequence.then_no.as_ref().map(|(_, within)| *within),
            same: BTreeMap::new(),
            feeds: Vec::new(),
            rules: self
                .program
                .rules
                .iter()
                .zip(0..)
                .filter(|(rule, _)| triggered(rule))
                .map(|(_, n)| n)
                .collect(),
        };
        (plan, roles)
    }

    /// Makes sure that the fields that must be the same are read.
    fn keys(&mut self, sequence: &Sequence) {
        // They are asked again while a run waits, of the `no` of its trigger.
        let is_kept = sequence.then_no.is_some();
        let elements = sequence.elements.iter().map(|element| (&element.pattern, is_kept));
        let then_no = sequence.then_no.iter().map(|(pattern, _)| (pattern, false));
        for (pattern, is_kept) in elements.chain(then_no) {
            for path in &sequence.same {
                self.layouts.slot_of(&pattern.events, path, is_kept);
            }
        }
    }

    /// A pattern's filter on the event that is being applied.
    fn event_filter(&mut self, pattern: &Pattern) -> NodeId {
        let group = self.layouts.group(&pattern.events);
        match &pattern.filter {
            Some(filter) => self.condition(filter, Scope::Event(group)),
            None => self.graph.constant(true),
        }
    }

    /// A value that is asked for by rules or templates.
    fn value_id(&mut self, expr: &Expr, scope: Scope<'_>) -> ValueId {
        let node = self.value(expr, scope);
        let plan = ValuePlan { node, ty: expr.ty.clone() };
        let known = self.plan.values.iter().position(|other| *other == plan);
        let position = known.unwrap_or_else(|| {
            self.plan.values.push(plan);
            self.plan.values.len() - 1
        });
        ValueId(u32::try_from(position).unwrap_or(u32::MAX))
    }

    /// A let that a template reads.
    fn template_let(&mut self, id: LetId) {
        let program = self.program;
        let Some(definition) = program.lets.get(id.0 as usize) else { return };
        if self.plan.lets.get(id.0 as usize).is_some_and(Option::is_some) {
            return;
        }
        let reference = Expr {
            kind: crate::typed::ExprKind::Let(id),
            ty: definition.value.ty.clone(),
            span: definition.value.span,
        };
        let value = self.value_id(&reference, Scope::Global);
        if let Some(place) = self.plan.lets.get_mut(id.0 as usize) {
            *place = Some(value);
        }
    }
}

/// What an expression looks at, to tell what can be decided when an event is applied.
fn looks_beyond_event(expr: &Expr) -> bool {
    use crate::typed::ExprKind;
    match &expr.kind {
        ExprKind::Literal(_) => false,
        ExprKind::Field { of, path: _ } => match of {
            EventRole::This => false,
            EventRole::Trigger | EventRole::Answer | EventRole::Element(..) => true,
        },
        ExprKind::Call { function: _, arguments } => arguments.iter().any(looks_beyond_event),
        ExprKind::Arithmetic { operator: _, left, right }
        | ExprKind::Compare { operator: _, left, right } => {
            looks_beyond_event(left) || looks_beyond_event(right)
        }
        ExprKind::Between { value, low, high } => {
            [value, low, high].into_iter().any(|it| looks_beyond_event(it))
        }
        ExprKind::In { value, choices } => {
            looks_beyond_event(value) || choices.iter().any(looks_beyond_event)
        }
        ExprKind::TextTest { value, test: _, operand } => {
            looks_beyond_event(value) || looks_beyond_event(operand)
        }
        ExprKind::IsKnown(value) | ExprKind::Not(value) => looks_beyond_event(value),
        ExprKind::And(conditions)
        | ExprKind::Or(conditions)
        | ExprKind::AtLeastOf { count: _, conditions } => conditions.iter().any(looks_beyond_event),
        ExprKind::Profile { .. }
        | ExprKind::Consent { .. }
        | ExprKind::Let(_)
        | ExprKind::InSegment(_)
        | ExprKind::Did { .. }
        | ExprKind::NoActivity(_)
        | ExprKind::KnownFor(_)
        | ExprKind::Count { .. }
        | ExprKind::Aggregate { .. }
        | ExprKind::LastOf { .. }
        | ExprKind::TimeSince { .. }
        | ExprKind::Held { .. }
        | ExprKind::Regularly { .. }
        | ExprKind::Streak { .. } => true,
    }
}

/// A filter's conjuncts: those that can be decided when the event is applied, and the rest.
fn split(filter: Option<&Expr>) -> (Vec<&Expr>, Vec<&Expr>) {
    let conjuncts: Vec<&Expr> = match filter {
        None => Vec::new(),
        Some(Expr { kind: crate::typed::ExprKind::And(conditions), .. }) => conditions.iter().collect(),
        Some(filter) => vec![filter],
    };
    conjuncts.into_iter().partition(|conjunct| !looks_beyond_event(conjunct))
}

/// Whether a pattern's filter looks at more than its event, so that it must be asked again each time.
fn is_correlated(pattern: &Pattern) -> bool {
    !split(pattern.filter.as_deref()).1.is_empty()
}
