//! Expressions that hold or do not.

use super::{Lowering, Scope, looks_beyond_event};
use crate::{
    calendar::Habit,
    plan::{Class, Node, NodeId, Order, WindowSpan},
    typed::{Bound, Comparison, Expr, ExprKind, LetId, Occurrence, Pattern, SequenceId, TextTest, Window},
    types::Type,
    value::{MILLIONTHS, Value},
};

impl Lowering<'_> {
    /// The node of a condition.
    pub(super) fn condition(&mut self, expr: &Expr, scope: Scope<'_>) -> NodeId {
        match &expr.kind {
            ExprKind::Literal(value) => self.graph.constant(*value == Value::Boolean(true)),
            ExprKind::Not(inner) => {
                let inner = self.condition(inner, scope);
                self.graph.not(inner)
            }
            ExprKind::And(conditions) => {
                let nodes = self.conditions(conditions, scope);
                self.graph.and(nodes)
            }
            ExprKind::Or(conditions) => {
                let nodes = self.conditions(conditions, scope);
                self.graph.or(nodes)
            }
            ExprKind::AtLeastOf { count, conditions } => {
                let nodes = self.conditions(conditions, scope);
                self.graph.node(Node::AtLeast(*count, nodes))
            }
            ExprKind::Compare { operator, left, right } => self.compare(*operator, left, right, scope),
            ExprKind::Between { value, low, high } => {
                let low = self.compare(Comparison::GreaterOrEqual, value, low, scope);
                let high = self.compare(Comparison::LessOrEqual, value, high, scope);
                self.graph.and(vec![low, high])
            }
            ExprKind::In { value, choices } => {
                let equals = choices
                    .iter()
                    .map(|choice| self.compare(Comparison::Equal, value, choice, scope))
                    .collect();
                self.graph.or(equals)
            }
            ExprKind::TextTest { value, test, operand } => self.text_test(value, *test, operand, scope),
            ExprKind::IsKnown(value) => {
                let value = self.value(value, scope);
                self.graph.node(Node::IsKnown(value))
            }
            ExprKind::InSegment(segment) => self.graph.node(Node::InSegment(*segment)),
            ExprKind::Did { what, bound, count, window } => self.did(what, *bound, *count, *window, scope),
            ExprKind::NoActivity(duration) => self.graph.node(Node::NoActivity(*duration)),
            ExprKind::KnownFor(duration) => self.graph.node(Node::KnownFor(*duration)),
            ExprKind::Held { id, condition: _, duration } => {
                self.graph.node(Node::Held { held: *id, duration: *duration })
            }
            ExprKind::Regularly { pattern, count, last, unit } => {
                let counted = self.habit(pattern, *unit, Habit::Of(*last), scope);
                let number = self.graph.node(Node::Word(i64::from(*count) * MILLIONTHS));
                self.graph.node(Node::Compare(Order::GreaterOrEqual, counted, number))
            }
            ExprKind::Let(id) if self.is_plain_let(*id) => self.plain_let(*id, true),
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
            | ExprKind::Streak { .. } => {
                let value = self.value(expr, scope);
                self.graph.node(Node::Truth(value))
            }
        }
    }

    pub(super) fn conditions(&mut self, conditions: &[Expr], scope: Scope<'_>) -> Vec<NodeId> {
        conditions.iter().map(|condition| self.condition(condition, scope)).collect()
    }

    /// Whether a let is one value without arms.
    pub(super) fn is_plain_let(&self, id: LetId) -> bool {
        self.program.lets.get(id.0 as usize).is_some_and(|definition| definition.arms.is_empty())
    }

    /// The node of a let without arms, as a condition or as a value; made once, so that lets of lets do not multiply.
    pub(super) fn plain_let(&mut self, id: LetId, as_condition: bool) -> NodeId {
        if let Some(node) = self.lets.get(&(id, as_condition)) {
            return *node;
        }
        let program = self.program;
        let node = match program.lets.get(id.0 as usize) {
            Some(definition) if as_condition => self.condition(&definition.value, Scope::Global),
            Some(definition) => self.value(&definition.value, Scope::Global),
            None => self.graph.node(Node::Missing),
        };
        self.lets.insert((id, as_condition), node);
        node
    }

    fn compare(&mut self, operator: Comparison, left: &Expr, right: &Expr, scope: Scope<'_>) -> NodeId {
        if let Some(node) = self.elapsed(operator, left, right, scope) {
            return node;
        }
        let (l, r) = (self.value(left, scope), self.value(right, scope));
        let equal = |graph: &mut super::Graph, l, r| match &left.ty {
            Type::Text => graph.node(Node::SameText(l, r)),
            Type::List(_) | Type::Object(_) => graph.node(Node::SameValue(l, r)),
            Type::Number | Type::Boolean | Type::Time | Type::Date | Type::Duration => {
                graph.node(Node::Compare(Order::Equal, l, r))
            }
        };
        match operator {
            Comparison::Equal => equal(&mut self.graph, l, r),
            Comparison::NotEqual => {
                let equal = equal(&mut self.graph, l, r);
                self.graph.not(equal)
            }
            Comparison::Less => self.graph.node(Node::Compare(Order::Less, l, r)),
            Comparison::LessOrEqual => self.graph.node(Node::Compare(Order::LessOrEqual, l, r)),
            Comparison::Greater => self.graph.node(Node::Compare(Order::Greater, l, r)),
            Comparison::GreaterOrEqual => self.graph.node(Node::Compare(Order::GreaterOrEqual, l, r)),
        }
    }

    /// `time since … >= 3 days`: its change by time alone is known, which that of a mere value would not be.
    fn elapsed(
        &mut self,
        operator: Comparison,
        left: &Expr,
        right: &Expr,
        scope: Scope<'_>,
    ) -> Option<NodeId> {
        let mirrored = match operator {
            Comparison::Equal | Comparison::NotEqual => operator,
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        };
        let (time_since, operator, bound) = match (self.time_since(left), self.time_since(right)) {
            (Some(time_since), _) => (time_since, operator, right),
            (None, Some(time_since)) => (time_since, mirrored, left),
            (None, None) => return None,
        };
        let duration = self.constant_duration(bound)?;
        let moment = self.moment(&time_since.1, time_since.0, scope);
        let order = match operator {
            Comparison::Equal | Comparison::NotEqual => Order::Equal,
            Comparison::Less => Order::Less,
            Comparison::LessOrEqual => Order::LessOrEqual,
            Comparison::Greater => Order::Greater,
            Comparison::GreaterOrEqual => Order::GreaterOrEqual,
        };
        let node = self.graph.node(Node::Elapsed(order, moment, duration));
        Some(if operator == Comparison::NotEqual { self.graph.not(node) } else { node })
    }

    /// A `time since`, written as such or through lets.
    fn time_since(&self, expr: &Expr) -> Option<(bool, Pattern)> {
        match &expr.kind {
            ExprKind::TimeSince { first, pattern } => Some((*first, pattern.clone())),
            ExprKind::Let(id) if self.is_plain_let(*id) => {
                self.time_since(&self.program.lets.get(id.0 as usize)?.value)
            }
            _ => None,
        }
    }

    fn constant_duration(&self, expr: &Expr) -> Option<i64> {
        match &expr.kind {
            ExprKind::Literal(Value::Duration(duration)) => Some(*duration),
            ExprKind::Let(id) if self.is_plain_let(*id) => {
                self.constant_duration(&self.program.lets.get(id.0 as usize)?.value)
            }
            _ => None,
        }
    }

    fn text_test(&mut self, value: &Expr, test: TextTest, operand: &Expr, scope: Scope<'_>) -> NodeId {
        let tested = self.value(value, scope);
        if let (TextTest::Matches, ExprKind::Literal(Value::Text(pattern))) = (test, &operand.kind) {
            let pattern = self.graph.pattern(pattern);
            return self.graph.node(Node::Matches(tested, pattern));
        }
        let item = self.value(operand, scope);
        if matches!(value.ty, Type::List(_)) && test == TextTest::Contains {
            let class = Class::of(&operand.ty);
            return self.graph.node(Node::ListContains { list: tested, item, class });
        }
        self.graph.node(Node::TextTest(test, tested, item))
    }

    fn did(
        &mut self,
        what: &Occurrence,
        bound: Bound,
        count: u32,
        window: Window,
        scope: Scope<'_>,
    ) -> NodeId {
        let counted = match what {
            Occurrence::Pattern(pattern) => {
                if let (Bound::AtLeast, 1, Window::Last(duration)) = (bound, count, window)
                    && !super::is_correlated(pattern)
                {
                    let last = self.moment(pattern, false, scope);
                    return self.graph.node(Node::Within(last, duration));
                }
                if let (Bound::AtLeast, Window::Last(duration)) = (bound, window)
                    && !super::is_correlated(pattern)
                {
                    // The Nth newest is recent: then nothing changes but when that one leaves.
                    let nth = self.nth(pattern, count, duration);
                    return self.graph.node(Node::Within(nth, duration));
                }
                self.occurrences(pattern, kept(bound, count), window, scope)
            }
            Occurrence::Sequence(sequence) => self.matches(*sequence, kept(bound, count), window),
        };
        let number = self.graph.node(Node::Word(i64::from(count) * MILLIONTHS));
        self.graph.node(match bound {
            Bound::AtLeast => Node::Compare(Order::GreaterOrEqual, counted, number),
            Bound::AtMost => Node::Compare(Order::LessOrEqual, counted, number),
            Bound::Exactly => Node::Compare(Order::Equal, counted, number),
        })
    }

    /// The number of completed matches.
    fn matches(&mut self, sequence: SequenceId, kept: u32, window: Window) -> NodeId {
        let span = match window {
            Window::Always => return self.match_counter(sequence, i64::MIN),
            Window::Since(from) => return self.match_counter(sequence, from),
            Window::Last(duration) => WindowSpan::Last(duration),
            Window::Ago { near, far } => WindowSpan::Ago { near, far },
            Window::ThisMatch => WindowSpan::ThisMatch,
            Window::ThisSession => WindowSpan::ThisSession,
            Window::Calendar(calendar) => {
                let cell = self.cells.match_days(sequence, calendar);
                return self.graph.node(Node::Days { cell, function: None, calendar, class: Class::Number });
            }
        };
        let capacity = if matches!(window, Window::Last(_)) { kept } else { super::cells::EXACT_ROWS };
        let cell = self.cells.match_rows(sequence, capacity, span);
        self.graph.node(Node::Window { cell, function: None, span, class: Class::Number })
    }

    fn match_counter(&mut self, sequence: SequenceId, since: i64) -> NodeId {
        let cell = self.cells.match_counter(sequence, since);
        self.graph.node(Node::Counter(cell))
    }

    /// Whether nothing of an expression must wait until it is asked.
    pub(super) fn is_decided_by_event(&self, expr: &Expr) -> bool {
        !looks_beyond_event(expr)
    }
}

/// How many of the newest occurrences tell whether the bound holds.
fn kept(bound: Bound, count: u32) -> u32 {
    match bound {
        Bound::AtLeast => count,
        Bound::AtMost | Bound::Exactly => count + 1,
    }
}
