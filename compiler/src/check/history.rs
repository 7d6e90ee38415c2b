//! Conditions and values over what a customer did.

use super::{Checker, Scope, expr::negate, words};
use crate::{
    diagnostics::{
        conditions::{self, About},
        limits, names, rules, types,
    },
    limits::{MAX_CALENDAR_DAYS, MAX_CALENDAR_WEEKS, MAX_DURATION, MAX_ELEMENTS, MAX_LAST_OF, MAX_TIMES},
    time,
    typed::{
        Aggregate, Calendar, Element, EventSet, Expr, ExprKind, FieldPath, Occurrence, Pattern, Sequence,
        SequenceId, Unit, Window,
    },
    types::{Field, Type},
    value::{Decimal, MILLIONTHS},
};
use segue_grammar::{
    ast::{self, Anchor, Bound, PatternEvents, WindowKind},
    span::Span,
};
use std::sync::Arc;

impl Checker<'_> {
    /// An expression that looks at history.
    pub(super) fn history(&mut self, expr: &ast::Expr, scope: Scope<'_>) -> Option<Expr> {
        let span = expr.span;
        if scope.events.is_some() {
            self.report(types::history_in_where(span, self.text(span)));
            return None;
        }
        let boolean = |kind| Some(Expr { kind, ty: Type::Boolean, span });
        match &expr.kind {
            ast::ExprKind::Did { sequence, times, window } => {
                let window = self.window(window.as_ref(), scope);
                let what = self.occurrence(sequence, scope);
                let what = match (what, window) {
                    (Some(Occurrence::Pattern(pattern)), Some(window)) => {
                        self.pattern_in(pattern, window, scope).map(Occurrence::Pattern)
                    }
                    (what, _) => what,
                };
                let (bound, count) = match times {
                    None => (Bound::AtLeast, Some(1)),
                    Some(times) => {
                        let least = if times.bound == Bound::AtLeast { 1 } else { 0 };
                        (times.bound, self.times(&times.count, least))
                    }
                };
                boolean(ExprKind::Did { what: what?, bound, count: count?, window: window? })
            }
            ast::ExprKind::NoActivity(duration) => boolean(ExprKind::NoActivity(self.duration(duration)?)),
            ast::ExprKind::KnownFor(duration) => boolean(ExprKind::KnownFor(self.duration(duration)?)),
            ast::ExprKind::InSegment { segment, negated } => {
                let id = self.segment(segment)?;
                Some(negate(*negated, Expr { kind: ExprKind::InSegment(id), ty: Type::Boolean, span }))
            }
            ast::ExprKind::Count { pattern, window } => {
                let (window, pattern) = (self.window(window.as_ref(), scope), self.pattern(pattern, scope));
                let window = window?;
                let pattern = self.pattern_in(pattern?, window, scope)?;
                Some(Expr { kind: ExprKind::Count { pattern, window }, ty: Type::Number, span })
            }
            ast::ExprKind::Aggregate { function, value, pattern, window } => {
                self.aggregate(*function, value, pattern, window.as_ref(), scope, span)
            }
            ast::ExprKind::LastOf { count, pattern, distinct_by, window } => {
                let count = self.count(count, 1, MAX_LAST_OF);
                let window = self.window(window.as_ref(), scope);
                let pattern = self.pattern(pattern, scope)?;
                let distinct_by = match distinct_by {
                    Some(path) => Some(self.scalar_path(&pattern.events, path)?),
                    None => None,
                };
                let ty = Type::List(Box::new(Type::Object(self.common_fields(&pattern.events))));
                let (count, window) = (count?, window?);
                let pattern = self.pattern_in(pattern, window, scope)?;
                Some(Expr { kind: ExprKind::LastOf { count, pattern, distinct_by, window }, ty, span })
            }
            ast::ExprKind::TimeSince { first, pattern } => {
                let pattern = self.pattern(pattern, scope)?;
                Some(Expr { kind: ExprKind::TimeSince { first: *first, pattern }, ty: Type::Duration, span })
            }
            ast::ExprKind::Regularly { pattern, at_least, of_last, unit } => {
                self.regularly(pattern, (at_least, of_last, unit), scope, span)
            }
            ast::ExprKind::Streak { pattern, unit } => {
                let (pattern, unit) = (self.pattern(pattern, scope)?, unit_of(unit));
                Some(Expr { kind: ExprKind::Streak { pattern, unit }, ty: Type::Number, span })
            }
            // INVARIANT: the caller hands over only the kinds above.
            _ => None,
        }
    }

    /// `in at least N of the last M days`.
    fn regularly(
        &mut self,
        pattern: &ast::Pattern,
        (at_least, of_last, unit): (&ast::NumberText, &ast::NumberText, &ast::Name),
        scope: Scope<'_>,
        span: Span,
    ) -> Option<Expr> {
        let unit = unit_of(unit);
        let most = match unit {
            Unit::Days => MAX_CALENDAR_DAYS,
            Unit::Weeks => MAX_CALENDAR_WEEKS,
        };
        let (count, last) = (self.count(at_least, 1, most), self.count(of_last, 1, most));
        let pattern = self.pattern(pattern, scope)?;
        let (count, last) = (count?, last?);
        if count > last {
            self.report(conditions::decided(span, false, self.text(span), About::Customers));
            return None;
        }
        Some(Expr { kind: ExprKind::Regularly { pattern, count, last, unit }, ty: Type::Boolean, span })
    }

    fn aggregate(
        &mut self,
        function: Aggregate,
        value: &ast::Expr,
        pattern: &ast::Pattern,
        window: Option<&ast::Window>,
        scope: Scope<'_>,
        span: Span,
    ) -> Option<Expr> {
        let window = self.window(window, scope);
        let pattern = self.pattern(pattern, scope)?;
        let value = self.expr(value, Scope { events: Some(&pattern.events), rule: None, ..scope })?;
        let fits = match function {
            Aggregate::Sum | Aggregate::Average => matches!(value.ty, Type::Number | Type::Duration),
            Aggregate::Smallest | Aggregate::Largest => value.ty.is_ordered(),
            Aggregate::First | Aggregate::Last | Aggregate::MostFrequent | Aggregate::DistinctCount => {
                value.ty.is_scalar()
            }
        };
        if !fits {
            self.report(types::no_aggregate(value.span, words::aggregate(function), &value.ty));
            return None;
        }
        let ty = if function == Aggregate::DistinctCount { Type::Number } else { value.ty.clone() };
        let window = window?;
        let pattern = self.pattern_in(pattern, window, scope)?;
        Some(Expr {
            kind: ExprKind::Aggregate { function, value: Box::new(value), pattern, window },
            ty,
            span,
        })
    }

    /// The fields of some events as an object's; those that differ in type are left out, and those that not every event
    /// has may be missing.
    fn common_fields(&self, events: &EventSet) -> Vec<Field> {
        let EventSet::Of(ids) = events else { return Vec::new() };
        let declared: Vec<_> = ids.iter().filter_map(|id| self.program.events.get(id.0 as usize)).collect();
        let mut fields: Vec<Field> = Vec::new();
        for field in declared.iter().flat_map(|event| &event.fields) {
            let same: Vec<Option<&Field>> = declared
                .iter()
                .map(|event| event.fields.iter().find(|other| other.name == field.name))
                .collect();
            let differs = same.iter().flatten().any(|other| other.ty != field.ty);
            if differs || fields.iter().any(|other| other.name == field.name) {
                continue;
            }
            let optional = same.iter().any(|other| other.is_none_or(|other| other.optional));
            fields.push(Field { optional, ..field.clone() });
        }
        fields
    }

    /// A window; none is all of history.
    fn window(&mut self, window: Option<&ast::Window>, scope: Scope<'_>) -> Option<Window> {
        let Some(window) = window else { return Some(Window::Always) };
        match &window.kind {
            WindowKind::InTheLast(duration) => self.duration(duration).map(Window::Last),
            WindowKind::Ago { from, to } => {
                let (near, far) = (self.duration(from), self.duration(to));
                let (near, far) = (near?, far?);
                if near >= far {
                    self.report(conditions::ago_reversed(
                        window.span,
                        self.text(from.span),
                        self.text(to.span),
                    ));
                    return None;
                }
                Some(Window::Ago { near, far })
            }
            WindowKind::Since(since) => {
                let at = match &since.kind {
                    ast::ExprKind::Literal(ast::Literal::Date(text) | ast::Literal::Instant(text)) => {
                        time::parse_local(text, &self.project.time_zone)
                    }
                    _ => None,
                };
                if at.is_none() {
                    self.report(limits::no_such_date(since.span, self.text(since.span)));
                }
                at.map(Window::Since)
            }
            WindowKind::InThisMatch
                if scope.in_held && scope.rule.is_some_and(|rule| rule.trigger.is_some()) =>
            {
                self.report(types::no_event_for_a_while(window.span, "in this match"));
                None
            }
            WindowKind::InThisMatch if scope.rule.is_some_and(|rule| rule.trigger.is_some()) => {
                Some(Window::ThisMatch)
            }
            WindowKind::InThisMatch if scope.rule.is_some_and(|rule| rule.refused) => None,
            WindowKind::InThisMatch => {
                self.report(types::no_match(window.span));
                None
            }
            WindowKind::ThisSession => {
                self.program.sessions = true;
                Some(Window::ThisSession)
            }
            WindowKind::Today => Some(Window::Calendar(Calendar::Days(1))),
            WindowKind::ThisWeek => Some(Window::Calendar(Calendar::Week)),
            WindowKind::ThisMonth => Some(Window::Calendar(Calendar::Month)),
            WindowKind::CalendarDays(count) => {
                let count = self.count(count, 1, MAX_CALENDAR_DAYS)?;
                Some(Window::Calendar(Calendar::Days(count)))
            }
        }
    }

    /// The events of which a condition looks at some only, by a `where`.
    pub(super) fn filtered(&self, condition: &Expr) -> Option<EventSet> {
        let pattern = match &condition.kind {
            ExprKind::Not(inner) => return self.filtered(inner),
            ExprKind::Did { what: Occurrence::Pattern(pattern), .. }
            | ExprKind::Regularly { pattern, .. } => pattern,
            ExprKind::Did { what: Occurrence::Sequence(id), .. } => {
                &self.program.sequences.get(id.0 as usize)?.elements.last()?.pattern
            }
            _ => return None,
        };
        pattern.filter.as_ref().map(|_| pattern.events.clone())
    }

    /// A pattern and its filter.
    pub(super) fn pattern(&mut self, pattern: &ast::Pattern, scope: Scope<'_>) -> Option<Pattern> {
        let events = self.events(&pattern.events)?;
        let filter = match &pattern.filter {
            None => None,
            Some(filter) => Some(Box::new(self.condition(filter, Scope { events: Some(&events), ..scope })?)),
        };
        Some(Pattern { events, filter, span: pattern.span, since: 0 })
    }

    fn events(&mut self, events: &PatternEvents) -> Option<EventSet> {
        let names = match events {
            PatternEvents::Any(_) => return Some(EventSet::Any),
            PatternEvents::Named(names) => names,
        };
        let ids: Vec<_> = names.iter().map(|name| self.event(name)).collect();
        let mut ids: Vec<_> = ids.into_iter().collect::<Option<_>>()?;
        ids.sort_unstable();
        ids.dedup();
        Some(EventSet::Of(ids))
    }

    fn occurrence(&mut self, sequence: &ast::Sequence, scope: Scope<'_>) -> Option<Occurrence> {
        if let ([element], None) = (sequence.elements.as_slice(), &sequence.then_no)
            && element.first_time.is_none()
        {
            self.sequence_words(sequence);
            return self.pattern(&element.pattern, scope).map(Occurrence::Pattern);
        }
        let plain = Scope { rule: None, in_sequence: true, ..scope };
        self.sequence(sequence, plain).map(Occurrence::Sequence)
    }

    /// A sequence that needs a matcher.
    pub(super) fn sequence(&mut self, sequence: &ast::Sequence, scope: Scope<'_>) -> Option<SequenceId> {
        if sequence.elements.len() > MAX_ELEMENTS {
            let what = format!("this sequence has {} elements", sequence.elements.len());
            self.report(limits::too_large(sequence.span, &what, MAX_ELEMENTS));
            return None;
        }
        let several = sequence.elements.len() > 1 || sequence.then_no.is_some();
        let scope = Scope { among_others: several, ..scope };
        let mut elements = Vec::new();
        for (element, number) in sequence.elements.iter().zip(0_usize..) {
            elements.push(self.element(element, number == 0, scope));
        }
        let then_no = sequence.then_no.as_ref().map(|element| {
            let pattern = self.pattern(&element.pattern, scope);
            Some((pattern?, self.within(element)?))
        });
        let elements: Vec<Element> = elements.into_iter().collect::<Option<_>>()?;
        let then_no = match then_no {
            Some(then_no) => Some(then_no?),
            None => None,
        };
        self.sequence_words(sequence);
        let first_time = sequence.elements.first().is_some_and(|element| element.first_time.is_some());
        let same = self.same(sequence, &elements, then_no.as_ref().map(|(pattern, _)| pattern))?;
        let checked = Sequence {
            anchor: sequence.anchor,
            first_time,
            elements,
            then_no,
            same,
            span: sequence.span,
            since: 0,
            idle: false,
        };
        self.program.sequences.push(checked);
        u32::try_from(self.program.sequences.len() - 1).ok().map(SequenceId)
    }

    /// Words that say how several events belong together, where there is only one; and names given twice.
    fn sequence_words(&mut self, sequence: &ast::Sequence) {
        if sequence.elements.len() == 1 && sequence.then_no.is_none() {
            if sequence.anchor != Anchor::Latest {
                self.report(conditions::anchor_without_sequence(sequence.span));
            }
            if let Some(path) = sequence.same.first() {
                self.report(conditions::same_without_sequence(path.span));
            }
        }
        let mut known: Vec<&ast::Name> = Vec::new();
        for name in sequence.elements.iter().filter_map(|element| element.name.as_ref()) {
            match known.iter().find(|other| other.text == name.text) {
                Some(first) => self.report(names::duplicate_name(name.span, &name.text, first.span)),
                None => known.push(name),
            }
        }
    }

    fn element(&mut self, element: &ast::Element, first: bool, scope: Scope<'_>) -> Option<Element> {
        let pattern = self.pattern(&element.pattern, scope);
        let within = if first { Some(0) } else { self.within(element) };
        let name = element.name.as_ref().map(|name| Arc::from(name.text.as_str()));
        Some(Element { pattern: pattern?, name, within: within? })
    }

    fn within(&mut self, element: &ast::Element) -> Option<i64> {
        match &element.within {
            Some(duration) => self.duration(duration),
            None => {
                self.report(rules::missing_within(
                    element.span,
                    self.text(element.span).starts_with("then no"),
                ));
                None
            }
        }
    }

    fn same(
        &mut self,
        sequence: &ast::Sequence,
        elements: &[Element],
        then_no: Option<&Pattern>,
    ) -> Option<Vec<FieldPath>> {
        let mut same = Vec::new();
        for path in &sequence.same {
            let mut found: Option<(FieldPath, Type)> = None;
            for pattern in elements.iter().map(|element| &element.pattern).chain(then_no) {
                let (checked, ty) = self.field_path(&pattern.events, &path.parts, path.span)?;
                if !ty.is_scalar() {
                    self.report(types::not_scalar(path.span, &ty));
                    return None;
                }
                if let Some((_, other)) = &found
                    && *other != ty
                {
                    self.report(types::different_types(path.span, other, &ty, path.span));
                    return None;
                }
                found = Some((checked, ty));
            }
            same.extend(found.map(|(path, _)| path));
        }
        Some(same)
    }

    pub(super) fn scalar_path(&mut self, events: &EventSet, path: &ast::Path) -> Option<FieldPath> {
        let (checked, ty) = self.field_path(events, &path.parts, path.span)?;
        if ty.is_scalar() {
            return Some(checked);
        }
        self.report(types::not_scalar(path.span, &ty));
        None
    }

    /// A duration in milliseconds.
    pub(super) fn duration(&mut self, duration: &ast::Duration) -> Option<i64> {
        let unit: i64 = match duration.unit.as_str() {
            "millisecond" => 1,
            "second" => 1_000,
            "minute" => 60_000,
            "hour" => 3_600_000,
            "day" => 86_400_000,
            "week" => 7 * 86_400_000,
            unit => {
                self.report(limits::calendar_unit(duration.span, unit, &duration.amount));
                return None;
            }
        };
        let amount = Decimal::parse(&duration.amount).map(|amount| i128::from(amount.0));
        let millionths = amount.and_then(|amount| amount.checked_mul(i128::from(unit)));
        let million = i128::from(MILLIONTHS);
        let length = millionths
            .filter(|length| length % million == 0)
            .and_then(|length| i64::try_from(length / million).ok());
        match (millionths, length) {
            (_, Some(length)) if length <= 0 => {
                self.report(limits::not_positive(duration.span, self.text(duration.span)))
            }
            (_, Some(length)) if length <= MAX_DURATION => return Some(length),
            (Some(millionths), None) if millionths % million != 0 => {
                self.report(limits::not_whole(duration.span, self.text(duration.span)))
            }
            _ => self.report(limits::too_long(duration.span, self.text(duration.span))),
        }
        None
    }

    /// How often something was done.
    fn times(&mut self, number: &ast::NumberText, least: u32) -> Option<u32> {
        let parsed = number.text.parse::<u32>().ok().filter(|count| (least..=MAX_TIMES).contains(count));
        if parsed.is_none() {
            self.report(limits::times_out_of_range(number.span, &number.text, least, MAX_TIMES));
        }
        parsed
    }

    /// A whole number within bounds.
    pub(super) fn count(&mut self, number: &ast::NumberText, least: u32, most: u32) -> Option<u32> {
        let parsed = number.text.parse::<u32>().ok().filter(|count| (least..=most).contains(count));
        if parsed.is_none() {
            self.report(limits::count_out_of_range(number.span, &number.text, least, most));
        }
        parsed
    }
}

/// `day` or `week`, as the parser gives it.
fn unit_of(unit: &ast::Name) -> Unit {
    if unit.text == "week" { Unit::Weeks } else { Unit::Days }
}
