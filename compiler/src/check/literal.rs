//! Values as tests write them: fields of events, traits, consent.

use super::{Checker, Scope, unread::Missing};
use crate::{
    diagnostics::{names, types},
    typed::{EventId, ExprKind},
    types::{Field, Type},
    value::Value,
};
use segue_grammar::ast::{self, Literal, Name};
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn event_fields(&mut self, event: EventId, fields: &[(Name, ast::Expr)]) -> Option<Value> {
        let declared = self.program.events.get(event.0 as usize)?.clone();
        let mut values = Vec::new();
        for (name, value) in self.once(fields, |(name, _)| name) {
            match declared.fields.iter().find(|field| *field.name == *name.text) {
                Some(field) => values.push((field.name.clone(), self.literal_of(value, &field.ty))),
                None => {
                    let known = declared.fields.iter().map(|field| &*field.name);
                    let unknown = names::unknown_field(name.span, &name.text, &[&declared.name], known);
                    self.report_missing(Missing::EventField, unknown);
                    values.push((Arc::from(name.text.as_str()), None));
                }
            }
        }
        object(values)
    }

    pub(super) fn traits(&mut self, fields: &[(Name, ast::Expr)]) -> Option<Value> {
        let mut values = Vec::new();
        for (name, value) in self.once(fields, |(name, _)| name) {
            let checked = if name.text == "consent" {
                self.consent(value)
            } else if let Some(field) = self.profile_field(&name.text) {
                let ty = self.program.profile.get(field.0 as usize).map(|field| field.field.ty.clone());
                ty.and_then(|ty| self.literal_of(value, &ty))
            } else {
                let known = self.program.profile.iter().map(|field| &*field.field.name).chain(["consent"]);
                let unknown = names::unknown_profile_field(name.span, &name.text, known);
                self.report_missing(Missing::ProfileField, unknown);
                None
            };
            values.push((Arc::from(name.text.as_str()), checked));
        }
        object(values)
    }

    /// `{ sms: true, email: { marketing: false } }`.
    fn consent(&mut self, value: &ast::Expr) -> Option<Value> {
        let ast::ExprKind::Literal(Literal::Object(channels)) = &value.kind else {
            self.report(types::consent_literal(value.span));
            return None;
        };
        let mut values = Vec::new();
        for (channel, said) in self.once(channels, |(name, _)| name) {
            self.channel(channel);
            let said = match &said.kind {
                ast::ExprKind::Literal(Literal::Object(topics)) => {
                    let mut values = Vec::new();
                    for (topic, said) in self.once(topics, |(name, _)| name) {
                        let known = self.topic(topic);
                        let said = self.literal_of(said, &Type::Boolean);
                        values.push((Arc::from(topic.text.as_str()), known.and(said)));
                    }
                    object(values)
                }
                ast::ExprKind::Literal(Literal::Boolean(said)) => Some(Value::Boolean(*said)),
                _ => {
                    self.report(types::consent_literal(said.span));
                    None
                }
            };
            values.push((Arc::from(channel.text.as_str()), said));
        }
        object(values)
    }

    /// A value of a type, as it is written in a test.
    pub(super) fn literal_of(&mut self, value: &ast::Expr, ty: &Type) -> Option<Value> {
        match (&value.kind, ty) {
            (ast::ExprKind::Literal(Literal::List(items)), Type::List(item)) => {
                let items: Vec<Option<Value>> = items.iter().map(|it| self.literal_of(it, item)).collect();
                Some(Value::List(items.into_iter().collect::<Option<Vec<_>>>()?.into()))
            }
            (ast::ExprKind::Literal(Literal::Object(fields)), Type::Object(declared)) => {
                self.object_of(fields, declared)
            }
            (ast::ExprKind::Literal(Literal::List(_)), _) => {
                self.report(types::other_literal(value.span, ty, "a list"));
                None
            }
            (ast::ExprKind::Literal(Literal::Object(_)), _) => {
                self.report(types::other_literal(value.span, ty, "fields in braces"));
                None
            }
            _ => {
                let checked = self.expr(value, Scope::default())?;
                match checked.kind {
                    ExprKind::Literal(value) if checked.ty == *ty => Some(value),
                    _ => {
                        self.report(types::different_types(value.span, ty, &checked.ty, value.span));
                        None
                    }
                }
            }
        }
    }

    fn object_of(&mut self, fields: &[(Name, ast::Expr)], declared: &[Field]) -> Option<Value> {
        let mut values = Vec::new();
        for (name, value) in self.once(fields, |(name, _)| name) {
            match declared.iter().find(|field| *field.name == *name.text) {
                Some(field) => values.push((field.name.clone(), self.literal_of(value, &field.ty))),
                None => {
                    let known = declared.iter().map(|field| &*field.name);
                    self.report(names::unknown_part(name.span, &name.text, known));
                    return None;
                }
            }
        }
        object(values)
    }
}

/// An object of values that all could be read.
fn object(values: Vec<(Arc<str>, Option<Value>)>) -> Option<Value> {
    let values: Option<Vec<(Arc<str>, Value)>> =
        values.into_iter().map(|(name, value)| Some((name, value?))).collect();
    Some(Value::Object(values?.into()))
}
