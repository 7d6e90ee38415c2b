//! `in this match`: what belongs to a match beyond the stretch of time, the values of `with same`.

use super::{Checker, Scope};
use crate::{
    diagnostics::conditions,
    typed::{Comparison, EventRole, EventSet, Expr, ExprKind, FieldPath, Pattern, SequenceId, Window},
    types::Type,
};
use segue_grammar::span::Span;
use std::sync::Arc;

impl Checker<'_> {
    /// The fields that all events of a match have in common, by what `event` calls them, with their types.
    pub(super) fn same_in_match(&self, id: SequenceId) -> Vec<(FieldPath, Type)> {
        let Some(sequence) = self.program.sequences.get(id.0 as usize) else { return Vec::new() };
        let Some(trigger) = sequence.elements.last() else { return Vec::new() };
        let types = |path: &FieldPath| self.types_of(&trigger.pattern.events, path);
        let typed = |path: &FieldPath| Some((path.clone(), types(path).into_iter().flatten().next()?));
        sequence.same.iter().filter_map(typed).collect()
    }

    /// A pattern that is asked for in a window: `in this match` it is of events that have what the match has in common,
    /// as far as they are declared with it.
    pub(super) fn pattern_in(
        &mut self,
        pattern: Pattern,
        window: Window,
        scope: Scope<'_>,
    ) -> Option<Pattern> {
        let Some(rule) = scope.rule.filter(|_| window == Window::ThisMatch) else { return Some(pattern) };
        let mut conditions = Vec::new();
        for (path, ty) in &rule.same {
            let types = self.types_of(&pattern.events, path);
            let has = |it: &Option<Type>| it.as_ref() == Some(ty);
            if types.iter().any(has) && !types.iter().all(has) {
                self.report(conditions::not_all_in_match(pattern.span, &words(path)));
                return None;
            }
            if types.iter().any(has) {
                conditions.push(equal(path, ty, pattern.span));
            }
        }
        conditions.retain(|condition| pattern.filter.as_deref() != Some(condition));
        conditions.extend(pattern.filter.map(|filter| *filter));
        let filter = match conditions.len() {
            0 | 1 => conditions.pop(),
            _ => Some(Expr { kind: ExprKind::And(conditions), ty: Type::Boolean, span: pattern.span }),
        };
        Some(Pattern { filter: filter.map(Box::new), ..pattern })
    }

    /// The type of a field in each of some events.
    fn types_of(&self, events: &EventSet, path: &FieldPath) -> Vec<Option<Type>> {
        let (FieldPath::Property(parts), EventSet::Of(ids)) = (path, events) else { return Vec::new() };
        let declared = ids.iter().filter_map(|id| self.program.events.get(id.0 as usize));
        let ty = |fields: &[crate::types::Field]| {
            let (first, rest) = parts.split_first()?;
            fields.iter().find(|field| field.name == *first)?.ty.at(rest)
        };
        declared.map(|event| ty(&event.fields)).collect()
    }
}

/// The field of the event that is looked at is that of `event`.
fn equal(path: &FieldPath, ty: &Type, span: Span) -> Expr {
    let field = |of| Expr { kind: ExprKind::Field { of, path: path.clone() }, ty: ty.clone(), span };
    let (left, right) = (Box::new(field(EventRole::This)), Box::new(field(EventRole::Trigger)));
    Expr { kind: ExprKind::Compare { operator: Comparison::Equal, left, right }, ty: Type::Boolean, span }
}

fn words(path: &FieldPath) -> String {
    match path {
        FieldPath::At => "at".to_owned(),
        FieldPath::MessageId => "message_id".to_owned(),
        FieldPath::EventName => "event_name".to_owned(),
        FieldPath::Property(parts) => {
            parts.iter().map(|part: &Arc<str>| &**part).collect::<Vec<_>>().join(".")
        }
    }
}
