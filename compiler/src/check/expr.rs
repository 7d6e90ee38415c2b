//! Values and conditions.

use super::{Checker, Scope, words};
use crate::{
    diagnostics::{limits, names, types},
    limits::{MAX_CHOICES, MAX_PATTERN_BYTES, MAX_PATTERNS},
    pattern::ready,
    time,
    typed::{Expr, ExprKind, Function},
    types::Type,
    value::{Decimal, Value},
};
use segue_grammar::{
    ast::{self, Arithmetic, Comparison, Literal, TextTest},
    span::Span,
};
use std::sync::Arc;

impl Checker<'_> {
    /// A condition.
    pub(super) fn condition(&mut self, expr: &ast::Expr, scope: Scope<'_>) -> Option<Expr> {
        let condition = self.part(expr, scope)?;
        self.negations(&condition, scope);
        if scope.events.is_some() {
            self.judge_where(&condition);
        }
        Some(condition)
    }

    /// A condition, or a part of one.
    fn part(&mut self, expr: &ast::Expr, scope: Scope<'_>) -> Option<Expr> {
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
                Some(negate(
                    *negated,
                    Expr { kind: ExprKind::In { value: Box::new(value), choices }, ty: Type::Boolean, span },
                ))
            }
            ast::ExprKind::TextTest { value, negated, test, operand } => {
                let (value, operand) = (self.expr(value, scope), self.expr(operand, scope));
                let value = value?;
                let tested = self.text_test(value, *test, operand?, span)?;
                Some(negate(*negated, tested))
            }
            ast::ExprKind::IsKnown { value, negated } => {
                let value = self.expr(value, scope)?;
                let known = Expr { kind: ExprKind::IsKnown(Box::new(value)), ty: Type::Boolean, span };
                Some(negate(*negated, known))
            }
            ast::ExprKind::Not(inner) => boolean(ExprKind::Not(Box::new(self.part(inner, scope)?))),
            ast::ExprKind::And(list) => boolean(ExprKind::And(self.joined(list, scope)?)),
            ast::ExprKind::Or(list) => boolean(ExprKind::Or(self.joined(list, scope)?)),
            ast::ExprKind::AtLeastOf { count, conditions } => {
                let count = self.count(count, 1, 64);
                let conditions = self.conditions(conditions, scope);
                boolean(ExprKind::AtLeastOf { count: count?, conditions: conditions? })
            }
            ast::ExprKind::Held { condition, duration } => self.held(condition, duration, scope, span),
            ast::ExprKind::Did { .. }
            | ast::ExprKind::NoActivity(_)
            | ast::ExprKind::KnownFor(_)
            | ast::ExprKind::InSegment { .. }
            | ast::ExprKind::Count { .. }
            | ast::ExprKind::Aggregate { .. }
            | ast::ExprKind::LastOf { .. }
            | ast::ExprKind::TimeSince { .. }
            | ast::ExprKind::Regularly { .. }
            | ast::ExprKind::Streak { .. } => self.history(expr, scope),
        }
    }

    /// Conditions; every one is checked.
    fn conditions(&mut self, list: &[ast::Expr], scope: Scope<'_>) -> Option<Vec<Expr>> {
        let checked: Vec<Option<Expr>> = list.iter().map(|it| self.part(it, scope)).collect();
        checked.into_iter().collect()
    }

    /// Conditions with `and` or `or` between them, where what follows a `where` may be meant to belong to it.
    fn joined(&mut self, list: &[ast::Expr], scope: Scope<'_>) -> Option<Vec<Expr>> {
        let before = self.where_before.clone();
        let mut checked = Vec::new();
        for it in list {
            let part = self.part(it, scope);
            if let Some(events) = part.as_ref().and_then(|part| self.filtered(part)) {
                self.where_before = Some(events);
            }
            checked.push(part);
        }
        self.where_before = before;
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
        let (fits, wanted) = match function {
            Function::Coalesce => (arguments.len() >= 2, "two values or more"),
            _ => (arguments.len() == 1, "one value"),
        };
        if !fits {
            self.report(types::argument_count(span, &name.text, wanted, arguments.len()));
            return None;
        }
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
            (Function::Round, _) => Err(wants("a number")),
            (Function::Abs, _) => Err(wants("a number or a duration")),
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
            (Function::Coalesce, _) => Err(wants("values")),
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
        Some(Expr {
            kind: ExprKind::Compare { operator, left: Box::new(left), right: Box::new(right) },
            ty: Type::Boolean,
            span,
        })
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
                    let mut told = types::different_types(operand.span, item, &operand.ty, value.span);
                    if let Type::Object(fields) = &**item
                        && let Some(field) = fields.iter().find(|field| field.ty == operand.ty)
                    {
                        let list = self.text(value.span);
                        told = told.help(format!("name the field: `{list}.{} contains …`", field.name));
                    }
                    self.report(told);
                    return None;
                }
            }
            (Type::Text, _) if operand.ty == Type::Text => {}
            (Type::List(item), _) if **item == Type::Text && operand.ty == Type::Text => {}
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
            self.regex(pattern, operand.span)?;
        }
        let kind = ExprKind::TextTest { value: Box::new(value), test, operand: Box::new(operand) };
        Some(Expr { kind, ty: Type::Boolean, span })
    }

    /// A regular expression that can be used.
    fn regex(&mut self, pattern: &str, span: Span) -> Option<()> {
        if self.patterns.contains(pattern) {
            return Some(());
        }
        if pattern.len() > MAX_PATTERN_BYTES {
            let what = format!("this regular expression has {} bytes", pattern.len());
            self.report(limits::too_large(span, &what, MAX_PATTERN_BYTES));
            return None;
        }
        if self.patterns.len() == MAX_PATTERNS {
            let what = "the project has one more regular expression than it may";
            self.report(limits::too_large(span, what, MAX_PATTERNS));
            return None;
        }
        if let Err(error) = ready(pattern) {
            let why = match error {
                regex::Error::CompiledTooBig(_) => "it is too large when it is written out".to_owned(),
                error => first_line(&error.to_string()),
            };
            self.report(types::bad_regex(span, &why));
            return None;
        }
        self.patterns.insert(Arc::from(pattern));
        Some(())
    }

    /// Both have one type.
    pub(super) fn same_types(&mut self, left: &Expr, right: &Expr) -> Option<()> {
        if left.ty == right.ty {
            return Some(());
        }
        self.report(types::different_types(right.span, &left.ty, &right.ty, left.span));
        None
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
