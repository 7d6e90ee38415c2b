//! Values and conditions.

use super::{Checker, Scope, words};
use crate::{
    diagnostics::{conditions, limits, names, rules, types},
    limits::{MAX_CHOICES, MAX_PATTERN_BYTES},
    time,
    typed::{EventRole, EventSet, EventType, Expr, ExprKind, FieldPath, Function},
    types::Type,
    value::{Decimal, Value},
};
use regex::Regex;
use segue_grammar::{
    Diagnostic,
    ast::{self, Arithmetic, Comparison, Literal, TextTest},
    span::Span,
};
use std::sync::Arc;

impl Checker<'_> {
    /// A condition.
    pub(super) fn condition(&mut self, expr: &ast::Expr, scope: Scope<'_>) -> Option<Expr> {
        let condition = self.expr(expr, scope)?;
        if condition.ty != Type::Boolean {
            self.report(types::not_a_condition(expr.span, self.text(expr.span), &condition.ty));
            return None;
        }
        Some(condition)
    }

    /// An expression of any type.
    pub(super) fn expr(&mut self, expr: &ast::Expr, scope: Scope<'_>) -> Option<Expr> {
        let span = expr.span;
        let boolean = |kind| Some(Expr { kind, ty: Type::Boolean, span });
        match &expr.kind {
            ast::ExprKind::Literal(literal) => self.literal(literal, span),
            ast::ExprKind::Path(path) => self.path(path, scope),
            ast::ExprKind::Call { function, arguments } => self.call(function, arguments, scope, span),
            ast::ExprKind::Arithmetic { operator, left, right } => {
                self.arithmetic(*operator, left, right, scope, span)
            }
            ast::ExprKind::Compare { operator, left, right } => {
                self.compare(*operator, left, right, scope, span)
            }
            ast::ExprKind::Between { value, low, high } => self.between(value, low, high, scope, span),
            ast::ExprKind::In { value, negated, choices } => {
                if choices.len() > MAX_CHOICES {
                    let what = format!("`in` has {} choices", choices.len());
                    self.report(limits::too_large(span, &what, MAX_CHOICES));
                    return None;
                }
                let checked = self.expr(value, scope);
                let choices: Vec<Option<Expr>> =
                    choices.iter().map(|choice| self.expr(choice, scope)).collect();
                let (value, choices) = (checked?, choices.into_iter().collect::<Option<Vec<Expr>>>()?);
                for choice in &choices {
                    self.same_types(&value, choice)?;
                }
                if *negated {
                    self.negated(&value, scope, span);
                }
                Some(negate(
                    *negated,
                    Expr { kind: ExprKind::In { value: Box::new(value), choices }, ty: Type::Boolean, span },
                ))
            }
            ast::ExprKind::TextTest { value, negated, test, operand } => {
                let (value, operand) = (self.expr(value, scope), self.expr(operand, scope));
                let value = value?;
                if *negated {
                    self.negated(&value, scope, span);
                }
                let tested = self.text_test(value, *test, operand?, span)?;
                Some(negate(*negated, tested))
            }
            ast::ExprKind::IsKnown { value, negated } => {
                let value = self.expr(value, scope)?;
                let known = Expr { kind: ExprKind::IsKnown(Box::new(value)), ty: Type::Boolean, span };
                Some(negate(*negated, known))
            }
            ast::ExprKind::Not(inner) => boolean(ExprKind::Not(Box::new(self.condition(inner, scope)?))),
            ast::ExprKind::And(list) => boolean(ExprKind::And(self.conditions(list, scope)?)),
            ast::ExprKind::Or(list) => boolean(ExprKind::Or(self.conditions(list, scope)?)),
            ast::ExprKind::AtLeastOf { count, conditions } => {
                let count = self.count(count, 1, 64);
                let conditions = self.conditions(conditions, scope);
                boolean(ExprKind::AtLeastOf { count: count?, conditions: conditions? })
            }
            ast::ExprKind::Regularly { .. } => self.unsupported("`in at least … of the last …`", span),
            ast::ExprKind::Streak { .. } => self.unsupported("`streak of`", span),
            ast::ExprKind::Held { .. } => self.unsupported("`(…) for`", span),
            ast::ExprKind::Did { .. }
            | ast::ExprKind::NoActivity(_)
            | ast::ExprKind::KnownFor(_)
            | ast::ExprKind::InSegment { .. }
            | ast::ExprKind::Count { .. }
            | ast::ExprKind::Aggregate { .. }
            | ast::ExprKind::LastOf { .. }
            | ast::ExprKind::TimeSince { .. } => self.history(expr, scope),
        }
    }

    pub(super) fn unsupported<T>(&mut self, what: &str, span: Span) -> Option<T> {
        self.report(rules::not_supported(span, what));
        None
    }

    /// Conditions; every one is checked.
    fn conditions(&mut self, list: &[ast::Expr], scope: Scope<'_>) -> Option<Vec<Expr>> {
        let checked: Vec<Option<Expr>> = list.iter().map(|it| self.condition(it, scope)).collect();
        checked.into_iter().collect()
    }

    fn literal(&mut self, literal: &Literal, span: Span) -> Option<Expr> {
        let (value, ty) = match literal {
            Literal::Text(text) => (Value::text(text), Type::Text),
            Literal::Number(digits) => (self.number(digits, span)?, Type::Number),
            Literal::Percent(digits) => {
                let percent =
                    Decimal::parse(digits).and_then(|number| number.checked_div(Decimal(100_000_000)));
                (Value::Number(self.or_too_large(percent, span)?), Type::Number)
            }
            Literal::Boolean(value) => (Value::Boolean(*value), Type::Boolean),
            Literal::Duration(duration) => (Value::Duration(self.duration(duration)?), Type::Duration),
            Literal::Date(text) => match time::parse_date(text) {
                Some(days) => (Value::Date(days), Type::Date),
                None => return self.no_such_date(text, span),
            },
            Literal::Instant(text) => match time::parse_local(text, &self.project.time_zone) {
                Some(at) => (Value::Time(at), Type::Time),
                None => return self.no_such_date(text, span),
            },
            Literal::Time(_) | Literal::List(_) | Literal::Object(_) => {
                self.report(limits::misplaced_literal(span, self.text(span)));
                return None;
            }
        };
        Some(Expr { kind: ExprKind::Literal(value), ty, span })
    }

    fn no_such_date<T>(&mut self, text: &str, span: Span) -> Option<T> {
        self.report(limits::no_such_date(span, text));
        None
    }

    fn number(&mut self, digits: &str, span: Span) -> Option<Value> {
        self.or_too_large(Decimal::parse(digits), span).map(Value::Number)
    }

    fn or_too_large(&mut self, number: Option<Decimal>, span: Span) -> Option<Decimal> {
        if number.is_none() {
            self.report(limits::number_too_large(span, self.text(span)));
        }
        number
    }

    fn call(
        &mut self,
        name: &ast::Name,
        arguments: &[ast::Expr],
        scope: Scope<'_>,
        span: Span,
    ) -> Option<Expr> {
        let checked: Vec<Option<Expr>> =
            arguments.iter().map(|argument| self.expr(argument, scope)).collect();
        let Some(function) = words::function(&name.text) else {
            let known = words::FUNCTIONS.iter().map(|(name, _)| *name);
            self.report(names::unknown_function(name.span, &name.text, known));
            return None;
        };
        let arguments: Vec<Expr> = checked.into_iter().collect::<Option<_>>()?;
        let first = arguments.first().map(|argument| argument.ty.clone());
        let wants = |expected: &str| types::wrong_argument(span, &name.text, expected, first.as_ref());
        let ty = match (function, arguments.as_slice()) {
            (Function::Lower | Function::Upper | Function::Trim, [Expr { ty: Type::Text, .. }]) => {
                Ok(Type::Text)
            }
            (Function::Lower | Function::Upper | Function::Trim, _) => Err(wants("a text")),
            (Function::Length, [Expr { ty: Type::Text | Type::List(_), .. }]) => Ok(Type::Number),
            (Function::Length, _) => Err(wants("a text or a list")),
            (Function::Round | Function::Abs, [Expr { ty: Type::Number, .. }]) => Ok(Type::Number),
            (Function::Abs, [Expr { ty: Type::Duration, .. }]) => Ok(Type::Duration),
            (Function::Round | Function::Abs, _) => Err(wants("a number")),
            (Function::Hour, [Expr { ty: Type::Time, .. }]) => Ok(Type::Number),
            (Function::Hour, _) => Err(wants("a time")),
            (Function::Day | Function::Month, [Expr { ty: Type::Time | Type::Date, .. }]) => Ok(Type::Number),
            (Function::Weekday, [Expr { ty: Type::Time | Type::Date, .. }]) => Ok(Type::Text),
            (Function::Day | Function::Month | Function::Weekday, _) => Err(wants("a time or a date")),
            (Function::Coalesce, [first, second, rest @ ..]) => {
                self.same_types(first, second)?;
                for argument in rest {
                    self.same_types(first, argument)?;
                }
                Ok(first.ty.clone())
            }
            (Function::Coalesce, _) => Err(wants("two values or more")),
        };
        match ty {
            Ok(ty) => Some(Expr { kind: ExprKind::Call { function, arguments }, ty, span }),
            Err(diagnostic) => {
                self.report(diagnostic);
                None
            }
        }
    }

    fn arithmetic(
        &mut self,
        operator: Arithmetic,
        left: &ast::Expr,
        right: &ast::Expr,
        scope: Scope<'_>,
        span: Span,
    ) -> Option<Expr> {
        let (left, right) = (self.expr(left, scope), self.expr(right, scope));
        let (left, right) = (left?, right?);
        let ty = match (operator, &left.ty, &right.ty) {
            (_, Type::Number, Type::Number) => Type::Number,
            (Arithmetic::Add | Arithmetic::Subtract, Type::Duration, Type::Duration)
            | (Arithmetic::Subtract, Type::Time, Type::Time)
            | (Arithmetic::Multiply | Arithmetic::Divide, Type::Duration, Type::Number)
            | (Arithmetic::Multiply, Type::Number, Type::Duration) => Type::Duration,
            (Arithmetic::Add | Arithmetic::Subtract, Type::Time, Type::Duration)
            | (Arithmetic::Add, Type::Duration, Type::Time) => Type::Time,
            _ => {
                self.report(types::arithmetic(span, words::arithmetic(operator), &left.ty, &right.ty));
                return None;
            }
        };
        Some(Expr {
            kind: ExprKind::Arithmetic { operator, left: Box::new(left), right: Box::new(right) },
            ty,
            span,
        })
    }

    fn compare(
        &mut self,
        operator: Comparison,
        left: &ast::Expr,
        right: &ast::Expr,
        scope: Scope<'_>,
        span: Span,
    ) -> Option<Expr> {
        let (left, right) = (self.expr(left, scope), self.expr(right, scope));
        let (left, right) = (left?, right?);
        self.same_types(&left, &right)?;
        let ordered = !matches!(operator, Comparison::Equal | Comparison::NotEqual);
        if ordered && !left.ty.is_ordered() {
            self.report(types::not_ordered(span, words::comparison(operator), &left.ty));
            return None;
        }
        if operator == Comparison::NotEqual {
            self.negated(&left, scope, span);
        }
        Some(Expr {
            kind: ExprKind::Compare { operator, left: Box::new(left), right: Box::new(right) },
            ty: Type::Boolean,
            span,
        })
    }

    /// Warns where a negation meets an optional field: it holds where the field is missing.
    fn negated(&mut self, value: &Expr, scope: Scope<'_>, span: Span) {
        let optional = match &value.kind {
            ExprKind::Profile { field, .. } => {
                self.program.profile.get(field.0 as usize).is_some_and(|it| it.field.optional)
            }
            ExprKind::Field { of, path: FieldPath::Property(path) } => {
                let rule = scope.rule;
                let events = match of {
                    EventRole::This => scope.events.cloned(),
                    EventRole::Trigger => rule.and_then(|rule| rule.trigger.clone()),
                    EventRole::Element(number, _) => rule
                        .and_then(|rule| rule.elements.iter().find(|(_, n, _)| n == number))
                        .map(|it| it.2.clone()),
                };
                self.is_optional_in(events.as_ref(), path)
            }
            _ => false,
        };
        if optional {
            let path = self.text(value.span).to_owned();
            self.report(conditions::negated_optional(span, &path));
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

    fn between(
        &mut self,
        value: &ast::Expr,
        low: &ast::Expr,
        high: &ast::Expr,
        scope: Scope<'_>,
        span: Span,
    ) -> Option<Expr> {
        let (value, low, high) = (self.expr(value, scope), self.expr(low, scope), self.expr(high, scope));
        let (value, low, high) = (value?, low?, high?);
        self.same_types(&value, &low)?;
        self.same_types(&value, &high)?;
        if !value.ty.is_ordered() {
            self.report(types::not_ordered(span, "between", &value.ty));
            return None;
        }
        let kind = ExprKind::Between { value: Box::new(value), low: Box::new(low), high: Box::new(high) };
        Some(Expr { kind, ty: Type::Boolean, span })
    }

    fn text_test(&mut self, value: Expr, test: TextTest, operand: Expr, span: Span) -> Option<Expr> {
        match (&value.ty, test) {
            (Type::List(item), TextTest::Contains) => {
                if **item != operand.ty {
                    self.report(types::different_types(operand.span, item, &operand.ty, value.span));
                    return None;
                }
            }
            (Type::Text, _) if operand.ty == Type::Text => {}
            (Type::Text, _) => {
                self.report(types::different_types(operand.span, &Type::Text, &operand.ty, value.span));
                return None;
            }
            _ => {
                self.report(types::no_text_test(value.span, words::text_test(test), &value.ty));
                return None;
            }
        }
        if test == TextTest::Matches {
            let ExprKind::Literal(Value::Text(pattern)) = &operand.kind else {
                self.report(types::regex_not_literal(operand.span));
                return None;
            };
            if pattern.len() > MAX_PATTERN_BYTES {
                let what = format!("this regular expression has {} bytes", pattern.len());
                self.report(limits::too_large(operand.span, &what, MAX_PATTERN_BYTES));
                return None;
            }
            if let Err(error) = Regex::new(pattern) {
                self.report(types::bad_regex(operand.span, &first_line(&error.to_string())));
                return None;
            }
        }
        let kind = ExprKind::TextTest { value: Box::new(value), test, operand: Box::new(operand) };
        Some(Expr { kind, ty: Type::Boolean, span })
    }

    /// Both have one type.
    pub(super) fn same_types(&mut self, left: &Expr, right: &Expr) -> Option<()> {
        if left.ty == right.ty {
            return Some(());
        }
        self.report(types::different_types(right.span, &left.ty, &right.ty, left.span));
        None
    }

    fn path(&mut self, path: &ast::Path, scope: Scope<'_>) -> Option<Expr> {
        let (first, rest) = path.parts.split_first()?;
        match (first.text.as_str(), rest) {
            ("profile", [field, rest @ ..]) => return self.profile_path(field, rest, path.span),
            ("event", [_, ..]) => {
                return self.role_path(&EventRole::Trigger, "event", rest, scope, path.span);
            }
            ("answer", [_, ..]) => {
                return self.unsupported("`answer`", path.span);
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
            return self.field(EventRole::This, events, &path.parts, path.span);
        }
        if rest.is_empty()
            && let Some(id) = self.let_id(&first.text)
        {
            let ty = self.program.lets.get(id.0 as usize)?.value.ty.clone();
            return Some(Expr { kind: ExprKind::Let(id), ty, span: path.span });
        }
        // A let that was refused was reported where it stands.
        if !(rest.is_empty() && self.is_refused_let(&first.text)) {
            let known = self.names_in_scope(scope);
            self.report(names::unknown_name(path.span, &first.text, known.iter().map(String::as_str)));
        }
        None
    }

    fn profile_path(&mut self, field: &ast::Name, rest: &[ast::Name], span: Span) -> Option<Expr> {
        if field.text == "consent" {
            return self.consent_path(rest, span);
        }
        let Some(id) = self.profile_field(&field.text) else {
            let known = self.program.profile.iter().map(|it| &*it.field.name);
            self.report(names::unknown_profile_field(field.span, &field.text, known));
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
        let events = scope.rule.and_then(|rule| match role {
            EventRole::This | EventRole::Trigger => rule.trigger.clone(),
            EventRole::Element(number, _) => {
                rule.elements.iter().find(|(_, n, _)| n == number).map(|(_, _, events)| events.clone())
            }
        });
        match events {
            Some(events) => self.field(role.clone(), &events, rest, span),
            None => {
                if scope.rule.is_none_or(|rule| !rule.refused) {
                    self.report(types::no_event(span, word, scope.in_sequence));
                }
                None
            }
        }
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
                self.report(diagnostic);
                None
            }
            None => {
                let diagnostic = self.unknown_field(events, parts, span);
                self.report(diagnostic);
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

/// The first line of an error that has several.
fn first_line(text: &str) -> String {
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(text)
        .trim()
        .trim_start_matches("error: ")
        .to_owned()
}

/// The expression or its negation.
pub(super) fn negate(negated: bool, expr: Expr) -> Expr {
    if !negated {
        return expr;
    }
    let span = expr.span;
    Expr { kind: ExprKind::Not(Box::new(expr)), ty: Type::Boolean, span }
}
