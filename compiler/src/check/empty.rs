//! Whether a condition holds of a customer of whom nothing is known.

mod operators;
mod silence;

use super::Checker;
use crate::{
    time::Zone,
    typed::{Aggregate, Bound, Comparison, Expr, ExprKind, LetId, Program},
    types::Type,
    value::{Decimal, Value},
};
use operators::{arithmetic, call, compare, text_test};
use silence::May;
use std::{collections::BTreeSet, sync::Arc};

/// Whether a condition holds on an empty history, with the profile's defaults; `segments` says it of the segments before
/// it, and `zone` is that of customers whose own is not known. `no activity` and `known for` do not hold.
///
/// What must hold for a while does so after that while; so this is told for each length of time from which it may be
/// different, with the shortest first.
pub(super) fn levels(condition: &Expr, program: &Program, segments: &[Levels], zone: &Zone) -> Levels {
    let mut whiles: BTreeSet<i64> = segments.iter().flatten().map(|(elapsed, _)| *elapsed).collect();
    whiles.insert(0);
    whiles.extend(program.held.iter().map(|held| held.duration));
    let mut levels = Levels::new();
    for elapsed in whiles {
        let empty = Empty { program, segments, zone, elapsed };
        let (may, contrary) = (empty.may(condition, false), empty.may(condition, true));
        let level = Level { holds: empty.holds(condition), may, contrary };
        if levels.last().is_none_or(|(_, before)| *before != level) {
            levels.push((elapsed, level));
        }
    }
    levels
}

impl Checker<'_> {
    /// Whether a condition may hold at some time of a customer who did nothing, and would not if they had done something.
    pub(super) fn holds_on_empty(&self, condition: &Expr) -> bool {
        is_of_the_idle(&levels(condition, &self.program, &self.empty, &self.project.time_zone))
    }
}

/// What holds of somebody who does nothing, and after how many milliseconds that becomes different.
pub(super) type Levels = Vec<(i64, Level)>;

/// What is told of a condition for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Whether it holds while the profile is as it begins.
    holds: bool,
    /// What may become of it.
    may: May,
    /// What may become of its contrary.
    contrary: May,
}

/// Whether a condition holds at some time of customers of whom nothing is known, or of those of whom only their profile is,
/// because they did nothing.
pub(super) fn is_of_the_idle(levels: &Levels) -> bool {
    levels.iter().any(|(_, level)| level.holds || level.may.includes(May::BE_SILENT))
}

fn at(levels: &Levels, elapsed: i64) -> Option<&Level> {
    levels.iter().rev().find(|(since, _)| *since <= elapsed).map(|(_, level)| level)
}

struct Empty<'p> {
    program: &'p Program,
    segments: &'p [Levels],
    zone: &'p Zone,
    /// For how long the customer has done nothing.
    elapsed: i64,
}

impl Empty<'_> {
    fn holds(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Not(inner) => !self.holds(inner),
            ExprKind::And(list) => list.iter().all(|it| self.holds(it)),
            ExprKind::Or(list) => list.iter().any(|it| self.holds(it)),
            ExprKind::AtLeastOf { count, conditions } => {
                conditions.iter().filter(|it| self.holds(it)).count() >= *count as usize
            }
            ExprKind::Compare { operator, left, right } => {
                compare(*operator, &self.value(left), &self.value(right))
            }
            ExprKind::Between { value, low, high } => {
                let value = self.value(value);
                compare(Comparison::GreaterOrEqual, &value, &self.value(low))
                    && compare(Comparison::LessOrEqual, &value, &self.value(high))
            }
            ExprKind::In { value, choices } => {
                let value = self.value(value);
                value.is_known() && choices.iter().any(|choice| self.value(choice) == value)
            }
            ExprKind::IsKnown(value) => self.value(value).is_known(),
            ExprKind::InSegment(id) => {
                let levels = self.segments.get(id.0 as usize);
                levels.and_then(|levels| at(levels, self.elapsed)).is_some_and(|level| level.holds)
            }
            ExprKind::Held { condition, duration, .. } => self.elapsed >= *duration && self.holds(condition),
            ExprKind::Did { bound, count, .. } => match bound {
                Bound::AtLeast => *count == 0,
                Bound::AtMost => true,
                Bound::Exactly => *count == 0,
            },
            ExprKind::TextTest { value, test, operand } => {
                text_test(*test, &self.value(value), &self.value(operand))
            }
            ExprKind::NoActivity(_) | ExprKind::KnownFor(_) | ExprKind::Regularly { .. } => false,
            ExprKind::Literal(_)
            | ExprKind::Profile { .. }
            | ExprKind::Consent { .. }
            | ExprKind::Field { .. }
            | ExprKind::Let(_)
            | ExprKind::Call { .. }
            | ExprKind::Arithmetic { .. }
            | ExprKind::Count { .. }
            | ExprKind::Aggregate { .. }
            | ExprKind::LastOf { .. }
            | ExprKind::TimeSince { .. }
            | ExprKind::Streak { .. } => self.value(expr) == Value::Boolean(true),
        }
    }

    fn value(&self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Literal(value) => value.clone(),
            ExprKind::Profile { field, path } => self
                .program
                .profile
                .get(field.0 as usize)
                .map(|field| field.default.at(path))
                .unwrap_or_default(),
            ExprKind::Let(id) => self.definition(*id),
            ExprKind::Count { .. } | ExprKind::Streak { .. } => Value::Number(Decimal(0)),
            ExprKind::Aggregate { function: Aggregate::Sum, .. } if expr.ty == Type::Duration => {
                Value::Duration(0)
            }
            ExprKind::Aggregate { function: Aggregate::Sum | Aggregate::DistinctCount, .. } => {
                Value::Number(Decimal(0))
            }
            ExprKind::LastOf { .. } => Value::List(Arc::new([])),
            ExprKind::Call { function, arguments } => {
                let arguments: Vec<Value> = arguments.iter().map(|argument| self.value(argument)).collect();
                call(*function, &arguments, self.zone)
            }
            ExprKind::Arithmetic { operator, left, right } => {
                arithmetic(*operator, &self.value(left), &self.value(right))
            }
            ExprKind::Consent { .. }
            | ExprKind::Field { .. }
            | ExprKind::Aggregate { .. }
            | ExprKind::TimeSince { .. } => Value::Missing,
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
            | ExprKind::Regularly { .. } => Value::Boolean(self.holds(expr)),
        }
    }

    fn definition(&self, id: LetId) -> Value {
        let Some(definition) = self.program.lets.get(id.0 as usize) else { return Value::Missing };
        let arm = definition.arms.iter().find(|(_, condition)| self.holds(condition));
        self.value(arm.map_or(&definition.value, |(value, _)| value))
    }
}
