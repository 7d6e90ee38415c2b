//! Negations that also hold where there is nothing to compare.

use super::{Checker, Scope};
use crate::{
    diagnostics::conditions,
    typed::{Comparison, EventRole, EventSet, Expr, ExprKind, FieldPath},
};
use segue_grammar::span::Span;
use std::sync::Arc;

/// Where a walk stands.
#[derive(Clone, Copy)]
struct Place<'p> {
    scope: Scope<'p>,
    /// The outermost negation around, unless another one takes it back.
    negation: Option<Span>,
}

impl Checker<'_> {
    /// Warns where a condition holds because a field is missing, and does not ask whether it is known.
    pub(super) fn negations(&mut self, condition: &Expr, scope: Scope<'_>) {
        self.walk_negations(condition, Place { scope, negation: None }, &mut Vec::new());
    }

    /// `asked` are the paths of which an `is known` stands beside, in the author's words.
    fn walk_negations(&mut self, expr: &Expr, place: Place<'_>, asked: &mut Vec<String>) {
        match &expr.kind {
            ExprKind::Not(inner) => {
                let negation = if place.negation.is_some() { None } else { Some(expr.span) };
                self.walk_negations(inner, Place { negation, ..place }, asked);
            }
            ExprKind::And(list) | ExprKind::Or(list) => {
                let before = asked.len();
                asked.extend(list.iter().filter_map(|part| self.asks_for(part)));
                list.iter().for_each(|part| self.walk_negations(part, place, asked));
                asked.truncate(before);
            }
            ExprKind::AtLeastOf { conditions, .. } => {
                conditions.iter().for_each(|part| self.walk_negations(part, place, asked));
            }
            ExprKind::Compare { operator, left, right } => {
                let negation = match (operator, place.negation) {
                    (Comparison::NotEqual, None) => Some(expr.span),
                    (Comparison::NotEqual, Some(_)) => None,
                    (_, negation) => negation,
                };
                let is_path = matches!(left.kind, ExprKind::Profile { .. } | ExprKind::Field { .. });
                self.holds_without(if is_path { left } else { right }, negation, place.scope, asked);
            }
            ExprKind::Between { value, .. }
            | ExprKind::In { value, .. }
            | ExprKind::TextTest { value, .. } => {
                self.holds_without(value, place.negation, place.scope, asked);
            }
            // What somebody did is asked of other events, and whatever has lasted was looked at where it stands.
            _ => {}
        }
    }

    /// The path of which a condition asks whether it is known, or not.
    fn asks_for(&self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::IsKnown(value) => Some(self.text(value.span).to_owned()),
            ExprKind::Not(inner) => self.asks_for(inner),
            _ => None,
        }
    }

    fn holds_without(&mut self, value: &Expr, negation: Option<Span>, scope: Scope<'_>, asked: &[String]) {
        let Some(negation) = negation else { return };
        let path = self.text(value.span).to_owned();
        if self.is_optional_path(value, scope) && !asked.contains(&path) {
            self.report(conditions::negated_optional(negation, &path));
        }
    }

    fn is_optional_path(&self, value: &Expr, scope: Scope<'_>) -> bool {
        match &value.kind {
            ExprKind::Profile { field, .. } => {
                self.program.profile.get(field.0 as usize).is_some_and(|it| it.field.optional)
            }
            ExprKind::Field { of, path: FieldPath::Property(path) } => {
                let rule = scope.rule;
                let events = match of {
                    EventRole::This => scope.events.cloned(),
                    EventRole::Trigger => rule.and_then(|rule| rule.trigger.clone()),
                    EventRole::Answer => rule.and_then(|rule| rule.answer.clone()),
                    EventRole::Element(number, _) => rule
                        .and_then(|rule| rule.elements.iter().find(|(_, n, _)| n == number))
                        .map(|it| it.2.clone()),
                };
                self.is_optional_in(events.as_ref(), path)
            }
            _ => false,
        }
    }

    fn is_optional_in(&self, events: Option<&EventSet>, path: &[Arc<str>]) -> bool {
        let Some(EventSet::Of(ids)) = events else { return false };
        let declared = ids
            .iter()
            .filter_map(|id| self.program.events.get(id.0 as usize))
            .flat_map(|event| &event.fields);
        declared.filter(|field| path.first() == Some(&field.name)).any(|field| field.optional)
    }
}
