//! The meaning of conditions and values: a pure function of (history, profile, now) and, in rules, the match [2].

use super::{
    Reference,
    customer::{Customer, Event},
    operators,
    sequence::Match,
};
use crate::{
    calendar::Habit,
    content::Scope,
    time::Zone,
    typed::{
        Aggregate, Bound, Comparison, EventRole, Expr, ExprKind, FieldId, FieldPath, Function, LetId,
        Occurrence, Pattern, TextTest, visit,
    },
    types::Type,
    value::{Decimal, Millis, Value},
};
use std::sync::Arc;

/// What a condition is asked of.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) reference: &'a Reference,
    pub(super) customer: &'a Customer,
    pub(super) now: Millis,
    /// In rules: the match that triggered the run.
    pub(super) found: Option<&'a Match>,
    /// In rules: the event that ended a wait.
    pub(super) answer: Option<&'a Event>,
}

/// The event that a `where`, or the value of an aggregate, looks at.
#[derive(Clone, Copy)]
pub(super) enum This<'a> {
    /// None: the condition is not within a `where`.
    Nothing,
    /// What is asked was decided when this event was applied, or is decided at its application now.
    Applied(&'a Event),
    /// The event is remembered, and more than it is looked at: what it says itself was decided when it was applied, and
    /// was kept.
    Remembered(&'a Event),
}

impl<'a> Asked<'a> {
    /// Whether a condition holds.
    pub(super) fn holds(&self, condition: &Expr, this: This<'_>) -> bool {
        match &condition.kind {
            ExprKind::Literal(value) => *value == Value::Boolean(true),
            ExprKind::Not(inner) => !self.holds(inner, this),
            ExprKind::And(all) => all.iter().all(|one| self.holds(one, this)),
            ExprKind::Or(any) => any.iter().any(|one| self.holds(one, this)),
            ExprKind::AtLeastOf { count, conditions } => {
                conditions.iter().filter(|one| self.holds(one, this)).count() >= *count as usize
            }
            ExprKind::Compare { operator, left, right } => self.compare(*operator, left, right, this),
            ExprKind::Between { value, low, high } => {
                self.compare(Comparison::GreaterOrEqual, value, low, this)
                    && self.compare(Comparison::LessOrEqual, value, high, this)
            }
            ExprKind::In { value, choices } => {
                choices.iter().any(|choice| self.compare(Comparison::Equal, value, choice, this))
            }
            ExprKind::TextTest { value, test, operand } => self.text_test(value, *test, operand, this),
            ExprKind::IsKnown(value) => self.value(value, this).is_known(),
            ExprKind::InSegment(segment) => self.customer.is_member(*segment),
            ExprKind::Did { what, bound, count, window } => {
                let occurred = match what {
                    Occurrence::Pattern(pattern) => self.occurrences(pattern, *window),
                    Occurrence::Sequence(sequence) => self.completions(*sequence, *window),
                };
                match bound {
                    Bound::AtLeast => occurred >= *count as usize,
                    Bound::AtMost => occurred <= *count as usize,
                    Bound::Exactly => occurred == *count as usize,
                }
            }
            ExprKind::NoActivity(duration) => self.is_known_for(*duration) && !self.was_active(*duration),
            ExprKind::KnownFor(duration) => self.is_known_for(*duration),
            ExprKind::Held { id, condition: _, duration } => {
                let since = self.customer.lasting.get(id.0 as usize).copied().flatten();
                since.is_some_and(|since| self.now.saturating_sub(since) >= *duration)
            }
            ExprKind::Regularly { pattern, count, last, unit } => {
                self.habit(pattern, *unit, Habit::Of(*last)) >= *count as usize
            }
            ExprKind::Profile { .. }
            | ExprKind::Consent { .. }
            | ExprKind::Field { .. }
            | ExprKind::Let(_)
            | ExprKind::Call { .. }
            | ExprKind::Arithmetic { .. }
            | ExprKind::Count { .. }
            | ExprKind::Aggregate { .. }
            | ExprKind::LastOf { .. }
            | ExprKind::TimeSince { .. }
            | ExprKind::Streak { .. } => self.value(condition, this) == Value::Boolean(true),
        }
    }

    /// The value of an expression.
    pub(super) fn value(&self, expr: &Expr, this: This<'_>) -> Value {
        if let This::Remembered(event) = this
            && is_decided_by_event(expr)
            && looks_at_event(expr)
        {
            return self.value(expr, This::Applied(event)).kept();
        }
        match &expr.kind {
            ExprKind::Literal(value) => value.clone(),
            ExprKind::Profile { field, path } => self.customer.profile(*field).at(path),
            ExprKind::Consent { channel, topic } => {
                let recorded = self.customer.consent.recorded(&self.reference.program, channel, *topic);
                recorded.map_or(Value::Missing, Value::Boolean)
            }
            ExprKind::Field { of, path } => self.field(of, path, this),
            ExprKind::Let(id) => self.let_of(*id),
            ExprKind::Call { function, arguments } => self.call(*function, arguments, this),
            ExprKind::Arithmetic { operator, left, right } => {
                operators::arithmetic(*operator, &self.value(left, this), &self.value(right, this))
            }
            ExprKind::Count { pattern, window } => whole(self.count(pattern, *window)),
            ExprKind::Aggregate { function, value, pattern, window } => {
                self.aggregate(*function, value, pattern, *window)
            }
            ExprKind::LastOf { count, pattern, distinct_by, window } => {
                self.last_of(*count as usize, pattern, distinct_by.as_ref(), *window)
            }
            ExprKind::TimeSince { first, pattern } => self.time_since(*first, pattern),
            ExprKind::Streak { pattern, unit } => whole(self.habit(pattern, *unit, Habit::Streak)),
            ExprKind::Compare { .. }
            | ExprKind::Between { .. }
            | ExprKind::In { .. }
            | ExprKind::TextTest { .. }
            | ExprKind::IsKnown(_)
            | ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::AtLeastOf { .. }
            | ExprKind::InSegment(_)
            | ExprKind::Did { .. }
            | ExprKind::NoActivity(_)
            | ExprKind::KnownFor(_)
            | ExprKind::Held { .. }
            | ExprKind::Regularly { .. } => Value::Boolean(self.holds(expr, this)),
        }
    }

    /// Whether an event that is applied now matches a pattern of a sequence: with the profile of now.
    pub(super) fn matches(&self, pattern: &Pattern, event: &Event) -> bool {
        pattern.is_of(event.id)
            && pattern.filter.as_ref().is_none_or(|it| self.holds(it, This::Applied(event)))
    }

    /// The customer's zone now.
    pub(super) fn zone_now(&self) -> Zone {
        self.reference.zone(self.customer)
    }

    fn compare(&self, operator: Comparison, left: &Expr, right: &Expr, this: This<'_>) -> bool {
        operators::compare(operator, &self.value(left, this), &self.value(right, this))
    }

    fn text_test(&self, value: &Expr, test: TextTest, operand: &Expr, this: This<'_>) -> bool {
        let value = self.value(value, this);
        if let (TextTest::Matches, ExprKind::Literal(Value::Text(pattern))) = (test, &operand.kind) {
            let regex = self.reference.regexes.get(pattern.as_str());
            let is_match =
                |it: &Value| it.as_text().is_some_and(|text| regex.is_some_and(|regex| regex.is_match(text)));
            return match &value {
                Value::List(items) => items.iter().any(is_match),
                value => is_match(value),
            };
        }
        operators::text_test(test, &value, &self.value(operand, this))
    }

    fn field(&self, of: &EventRole, path: &FieldPath, this: This<'_>) -> Value {
        let event = match (of, this) {
            (EventRole::This, This::Applied(event) | This::Remembered(event)) => Some(event),
            (EventRole::This, This::Nothing) => None,
            (EventRole::Answer, _) => self.answer,
            (EventRole::Trigger | EventRole::Element(..), _) => self.found.and_then(|found| found.event(of)),
        };
        event.map_or(Value::Missing, |event| event.field(&self.reference.program, path))
    }

    /// A named value sees neither the match nor the event that is looked at.
    fn let_of(&self, id: LetId) -> Value {
        let Some(definition) = self.reference.program.lets.get(id.0 as usize) else { return Value::Missing };
        let alone = Asked { found: None, answer: None, ..*self };
        let arm = definition.arms.iter().find(|(_, condition)| alone.holds(condition, This::Nothing));
        alone.value(arm.map_or(&definition.value, |(value, _)| value), This::Nothing)
    }

    fn call(&self, function: Function, arguments: &[Expr], this: This<'_>) -> Value {
        let zone = match this {
            This::Applied(event) => event.zone.clone(),
            This::Nothing | This::Remembered(_) => self.zone_now(),
        };
        let arguments: Vec<Value> = arguments.iter().map(|argument| self.value(argument, this)).collect();
        operators::call(function, &arguments, &zone)
    }

    fn time_since(&self, first: bool, pattern: &Pattern) -> Value {
        let times = self.times(pattern);
        let at = if first { times.first() } else { times.last() };
        at.and_then(|at| self.now.checked_sub(*at)).map_or(Value::Missing, Value::Duration)
    }

    fn is_known_for(&self, duration: i64) -> bool {
        self.customer.first_seen.is_some_and(|seen| self.now.saturating_sub(seen) >= duration)
    }

    fn was_active(&self, duration: i64) -> bool {
        let after = self.now.saturating_sub(duration);
        let events = self.customer.history.since(self.reference.program.active_since);
        events.iter().rev().take_while(|event| event.at() > after).any(|event| event.active)
    }

    /// An aggregate; of nothing a sum and a distinct count are 0, every other one is missing.
    fn aggregate(
        &self,
        function: Aggregate,
        value: &Expr,
        pattern: &Pattern,
        window: crate::typed::Window,
    ) -> Value {
        let values = self.values(function, value, pattern, window);
        match (function, values.is_empty()) {
            (Aggregate::Sum, true) => match value.ty {
                Type::Duration => Value::Duration(0),
                Type::Text
                | Type::Number
                | Type::Boolean
                | Type::Time
                | Type::Date
                | Type::List(_)
                | Type::Object(_) => whole(0),
            },
            _ => operators::aggregate(function, &values),
        }
    }
}

impl Scope for Asked<'_> {
    fn profile(&self, field: FieldId) -> Value {
        self.customer.profile(field)
    }

    fn let_value(&self, id: LetId) -> Value {
        self.let_of(id)
    }

    fn event(&self, role: &EventRole, field: &str) -> Value {
        let path = match field {
            "at" => FieldPath::At,
            "message_id" => FieldPath::MessageId,
            "event_name" => FieldPath::EventName,
            name => FieldPath::Property(vec![Arc::from(name)]),
        };
        self.field(role, &path, This::Nothing)
    }

    fn zone(&self) -> Zone {
        self.zone_now()
    }
}

