//! Conditions of rules that one event decides, without customer, history or clock.

use crate::typed::{EventSet, Expr, ExprKind, FieldPath, Function, LetId, Program, Rule, Trigger, visit};
use std::{collections::BTreeSet, sync::Arc};

/// The `only if` condition of a rule that is triggered by one plain event.
#[derive(Clone, Copy, Debug)]
pub struct Predicate<'p> {
    /// The events that trigger the rule.
    pub events: &'p EventSet,
    /// Whether the rule runs.
    pub condition: &'p Expr,
}

/// A rule whose condition one event does not decide.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one event does not decide the rule `{rule}`: {lack}")]
pub struct Undecided {
    /// The rule.
    pub rule: Arc<str>,
    /// What is missing.
    pub lack: Lack,
}

/// What one event does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lack {
    /// The trigger is a segment, a sequence, `for the first time`, or has a `where`.
    #[error("it is not triggered by one event alone")]
    Trigger,
    /// The rule always runs.
    #[error("it has no `only if`")]
    Condition,
    /// A profile field or consent.
    #[error("its condition looks at the profile")]
    Profile,
    /// What somebody did, a segment, or how long somebody is known.
    #[error("its condition looks at what happened before")]
    History,
    /// Hours, days and months are those of the customer.
    #[error("its condition looks at the customer's local time")]
    LocalTime,
    /// `at` and `message_id` stand beside an event's properties.
    #[error("its condition looks at more of the event than its name and its properties")]
    Envelope,
}

/// The predicates of a program, by position of the rule.
///
/// # Errors
/// The first rule whose condition one event does not decide.
pub fn predicates(program: &Program) -> Result<Vec<Predicate<'_>>, Undecided> {
    let of = |rule| predicate(program, rule).map_err(|lack| Undecided { rule: rule.name.clone(), lack });
    program.rules.iter().map(of).collect()
}

/// The condition of a rule.
///
/// # Errors
/// What one event lacks to decide it.
pub fn predicate<'p>(program: &'p Program, rule: &'p Rule) -> Result<Predicate<'p>, Lack> {
    let Trigger::Sequence(sequence) = rule.trigger else { return Err(Lack::Trigger) };
    let sequence = program.sequences.get(sequence.0 as usize).ok_or(Lack::Trigger)?;
    let [element] = sequence.elements.as_slice() else { return Err(Lack::Trigger) };
    let plain = element.pattern.filter.is_none() && sequence.then_no.is_none() && !sequence.first_time;
    // With `with same`, an event without the field takes no part.
    if !plain || !sequence.same.is_empty() {
        return Err(Lack::Trigger);
    }
    let condition = rule.only_if.as_ref().ok_or(Lack::Condition)?;
    match lack(program, condition, &mut BTreeSet::new()) {
        Some(lack) => Err(lack),
        None => Ok(Predicate { events: &element.pattern.events, condition }),
    }
}

/// What an expression, or a named value that it uses, lacks first. `seen` are the named values that were looked into.
fn lack(program: &Program, expr: &Expr, seen: &mut BTreeSet<LetId>) -> Option<Lack> {
    let mut found = None;
    let mut used = Vec::new();
    visit::expression(expr, &mut |expr| {
        if let ExprKind::Let(id) = expr.kind {
            used.push(id);
        }
        found = found.or(own_lack(expr));
    });
    found.or_else(|| {
        used.into_iter().find_map(|id| {
            let definition = program.lets.get(id.0 as usize).filter(|_| seen.insert(id))?;
            let parts = definition.arms.iter().flat_map(|(value, condition)| [value, condition]);
            parts.chain([&definition.value]).find_map(|part| lack(program, part, seen))
        })
    })
}

/// What an expression lacks by itself.
fn own_lack(expr: &Expr) -> Option<Lack> {
    match &expr.kind {
        ExprKind::Profile { .. } | ExprKind::Consent { .. } => Some(Lack::Profile),
        ExprKind::InSegment(_)
        | ExprKind::Did { .. }
        | ExprKind::NoActivity(_)
        | ExprKind::KnownFor(_)
        | ExprKind::Count { .. }
        | ExprKind::Aggregate { .. }
        | ExprKind::LastOf { .. }
        | ExprKind::TimeSince { .. }
        | ExprKind::Held { .. }
        | ExprKind::Regularly { .. }
        | ExprKind::Streak { .. } => Some(Lack::History),
        ExprKind::Field { of: _, path: FieldPath::At | FieldPath::MessageId } => Some(Lack::Envelope),
        ExprKind::Call { function, arguments: _ } => match function {
            Function::Hour | Function::Weekday | Function::Day | Function::Month => Some(Lack::LocalTime),
            Function::Lower
            | Function::Upper
            | Function::Trim
            | Function::Length
            | Function::Round
            | Function::Abs
            | Function::Coalesce => None,
        },
        ExprKind::Field { of: _, path: FieldPath::EventName | FieldPath::Property(_) }
        | ExprKind::Literal(_)
        | ExprKind::Let(_)
        | ExprKind::Arithmetic { .. }
        | ExprKind::Compare { .. }
        | ExprKind::Between { .. }
        | ExprKind::In { .. }
        | ExprKind::TextTest { .. }
        | ExprKind::IsKnown(_)
        | ExprKind::Not(_)
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::AtLeastOf { .. } => None,
    }
}
