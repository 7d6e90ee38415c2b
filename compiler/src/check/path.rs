//! Paths: fields of the profile and of events, named values.

use super::{Checker, Scope, unread::Missing, words};
use crate::{
    diagnostics::{names, types},
    typed::{EventRole, EventSet, EventType, Expr, ExprKind, FieldPath},
    types::Type,
};
use segue_grammar::{Diagnostic, ast, span::Span};
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn path(&mut self, path: &ast::Path, scope: Scope<'_>) -> Option<Expr> {
        let (first, rest) = path.parts.split_first()?;
        match (first.text.as_str(), rest) {
            ("profile", [field, rest @ ..]) => return self.profile_path(field, rest, path.span),
            ("event", [_, ..]) => {
                return self.role_path(&EventRole::Trigger, "event", rest, scope, path.span);
            }
            ("answer", [_, ..]) => {
                return self.role_path(&EventRole::Answer, "answer", rest, scope, path.span);
            }
            _ => {}
        }
        if let Some(rule) = scope.rule
            && let Some((_, number, _)) = rule.elements.iter().find(|(name, ..)| **name == *first.text)
            && !rest.is_empty()
        {
            let role = EventRole::Element(*number, Arc::from(first.text.as_str()));
            return self.role_path(&role, &first.text, rest, scope, path.span);
        }
        if let Some(events) = scope.events {
            let named = rest.is_empty()
                && (self.let_id(&first.text).is_some() || self.is_refused_let(&first.text))
                && !self.is_field(events, &first.text);
            if named {
                self.report(types::history_in_where(path.span, &first.text));
                return None;
            }
            if scope.in_sequence && !rest.is_empty() && !self.is_field(events, &first.text) {
                self.report(types::element_while_looking(path.span, &first.text));
                return None;
            }
            return self.field(EventRole::This, events, &path.parts, path.span);
        }
        if rest.is_empty()
            && let Some(id) = self.let_id(&first.text)
        {
            let ty = self.program.lets.get(id.0 as usize)?.value.ty.clone();
            return Some(Expr { kind: ExprKind::Let(id), ty, span: path.span });
        }
        // A let that was refused was reported where it stands, and so was a trigger whose elements could be meant.
        let reported = if rest.is_empty() {
            self.is_refused_let(&first.text)
        } else {
            scope.rule.is_some_and(|rule| rule.refused)
        };
        let beyond = self.where_before.clone().filter(|events| self.is_field(events, &first.text));
        if !reported && beyond.is_some() {
            self.report(names::field_beyond_where(path.span, &first.text));
        } else if !reported {
            let known = self.names_in_scope(scope);
            let unknown = names::unknown_name(path.span, &first.text, known.iter().map(String::as_str));
            self.report_missing(Missing::EventField, unknown);
        }
        None
    }

    fn profile_path(&mut self, field: &ast::Name, rest: &[ast::Name], span: Span) -> Option<Expr> {
        if field.text == "consent" {
            return self.consent_path(rest, span);
        }
        let Some(id) = self.profile_field(&field.text) else {
            let known = self.program.profile.iter().map(|it| &*it.field.name);
            let unknown = names::unknown_profile_field(field.span, &field.text, known);
            self.report_missing(Missing::ProfileField, unknown);
            return None;
        };
        let path: Vec<Arc<str>> = rest.iter().map(|name| Arc::from(name.text.as_str())).collect();
        let declared = &self.program.profile.get(id.0 as usize)?.field;
        let Some(ty) = declared.ty.at(&path) else {
            self.report(names::no_such_part(span, &declared.name, &declared.ty));
            return None;
        };
        Some(Expr { kind: ExprKind::Profile { field: id, path }, ty, span })
    }

    fn consent_path(&mut self, rest: &[ast::Name], span: Span) -> Option<Expr> {
        let (channel, topic) = match rest {
            [channel] => (channel, None),
            [channel, topic] => (channel, Some(self.topic(topic)?)),
            _ => {
                self.report(names::consent_of_what(span));
                return None;
            }
        };
        self.channel(channel);
        let channel = Arc::from(channel.text.as_str());
        Some(Expr { kind: ExprKind::Consent { channel, topic }, ty: Type::Boolean, span })
    }

    fn role_path(
        &mut self,
        role: &EventRole,
        word: &str,
        rest: &[ast::Name],
        scope: Scope<'_>,
        span: Span,
    ) -> Option<Expr> {
        if scope.in_held && scope.events.is_none() && scope.rule.is_some_and(|rule| rule.trigger.is_some()) {
            self.report(types::no_event_for_a_while(span, word));
            return None;
        }
        let events = scope.rule.and_then(|rule| match role {
            EventRole::This | EventRole::Trigger => rule.trigger.clone(),
            EventRole::Answer => rule.answer.clone(),
            EventRole::Element(number, _) => {
                rule.elements.iter().find(|(_, n, _)| n == number).map(|(_, _, events)| events.clone())
            }
        });
        match events {
            Some(events) => self.field(role.clone(), &events, rest, span),
            None => {
                if *role == EventRole::Answer {
                    self.report(types::no_answer(span));
                } else if scope.rule.is_none_or(|rule| !rule.refused) {
                    let own = scope.events.filter(|_| !scope.among_others).zip(rest.first());
                    match own.filter(|(events, field)| self.is_field(events, &field.text)) {
                        Some((_, field)) => self.report(types::bare_field(span, &field.text)),
                        None => self.report(types::no_event(span, word, scope.in_sequence)),
                    }
                }
                None
            }
        }
    }

    /// Whether one of the events has a field of this name.
    fn is_field(&self, events: &EventSet, name: &str) -> bool {
        let EventSet::Of(ids) = events else { return words::fixed_field(name).is_some() };
        let mut fields = ids
            .iter()
            .filter_map(|id| self.program.events.get(id.0 as usize))
            .flat_map(|event| &event.fields);
        words::fixed_field(name).is_some() || fields.any(|field| *field.name == *name)
    }

    /// A field of an event.
    pub(super) fn field(
        &mut self,
        of: EventRole,
        events: &EventSet,
        parts: &[ast::Name],
        span: Span,
    ) -> Option<Expr> {
        let (path, ty) = self.field_path(events, parts, span)?;
        Some(Expr { kind: ExprKind::Field { of, path }, ty, span })
    }

    /// A path into each of some events, of the same type in all.
    pub(super) fn field_path(
        &mut self,
        events: &EventSet,
        parts: &[ast::Name],
        span: Span,
    ) -> Option<(FieldPath, Type)> {
        let path: Vec<Arc<str>> = parts.iter().map(|name| Arc::from(name.text.as_str())).collect();
        let declared = self.declared_type(events, &path, parts, span);
        let fixed = match path.as_slice() {
            [name] if declared.is_none() => words::fixed_field(name),
            _ => None,
        };
        if let Some(fixed) = fixed {
            return Some(fixed);
        }
        match declared {
            Some(Ok(ty)) => Some((FieldPath::Property(path), ty)),
            Some(Err(diagnostic)) => {
                self.report_missing(Missing::EventField, diagnostic);
                None
            }
            None => {
                let diagnostic = self.unknown_field(events, parts, span);
                self.report_missing(Missing::EventField, diagnostic);
                None
            }
        }
    }

    /// The type of a path in all of the events; `None` when none of them declares it.
    fn declared_type(
        &self,
        events: &EventSet,
        path: &[Arc<str>],
        parts: &[ast::Name],
        span: Span,
    ) -> Option<Result<Type, Diagnostic>> {
        let EventSet::Of(ids) = events else { return None };
        let declared: Vec<_> = ids.iter().filter_map(|id| self.program.events.get(id.0 as usize)).collect();
        let of = |event: &EventType| {
            let field = event.fields.iter().find(|field| path.first() == Some(&field.name))?;
            field.ty.at(path.get(1..)?)
        };
        let found: Vec<(Arc<str>, Option<Type>)> =
            declared.iter().map(|event| (event.name.clone(), of(event))).collect();
        let (_, first) = found.iter().find(|(_, ty)| ty.is_some())?;
        let first = first.clone()?;
        let name = parts.first().map_or("", |part| part.text.as_str());
        for (event, ty) in &found {
            match ty {
                None => return Some(Err(names::field_not_in_all(span, name, event))),
                Some(other) if *other != first => {
                    return Some(Err(types::field_differs(span, name, event, &first, other)));
                }
                Some(_) => {}
            }
        }
        Some(Ok(first))
    }

    fn unknown_field(&self, events: &EventSet, parts: &[ast::Name], span: Span) -> Diagnostic {
        let name = parts.first().map_or("", |part| part.text.as_str());
        match events {
            EventSet::Any => names::field_of_any_event(span, name),
            EventSet::Of(ids) => {
                let declared: Vec<_> =
                    ids.iter().filter_map(|id| self.program.events.get(id.0 as usize)).collect();
                let known = declared.iter().flat_map(|event| &event.fields).map(|field| &*field.name);
                let events: Vec<&str> = declared.iter().map(|event| &*event.name).collect();
                names::unknown_field(span, name, &events, known)
            }
        }
    }
}