impl Reference {
    /// A customer's zone now: that of the profile, else that of the country where it has one, else the project's.
    pub(super) fn zone(&self, customer: &Customer) -> Zone {
        let [own, country] = [self.built_in.time_zone, self.built_in.country]
            .map(|field| field.map(|it| customer.profile(it)));
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_text).map(str::to_owned);
        let zone = Zone::of_profile(text(&own).as_deref(), text(&country).as_deref());
        zone.unwrap_or_else(|| self.settings.time_zone.clone())
    }
}

impl Pattern {
    /// Whether the pattern looks at events of this kind.
    pub(super) fn is_of(&self, id: Option<crate::typed::EventId>) -> bool {
        match &self.events {
            crate::typed::EventSet::Any => true,
            crate::typed::EventSet::Of(events) => id.is_some_and(|id| events.contains(&id)),
        }
    }
}

/// A count as a number.
pub(super) fn whole(count: usize) -> Value {
    i64::try_from(count).ok().and_then(Decimal::whole).map_or(Value::Missing, Value::Number)
}

/// Whether an expression within a `where` looks at nothing but the event and constants, so that it is decided once and
/// for all when the event is applied.
pub(super) fn is_decided_by_event(expr: &Expr) -> bool {
    let mut decided = true;
    visit::expression(expr, &mut |inner| {
        decided &= match &inner.kind {
            ExprKind::Field { of, path: _ } => *of == EventRole::This,
            ExprKind::Literal(_)
            | ExprKind::Call { .. }
            | ExprKind::Arithmetic { .. }
            | ExprKind::Compare { .. }
            | ExprKind::Between { .. }
            | ExprKind::In { .. }
            | ExprKind::TextTest { .. }
            | ExprKind::IsKnown(_)
            | ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::AtLeastOf { .. } => true,
            ExprKind::Profile { .. }
            | ExprKind::Consent { .. }
            | ExprKind::Let(_)
            | ExprKind::InSegment(_)
            | ExprKind::Did { .. }
            | ExprKind::NoActivity(_)
            | ExprKind::KnownFor(_)
            | ExprKind::Count { .. }
            | ExprKind::Aggregate { .. }
            | ExprKind::LastOf { .. }
            | ExprKind::TimeSince { .. }
            | ExprKind::Held { .. }
            | ExprKind::Regularly { .. }
            | ExprKind::Streak { .. } => false,
        };
    });
    decided
}

fn looks_at_event(expr: &Expr) -> bool {
    let mut looks = false;
    visit::expression(expr, &mut |inner| {
        looks |= matches!(inner.kind, ExprKind::Field { of: EventRole::This, .. });
    });
    looks
}
