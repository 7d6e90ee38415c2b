//! Expressions that are a value or missing.

use super::{
    Lowering, RowScope, Scope,
    cells::{EXACT_ROWS, Kept},
    is_correlated, split,
};
use crate::{
    calendar::Habit,
    plan::{Class, FrameRef, Node, NodeId, Operation, QueryResult, WindowSpan},
    typed::{Aggregate, Arithmetic, EventRole, Expr, ExprKind, FieldPath, Function, LetId, Pattern, Window},
    types::Type,
};

impl Lowering<'_> {
    /// The node of a value.
    pub(super) fn value(&mut self, expr: &Expr, scope: Scope<'_>) -> NodeId {
        if let Some(column) = self.column(expr) {
            return column;
        }
        match &expr.kind {
            ExprKind::Literal(value) => self.graph.literal(value),
            ExprKind::Profile { field, path } => {
                let class = self.layouts.profile_type(*field, path).map_or(Class::Value, |ty| Class::of(&ty));
                let slot = self.layouts.profile_slot(*field, path, class);
                self.graph.node(Node::Profile { slot, class })
            }
            ExprKind::Consent { channel, topic } => {
                let channel = self.graph.text(channel);
                self.graph.node(Node::Consent { channel, topic: *topic })
            }
            ExprKind::Field { of, path } => self.field(of, path, Class::of(&expr.ty), scope),
            ExprKind::Let(id) if self.is_plain_let(*id) => self.plain_let(*id, false),
            ExprKind::Let(id) => self.choose(*id, Class::of(&expr.ty)),
            ExprKind::Call { function, arguments } => self.call(*function, arguments, scope),
            ExprKind::Arithmetic { operator, left, right } => self.arithmetic(*operator, left, right, scope),
            ExprKind::Count { pattern, window } => self.occurrences(pattern, EXACT_ROWS, *window, scope),
            ExprKind::Aggregate { function, value, pattern, window } => {
                self.aggregate(*function, value, pattern, *window, scope)
            }
            ExprKind::LastOf { count, pattern, distinct_by, window } => {
                self.last_of(*count, pattern, distinct_by.as_ref(), *window, scope)
            }
            ExprKind::TimeSince { first, pattern } => {
                let moment = self.moment(pattern, *first, scope);
                self.graph.node(Node::Since(moment))
            }
            ExprKind::Streak { pattern, unit } => self.habit(pattern, *unit, Habit::Streak, scope),
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
            | ExprKind::Regularly { .. } => {
                let condition = self.condition(expr, scope);
                self.graph.node(Node::FromCondition(condition))
            }
        }
    }

    /// While a condition on rows is lowered: what it needs of the event is a column of the row.
    fn column(&mut self, expr: &Expr) -> Option<NodeId> {
        if self.row.is_none() || !self.is_decided_by_event(expr) || !looks_at_event(expr) {
            return None;
        }
        let row = self.row.take()?;
        let node = self.value(expr, Scope::Event(row.group));
        let row = self.row.insert(row);
        let known = row.columns.iter().position(|column| *column == node);
        let slot = known.unwrap_or_else(|| {
            row.columns.push(node);
            row.columns.len() - 1
        });
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        Some(self.graph.node(Node::Slot { frame: FrameRef::Row, slot, class: Class::of(&expr.ty) }))
    }

    fn field(&mut self, of: &EventRole, path: &FieldPath, class: Class, scope: Scope<'_>) -> NodeId {
        let frame = match of {
            EventRole::This => FrameRef::This,
            EventRole::Trigger => FrameRef::Trigger,
            EventRole::Answer => FrameRef::Answer,
            EventRole::Element(number, _) => FrameRef::Element(*number),
        };
        let slot = match (of, scope) {
            (EventRole::This, Scope::Event(group) | Scope::Heard(group, _)) => self.layouts.slot(group, path),
            (
                EventRole::Trigger | EventRole::Answer | EventRole::Element(..),
                Scope::Rule(view) | Scope::Heard(_, view),
            ) => match view.events(of) {
                Some(events) => self.layouts.slot_of(events, path, true),
                None => self.layouts.slot(None, path),
            },
            // INVARIANT: the checker refuses events where there are none.
            _ => return self.graph.node(Node::Missing),
        };
        self.graph.node(Node::Slot { frame, slot, class })
    }

    fn choose(&mut self, id: LetId, class: Class) -> NodeId {
        if let Some(node) = self.lets.get(&(id, false)) {
            return *node;
        }
        let program = self.program;
        let Some(definition) = program.lets.get(id.0 as usize) else { return self.graph.node(Node::Missing) };
        let arms = definition.arms.iter();
        let arms = arms
            .map(|(value, condition)| {
                (self.condition(condition, Scope::Global), self.value(value, Scope::Global))
            })
            .collect();
        let otherwise = self.value(&definition.value, Scope::Global);
        let node = self.graph.node(Node::Choose { arms, otherwise, class });
        self.lets.insert((id, false), node);
        node
    }

    fn call(&mut self, function: Function, arguments: &[Expr], scope: Scope<'_>) -> NodeId {
        let nodes: Vec<NodeId> = arguments.iter().map(|argument| self.value(argument, scope)).collect();
        let (Some(first), Some(argument)) = (arguments.first(), nodes.first().copied()) else {
            return self.graph.node(Node::Missing);
        };
        match function {
            Function::Coalesce => {
                let rest = nodes.get(1..).unwrap_or_default();
                let last = rest.last().copied();
                rest.iter()
                    .rev()
                    .skip(1)
                    .fold(last, |later, node| {
                        later.map(|later| self.graph.node(Node::Coalesce(*node, later)))
                    })
                    .map_or(argument, |later| self.graph.node(Node::Coalesce(argument, later)))
            }
            Function::Lower
            | Function::Upper
            | Function::Trim
            | Function::Length
            | Function::Round
            | Function::Abs
            | Function::Hour
            | Function::Weekday
            | Function::Day
            | Function::Month => {
                let of_event = matches!(scope, Scope::Event(_)) && self.row.is_none();
                self.graph.node(Node::Call { function, argument, class: Class::of(&first.ty), of_event })
            }
        }
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: &Expr, right: &Expr, scope: Scope<'_>) -> NodeId {
        let (l, r) = (self.value(left, scope), self.value(right, scope));
        let (operation, left, right) = match (operator, &left.ty, &right.ty) {
            (Arithmetic::Add, _, _) => (Operation::Add, l, r),
            (Arithmetic::Subtract, _, _) => (Operation::Subtract, l, r),
            (Arithmetic::Multiply, Type::Duration, _) => (Operation::Scale, l, r),
            (Arithmetic::Multiply, _, Type::Duration) => (Operation::Scale, r, l),
            (Arithmetic::Multiply, _, _) => (Operation::Multiply, l, r),
            (Arithmetic::Divide, Type::Duration, _) => (Operation::Shrink, l, r),
            (Arithmetic::Divide, _, _) => (Operation::Divide, l, r),
        };
        self.graph.node(Node::Arithmetic { operation, left, right })
    }

    /// How often a pattern matched; `kept` is how many of the newest tell what is asked.
    pub(super) fn occurrences(
        &mut self,
        pattern: &Pattern,
        kept: u32,
        window: Window,
        scope: Scope<'_>,
    ) -> NodeId {
        if is_correlated(pattern) {
            return self.query(pattern, None, window, QueryResult::Count, Class::Number, scope);
        }
        let filter = self.pattern_filter(pattern, window);
        let span = match window {
            Window::Always | Window::Since(_) => {
                let cell = self.cells.counter(pattern, filter);
                return self.graph.node(Node::Counter(cell));
            }
            Window::Last(duration) => WindowSpan::Last(duration),
            Window::Ago { near, far } => WindowSpan::Ago { near, far },
            Window::ThisMatch => WindowSpan::ThisMatch,
            Window::ThisSession => WindowSpan::ThisSession,
            Window::Calendar(calendar) => {
                return self.days(pattern, filter, None, None, calendar, Class::Number);
            }
        };
        // Windows that do not end now are asked over all rows that are kept, and a count must tell older ones apart.
        let kept = match window {
            Window::Last(duration) if kept == EXACT_ROWS => Kept::summed_up(duration),
            Window::Last(_) => Kept::newest(kept),
            Window::Ago { near: _, far } => Kept::summed_up(far),
            Window::Always
            | Window::Since(_)
            | Window::ThisMatch
            | Window::ThisSession
            | Window::Calendar(_) => Kept::newest(EXACT_ROWS),
        };
        let cell = self.cells.rows(pattern, filter, (Vec::new(), Vec::new()), false, kept, span);
        self.graph.node(Node::Window { cell, function: None, span, class: Class::Number })
    }

    fn aggregate(
        &mut self,
        function: Aggregate,
        value: &Expr,
        pattern: &Pattern,
        window: Window,
        scope: Scope<'_>,
    ) -> NodeId {
        let group = self.layouts.group(&pattern.events);
        let outcome = result_class(function, Class::of(&value.ty));
        let of_newest = matches!(function, Aggregate::MostFrequent | Aggregate::DistinctCount);
        let is_calendar = matches!(window, Window::Calendar(_));
        if is_correlated(pattern) || !self.is_decided_by_event(value) || of_newest && is_calendar {
            let result = QueryResult::Aggregate(function);
            return self.query(pattern, Some(value), window, result, outcome, scope);
        }
        let class = Class::of(&value.ty);
        let column = self.value(value, Scope::Event(group));
        let filter = self.pattern_filter(pattern, window);
        let known = self.graph.node(Node::IsKnown(column));
        let filter = self.graph.and(vec![filter, known]);
        let span = match window {
            Window::Always | Window::Since(_) if of_newest => WindowSpan::All,
            Window::Always | Window::Since(_) => {
                let cell = self.cells.total(pattern, filter, column, class);
                return self.graph.node(Node::Total(cell, function));
            }
            Window::Last(duration) => WindowSpan::Last(duration),
            Window::Ago { near, far } => WindowSpan::Ago { near, far },
            Window::ThisMatch => WindowSpan::ThisMatch,
            Window::ThisSession => WindowSpan::ThisSession,
            Window::Calendar(calendar) => {
                return self.days(pattern, filter, Some((column, class)), Some(function), calendar, outcome);
            }
        };
        let kept = kept_of(function, window);
        let cell = self.cells.rows(pattern, filter, (vec![column], vec![class]), false, kept, span);
        self.graph.node(Node::Window { cell, function: Some(function), span, class: outcome })
    }

    fn last_of(
        &mut self,
        count: u32,
        pattern: &Pattern,
        by: Option<&FieldPath>,
        window: Window,
        scope: Scope<'_>,
    ) -> NodeId {
        self.layouts.whole(&pattern.events);
        let group = self.layouts.group(&pattern.events);
        let (fixed, asked) = split(pattern.filter.as_deref());
        let mut filter = self.static_filter(&fixed, group, window);
        let first = self.first_columns(matches!(window, Window::Calendar(_)));
        self.row = Some(RowScope { group, columns: first });
        let asked: Vec<NodeId> =
            asked.into_iter().map(|condition| self.condition(condition, scope)).collect();
        let mut columns = self.row.take().map(|row| row.columns).unwrap_or_default();
        let mut classes: Vec<Class> = columns.iter().map(|column| self.graph.class(*column)).collect();
        let condition = if asked.is_empty() { None } else { Some(self.graph.and(asked)) };
        if let Some(by) = by {
            let slot = self.layouts.slot(group, by);
            let class = self.path_class(pattern, by);
            let node = self.graph.node(Node::Slot { frame: FrameRef::This, slot, class });
            let known = self.graph.node(Node::IsKnown(node));
            filter = self.graph.and(vec![filter, known]);
            columns.push(node);
            classes.push(class);
        }
        classes.push(Class::Value);
        let span = span(window);
        // Of what ends now and needs no further question, the newest are all that is ever shown.
        let ends_now =
            matches!(window, Window::Always | Window::Last(_) | Window::Since(_) | Window::Calendar(_));
        let capacity = if condition.is_none() && by.is_none() && ends_now { count } else { EXACT_ROWS };
        let cell = self.cells.rows(pattern, filter, (columns, classes), true, Kept::newest(capacity), span);
        let result = QueryResult::Newest { count, distinct: by.is_some() };
        self.graph.node(Node::Query { cell, filter: condition, span, result, class: Class::Value })
    }

    fn path_class(&self, pattern: &Pattern, path: &FieldPath) -> Class {
        match path {
            FieldPath::At => Class::Time,
            FieldPath::MessageId | FieldPath::EventName => Class::Text,
            FieldPath::Property(path) => {
                let crate::typed::EventSet::Of(events) = &pattern.events else { return Class::Text };
                let event = events.first().and_then(|event| self.program.events.get(event.0 as usize));
                let field = event
                    .and_then(|event| event.fields.iter().find(|field| path.first() == Some(&field.name)));
                field
                    .and_then(|field| field.ty.at(path.get(1..).unwrap_or_default()))
                    .map_or(Class::Text, |ty| Class::of(&ty))
            }
        }
    }

    /// The time of the first or last match of a pattern.
    pub(super) fn moment(&mut self, pattern: &Pattern, first: bool, scope: Scope<'_>) -> NodeId {
        if is_correlated(pattern) {
            let result = if first { QueryResult::FirstTime } else { QueryResult::LastTime };
            return self.query(pattern, None, Window::Always, result, Class::Time, scope);
        }
        let filter = self.pattern_filter(pattern, Window::Always);
        let cell = self.cells.moment(pattern, filter, first);
        self.graph.node(Node::Moment(cell))
    }

    /// When the Nth newest matching event happened.
    pub(super) fn nth(&mut self, pattern: &Pattern, count: u32, duration: i64) -> NodeId {
        let span = WindowSpan::Last(duration);
        let filter = self.pattern_filter(pattern, Window::Last(duration));
        let cell =
            self.cells.rows(pattern, filter, (Vec::new(), Vec::new()), false, Kept::newest(count), span);
        self.graph.node(Node::Nth(cell))
    }

    /// Rows whose filter is asked when the result is.
    pub(super) fn query(
        &mut self,
        pattern: &Pattern,
        value: Option<&Expr>,
        window: Window,
        result: QueryResult,
        class: Class,
        scope: Scope<'_>,
    ) -> NodeId {
        let group = self.layouts.group(&pattern.events);
        let (fixed, asked) = split(pattern.filter.as_deref());
        let mut filter = self.static_filter(&fixed, group, window);
        let by_day = matches!(window, Window::Calendar(_)) || matches!(result, QueryResult::Habit(..));
        let first = self.first_columns(by_day);
        self.row = Some(RowScope { group, columns: first });
        let asked: Vec<NodeId> =
            asked.into_iter().map(|condition| self.condition(condition, scope)).collect();
        let mut columns = self.row.take().map(|row| row.columns).unwrap_or_default();
        let mut classes: Vec<Class> = columns.iter().map(|column| self.graph.class(*column)).collect();
        let condition = if asked.is_empty() { None } else { Some(self.graph.and(asked)) };
        if let Some(value) = value {
            let node = self.value(value, Scope::Event(group));
            let known = self.graph.node(Node::IsKnown(node));
            filter = self.graph.and(vec![filter, known]);
            columns.push(node);
            classes.push(Class::of(&value.ty));
        }
        let span = span(window);
        // A value lies in a window that ends now if the newest event with it does; by calendar days, one of its days.
        let ends_now = !matches!(window, Window::Ago { .. });
        let is_distinct = matches!(result, QueryResult::Aggregate(Aggregate::DistinctCount));
        let is_decided = condition.is_none() && value.is_some_and(|value| self.is_decided_by_event(value));
        let distinct = is_distinct && ends_now && is_decided;
        let kept = Kept { distinct, ..Kept::newest(EXACT_ROWS) };
        let cell = self.cells.rows(pattern, filter, (columns, classes), false, kept, span);
        self.graph.node(Node::Query { cell, filter: condition, span, result, class })
    }

    /// The filter of a pattern that looks only at its event; `since` is part of it.
    pub(super) fn pattern_filter(&mut self, pattern: &Pattern, window: Window) -> NodeId {
        let group = self.layouts.group(&pattern.events);
        let (fixed, _) = split(pattern.filter.as_deref());
        self.static_filter(&fixed, group, window)
    }

    fn static_filter(&mut self, conjuncts: &[&Expr], group: super::Group, window: Window) -> NodeId {
        let mut nodes: Vec<NodeId> =
            conjuncts.iter().map(|conjunct| self.condition(conjunct, Scope::Event(group))).collect();
        if let Window::Since(from) = window {
            let at = self.graph.node(Node::Slot { frame: FrameRef::This, slot: 0, class: Class::Time });
            let from = self.graph.node(Node::Word(from));
            nodes.push(self.graph.node(Node::Compare(crate::plan::Order::GreaterOrEqual, at, from)));
        }
        self.graph.and(nodes)
    }
}

