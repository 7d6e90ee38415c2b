//! Fields of events, of objects and of the profile, with their types.

use super::{Checker, Scope, words};
use crate::{
    diagnostics::{limits, names, rules, types},
    limits::MAX_FIELDS,
    typed::{EventType, ExprKind, ProfileField},
    types::{Field, Type},
    value::Value,
};
use segue_grammar::ast::{self, TypeKind};
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn declare_event(&mut self, event: &ast::EventDecl) {
        self.session_event(&event.name.text);
        let fields = self.fields_of(&event.fields);
        let known = self.program.events.iter().position(|other| *other.name == *event.name.text);
        let position = known.unwrap_or_else(|| {
            let name = Arc::from(event.name.text.as_str());
            self.program.events.push(EventType { name, passive: false, fields: Vec::new(), former: 0 });
            self.program.events.len() - 1
        });
        for (field, declared) in fields {
            let place = (Some(event.name.text.clone()), declared.name.text.clone());
            let first = *self.declared.entry(place).or_insert(declared.ty.span);
            let Some(known) = self.program.events.get_mut(position) else { continue };
            match known.fields.iter_mut().find(|other| other.name == field.name) {
                None => known.fields.push(field),
                Some(other) if other.ty == field.ty => other.optional &= field.optional,
                Some(other) => {
                    let (span, name) = (declared.ty.span, &declared.name.text);
                    let conflict = names::type_conflict(span, name, &field.ty, &other.ty, first);
                    self.report(conflict);
                }
            }
        }
        if let Some(known) = self.program.events.get_mut(position) {
            known.passive |= event.passive;
        }
    }

    /// The fields of an event or object, each with its declaration; one that stands there twice counts once.
    fn fields_of<'d>(&mut self, declared: &'d [ast::FieldDecl]) -> Vec<(Field, &'d ast::FieldDecl)> {
        let mut fields = Vec::new();
        for field in self.once(declared, |field| &field.name) {
            let ty = self.ty(&field.ty);
            if let Some(default) = &field.default {
                self.report(rules::misplaced_default(default.span, &field.name.text));
            }
            let name = Arc::from(field.name.text.as_str());
            fields.extend(ty.map(|ty| (Field { name, ty, optional: field.optional }, field)));
        }
        fields
    }

    /// The items of a list without those whose name stands before them, which are reported.
    pub(super) fn once<'i, T>(&mut self, items: &'i [T], name: impl Fn(&T) -> &ast::Name) -> Vec<&'i T> {
        if let Some(item) = items.get(MAX_FIELDS) {
            let what = format!("there are {} fields here", items.len());
            self.report(limits::too_large(name(item).span, &what, MAX_FIELDS));
        }
        let mut kept: Vec<&T> = Vec::new();
        for item in items.iter().take(MAX_FIELDS) {
            let own = name(item);
            match kept.iter().map(|other| name(other)).find(|other| other.text == own.text) {
                Some(first) => self.report(names::duplicate_field(own.span, &own.text, first.span)),
                None => kept.push(item),
            }
        }
        kept
    }

    pub(super) fn declare_profile(&mut self, profile: &ast::ProfileDecl) {
        for field in self.once(&profile.fields, |field| &field.name) {
            self.declare_profile_field(field);
        }
    }

    fn declare_profile_field(&mut self, declared: &ast::FieldDecl) {
        if declared.name.text == "consent" {
            self.report(names::consent_is_built_in(declared.name.span));
            return;
        }
        let Some(ty) = self.ty(&declared.ty) else { return };
        let default =
            declared.default.as_ref().and_then(|default| self.default(default, &ty)).unwrap_or_default();
        let name: Arc<str> = Arc::from(declared.name.text.as_str());
        let first = *self.declared.entry((None, declared.name.text.clone())).or_insert(declared.ty.span);
        let optional = declared.optional && declared.default.is_none();
        match self.program.profile.iter_mut().find(|other| other.field.name == name) {
            None => self.program.profile.push(ProfileField { field: Field { name, ty, optional }, default }),
            Some(other) if other.field.ty == ty => {
                other.field.optional &= optional;
                if default.is_known() {
                    other.default = default;
                }
            }
            Some(other) => {
                let (span, name) = (declared.ty.span, &declared.name.text);
                let conflict = names::type_conflict(span, name, &ty, &other.field.ty, first);
                self.report(conflict);
            }
        }
    }

    fn default(&mut self, default: &ast::Expr, ty: &Type) -> Option<Value> {
        let checked = self.expr(default, Scope::default())?;
        match checked.kind {
            ExprKind::Literal(value) if checked.ty == *ty => Some(value),
            _ => {
                self.report(types::different_types(default.span, ty, &checked.ty, default.span));
                None
            }
        }
    }

    fn ty(&mut self, ty: &ast::TypeExpr) -> Option<Type> {
        match &ty.kind {
            TypeKind::Named(name) => {
                let named = words::named_type(name);
                if named.is_none() {
                    self.report(names::unknown_type(ty.span, name));
                    self.unread.fields = true;
                }
                named
            }
            TypeKind::List(item) => self.ty(item).map(|item| Type::List(Box::new(item))),
            TypeKind::Object(fields) => {
                let fields = self.fields_of(fields).into_iter().map(|(field, _)| field);
                Some(Type::Object(fields.collect()))
            }
        }
    }
}
