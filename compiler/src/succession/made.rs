//! What rules made themselves before other rules took their place: no log tells of it, so what is new is not filled with it.

use crate::{
    packed,
    typed::{
        EventSet, Expr, ExprKind, LetId, Occurrence, Pattern, Program, SegmentId, Sequence, StepKind, visit,
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// The event that a message makes.
const MESSAGE_SENT: &str = "Message Sent";

/// What rules made, by names, which say the same in programs that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Events: those that were emitted, and those of messages.
    pub events: BTreeSet<Arc<str>>,
    /// Fields of the profile that were set.
    pub fields: BTreeSet<Arc<str>>,
    /// Whether consent was granted or withdrawn.
    pub consent: bool,
}

packed!(Made { events, fields, consent });

impl Made {
    /// What the rules of a program make, and those that they took the place of.
    #[must_use]
    pub fn by(program: &Program) -> Self {
        let mut made = program.changes.last().map(|change| change.made.clone()).unwrap_or_default();
        for rule in &program.rules {
            visit::each_step(&rule.steps, &mut |step| match &step.kind {
                StepKind::Send { .. } | StepKind::Reply { .. } => {
                    made.events.insert(Arc::from(MESSAGE_SENT));
                }
                StepKind::Emit { event, .. } => {
                    made.events.extend(program.events.get(event.0 as usize).map(|event| event.name.clone()));
                }
                StepKind::Set { field, .. } => {
                    let field = program.profile.get(field.0 as usize);
                    made.fields.extend(field.map(|field| field.field.name.clone()));
                }
                StepKind::SetConsent { .. } => made.consent = true,
                StepKind::Call { .. }
                | StepKind::If { .. }
                | StepKind::Split(_)
                | StepKind::Wait(_)
                | StepKind::WaitFor { .. }
                | StepKind::Stop => {}
            });
        }
        made
    }

    /// Whether what a program remembers for an expression depends on it.
    #[must_use]
    pub fn is_remembered_for(&self, program: &Program, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Did { what: Occurrence::Pattern(pattern), .. }
            | ExprKind::Count { pattern, .. }
            | ExprKind::Aggregate { pattern, .. }
            | ExprKind::LastOf { pattern, .. }
            | ExprKind::TimeSince { pattern, .. }
            | ExprKind::Regularly { pattern, .. }
            | ExprKind::Streak { pattern, .. } => self.is_among(program, pattern),
            ExprKind::Did { what: Occurrence::Sequence(id), .. } => {
                let sequence = program.sequences.get(id.0 as usize);
                sequence.is_some_and(|sequence| self.is_followed_by(program, sequence))
            }
            ExprKind::Held { condition, .. } => Search::new(self, program).finds(condition),
            // What is not remembered is known, and activity is the customer's own.
            _ => false,
        }
    }

    /// Whether what is under way in a sequence depends on it.
    #[must_use]
    pub fn is_followed_by(&self, program: &Program, sequence: &Sequence) -> bool {
        let elements = sequence.elements.iter().map(|element| &element.pattern);
        let mut patterns = elements.chain(sequence.then_no.as_ref().map(|(pattern, _)| pattern));
        patterns.any(|pattern| {
            let is_filtered = |filter: &Expr| Search::new(self, program).finds(filter);
            self.is_among(program, pattern) || pattern.filter.as_deref().is_some_and(is_filtered)
        })
    }

    fn is_among(&self, program: &Program, pattern: &Pattern) -> bool {
        match &pattern.events {
            EventSet::Any => !self.events.is_empty(),
            EventSet::Of(events) => events.iter().any(|id| {
                program.events.get(id.0 as usize).is_some_and(|event| self.events.contains(&event.name))
            }),
        }
    }
}

/// Looks for what was made in a condition, and in what it names, each named value and segment once.
struct Search<'m> {
    made: &'m Made,
    program: &'m Program,
    lets: BTreeSet<LetId>,
    segments: BTreeSet<SegmentId>,
}

impl<'m> Search<'m> {
    fn new(made: &'m Made, program: &'m Program) -> Self {
        Self { made, program, lets: BTreeSet::new(), segments: BTreeSet::new() }
    }

    fn finds(&mut self, condition: &Expr) -> bool {
        let (made, program) = (self.made, self.program);
        let (mut is_found, mut named) = (false, Vec::new());
        visit::expression(condition, &mut |part| match &part.kind {
            ExprKind::Profile { field, .. } => {
                let field = program.profile.get(field.0 as usize);
                is_found |= field.is_some_and(|field| made.fields.contains(&field.field.name));
            }
            ExprKind::Consent { .. } => is_found |= made.consent,
            ExprKind::Let(id) if self.lets.insert(*id) => {
                if let Some(definition) = program.lets.get(id.0 as usize) {
                    named.extend(definition.arms.iter().flat_map(|(value, condition)| [value, condition]));
                    named.push(&definition.value);
                }
            }
            ExprKind::InSegment(id) if self.segments.insert(*id) => {
                named.extend(program.segments.get(id.0 as usize).map(|segment| &segment.condition));
            }
            // What is within is visited.
            ExprKind::Held { .. } => {}
            _ => is_found |= made.is_remembered_for(program, part),
        });
        is_found || named.into_iter().any(|part| self.finds(part))
    }
}
