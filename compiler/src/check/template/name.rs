//! What names in templates mean.

use super::{Checker, Found, Scope, Walk, words};
use crate::check::unread::Missing;
use crate::{
    check::rule::RuleScope,
    diagnostics::templates,
    typed::{self, Aggregate, Arithmetic, EventRole, EventSet, ExprKind, FieldPath, Function, LetId},
    types::Type,
};
use minijinja::machinery::ast::Expr;
use std::{collections::BTreeSet, iter, sync::Arc};

impl Checker<'_> {
    /// What a path means; `read` notes that the template reads it.
    pub(super) fn lookup(
        &mut self,
        path: &[String],
        walk: &mut Walk<'_>,
        scope: Scope<'_>,
        read: bool,
    ) -> Option<Found> {
        let (root, rest) = path.split_first()?;
        let rest: Vec<Arc<str>> = rest.iter().map(|part| Arc::from(part.as_str())).collect();
        if let Some(local) = walk.local(root) {
            let found = Found::local(local.ty.as_ref(), &rest)?;
            return Some(Found { optional: found.optional || local.optional, ..found });
        }
        if root == "unsubscribe_url" {
            return Some(Found { ty: Some(Type::Text), optional: false });
        }
        if root == "profile" {
            let (field, rest) = rest.split_first()?;
            let id = self.profile_field(field)?;
            let declared = self.program.profile.get(id.0 as usize)?;
            let ty = declared.field.ty.at(rest)?;
            let optional = declared.field.optional || !rest.is_empty();
            if read && !walk.template.profile.contains(&id) {
                walk.template.profile.push(id);
            }
            return Some(Found { ty: Some(ty), optional });
        }
        let role = scope.rule.and_then(|rule| role_of(root, rule));
        if let Some((role, events)) = role {
            return self.event_path(&role, &events, &rest, walk, read);
        }
        let id = self.let_id(root)?;
        if read && !walk.template.lets.contains(&id) {
            walk.template.lets.push(id);
        }
        let definition = self.program.lets.get(id.0 as usize)?;
        let ty = definition.value.ty.at(&rest)?;
        let optional = self.may_be_missing(id) || !rest.is_empty();
        Some(Found { ty: Some(ty), optional })
    }

    fn event_path(
        &self,
        role: &EventRole,
        events: &EventSet,
        path: &[Arc<str>],
        walk: &mut Walk<'_>,
        read: bool,
    ) -> Option<Found> {
        let mut note = |names: &mut dyn Iterator<Item = Arc<str>>| {
            if !read {
                return;
            }
            let known = walk.template.events.iter().position(|(other, _)| other == role);
            let position = known.unwrap_or_else(|| {
                walk.template.events.push((role.clone(), Vec::new()));
                walk.template.events.len() - 1
            });
            if let Some((_, list)) = walk.template.events.get_mut(position) {
                for name in names {
                    if !list.contains(&name) {
                        list.push(name);
                    }
                }
            }
        };
        let declared: Vec<_> = match events {
            EventSet::Any => Vec::new(),
            EventSet::Of(ids) => ids.iter().filter_map(|id| self.program.events.get(id.0 as usize)).collect(),
        };
        let Some((name, rest)) = path.split_first() else {
            note(&mut declared.iter().flat_map(|event| &event.fields).map(|field| field.name.clone()));
            return Some(Found { ty: None, optional: false });
        };
        let fields: Vec<_> =
            declared.iter().map(|event| event.fields.iter().find(|field| field.name == *name)).collect();
        if fields.iter().all(Option::is_none) {
            let (_, ty) = words::fixed_field(name).filter(|_| rest.is_empty())?;
            note(&mut iter::once(name.clone()));
            return Some(Found { ty: Some(ty), optional: false });
        }
        let ty = fields.iter().flatten().find_map(|field| field.ty.at(rest))?;
        let optional =
            !rest.is_empty() || fields.iter().any(|field| field.is_none_or(|field| field.optional));
        note(&mut iter::once(name.clone()));
        Some(Found { ty: Some(ty), optional })
    }

    /// Whether a let can be without a value.
    fn may_be_missing(&self, id: LetId) -> bool {
        let Some(definition) = self.program.lets.get(id.0 as usize) else { return true };
        let values = definition.arms.iter().map(|(value, _)| value).chain([&definition.value]);
        values.into_iter().any(|value| self.is_optional(value))
    }

    /// Whether an expression can be without a value.
    fn is_optional(&self, expr: &typed::Expr) -> bool {
        match &expr.kind {
            ExprKind::Literal(value) => !value.is_known(),
            ExprKind::Profile { field, path } => {
                !path.is_empty()
                    || self.program.profile.get(field.0 as usize).is_none_or(|field| field.field.optional)
            }
            ExprKind::Let(id) => self.may_be_missing(*id),
            ExprKind::Count { .. } | ExprKind::LastOf { .. } => false,
            ExprKind::Aggregate { function, .. } => {
                !matches!(function, Aggregate::Sum | Aggregate::DistinctCount)
            }
            ExprKind::Call { function: Function::Coalesce, arguments } => {
                arguments.iter().all(|it| self.is_optional(it))
            }
            ExprKind::Call { arguments, .. } => arguments.iter().any(|it| self.is_optional(it)),
            ExprKind::Arithmetic { operator, left, right } => {
                *operator == Arithmetic::Divide || self.is_optional(left) || self.is_optional(right)
            }
            ExprKind::TimeSince { .. }
            | ExprKind::Consent { .. }
            | ExprKind::Field { path: FieldPath::Property(_), .. } => true,
            _ => false,
        }
    }

    pub(super) fn unknown(&mut self, path: &[String], expr: &Expr<'_>, walk: &Walk<'_>, scope: Scope<'_>) {
        let refused = scope.rule.is_some_and(|rule| rule.refused);
        let reported = |root: &String| refused && root != "profile" || self.is_refused_let(root);
        if path.first().is_some_and(reported) {
            return;
        }
        let (span, place) = walk.at(expr);
        let known = self.template_names(walk, scope);
        let name = path.join(".");
        let is_profile = path.first().is_some_and(|root| root == "profile");
        let missing = if is_profile { Missing::ProfileField } else { Missing::EventField };
        let unknown = templates::unknown_name(span, &place, &name, known.iter().map(String::as_str));
        self.report_missing(missing, unknown);
    }

    /// What a template could name, nearest first.
    fn template_names(&self, walk: &Walk<'_>, scope: Scope<'_>) -> BTreeSet<String> {
        let mut known: BTreeSet<String> = walk.locals.iter().map(|local| local.name.clone()).collect();
        known.extend(self.program.profile.iter().map(|field| format!("profile.{}", field.field.name)));
        known.extend(self.program.lets.iter().map(|definition| definition.name.to_string()));
        known.insert("unsubscribe_url".to_owned());
        let Some(rule) = scope.rule else { return known };
        let elements = rule.elements.iter().map(|(name, _, events)| (name.to_string(), events));
        let trigger = rule.trigger.iter().map(|events| ("event".to_owned(), events));
        let answer = rule.answer.iter().map(|events| ("answer".to_owned(), events));
        for (root, events) in trigger.chain(answer).chain(elements) {
            let EventSet::Of(ids) = events else { continue };
            let fields = ids
                .iter()
                .filter_map(|id| self.program.events.get(id.0 as usize))
                .flat_map(|event| &event.fields);
            known.extend(fields.map(|field| format!("{root}.{}", field.name)));
        }
        known
    }
}

fn role_of(root: &str, rule: &RuleScope) -> Option<(EventRole, EventSet)> {
    if root == "event" {
        return rule.trigger.clone().map(|events| (EventRole::Trigger, events));
    }
    if root == "answer" {
        return rule.answer.clone().map(|events| (EventRole::Answer, events));
    }
    let (name, number, events) = rule.elements.iter().find(|(name, ..)| **name == *root)?;
    Some((EventRole::Element(*number, name.clone()), events.clone()))
}