fn span(window: Window) -> WindowSpan {
    match window {
        Window::Always | Window::Since(_) => WindowSpan::All,
        Window::Last(duration) => WindowSpan::Last(duration),
        Window::Ago { near, far } => WindowSpan::Ago { near, far },
        Window::ThisMatch => WindowSpan::ThisMatch,
        Window::ThisSession => WindowSpan::ThisSession,
        Window::Calendar(calendar) => WindowSpan::Calendar(calendar),
    }
}

/// Which rows tell an aggregate over a window that is no calendar's.
fn kept_of(function: Aggregate, window: Window) -> Kept {
    match (function, window) {
        // Of what ends now the newest is the last.
        (Aggregate::Last, Window::Last(_)) => Kept::newest(1),
        (Aggregate::Last | Aggregate::MostFrequent, _) => Kept::newest(EXACT_ROWS),
        // A value lies in a window that ends now if the newest event with it does.
        (Aggregate::DistinctCount, Window::Ago { .. }) => Kept::newest(EXACT_ROWS),
        (Aggregate::DistinctCount, _) => Kept { distinct: true, ..Kept::newest(EXACT_ROWS) },
        (_, Window::Last(duration) | Window::Ago { near: _, far: duration }) => Kept::summed_up(duration),
        (_, _) => Kept::newest(EXACT_ROWS),
    }
}

/// How the result of an aggregate of values of a class is read.
fn result_class(function: Aggregate, class: Class) -> Class {
    match function {
        Aggregate::DistinctCount => Class::Number,
        Aggregate::Sum
        | Aggregate::Average
        | Aggregate::Smallest
        | Aggregate::Largest
        | Aggregate::First
        | Aggregate::Last
        | Aggregate::MostFrequent => class,
    }
}

fn looks_at_event(expr: &Expr) -> bool {
    let mut looks = false;
    crate::typed::visit::expression(expr, &mut |inner| {
        looks |= matches!(inner.kind, ExprKind::Field { of: EventRole::This, .. });
    });
    looks
}
