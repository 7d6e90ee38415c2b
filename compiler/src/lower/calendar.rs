//! What is counted by calendar days.

use super::{Lowering, Scope, is_correlated};
use crate::{
    calendar::{Calendar, Habit, Unit},
    plan::{Class, FrameRef, Node, NodeId, QueryResult},
    typed::{Aggregate, Pattern, Window},
};

impl Lowering<'_> {
    /// A count or an aggregate over calendar days: what happened is added up day by day.
    pub(super) fn days(
        &mut self,
        pattern: &Pattern,
        filter: NodeId,
        column: Option<(NodeId, Class)>,
        function: Option<Aggregate>,
        calendar: Calendar,
        class: Class,
    ) -> NodeId {
        let mut columns = vec![self.local_day()];
        columns.extend(column.map(|(node, _)| node));
        let class_of_value = column.map(|(_, class)| class);
        let cell = self.cells.days(pattern, filter, columns, class_of_value, calendar);
        self.graph.node(Node::Days { cell, function, calendar, class })
    }

    /// On how many days or weeks something happened, or how many in a row.
    pub(super) fn habit(&mut self, pattern: &Pattern, unit: Unit, habit: Habit, scope: Scope<'_>) -> NodeId {
        if is_correlated(pattern) {
            let result = QueryResult::Habit(unit, habit);
            return self.query(pattern, None, Window::Always, result, Class::Number, scope);
        }
        let filter = self.pattern_filter(pattern, Window::Always);
        let day = self.local_day();
        let cell = self.cells.periods(pattern, filter, day, unit, habit.reach());
        self.graph.node(Node::Habit(cell, habit))
    }

    /// What rows remember first: their day, where it is asked for.
    pub(super) fn first_columns(&mut self, by_day: bool) -> Vec<NodeId> {
        if by_day { vec![self.local_day()] } else { Vec::new() }
    }

    fn local_day(&mut self) -> NodeId {
        let at = self.graph.node(Node::Slot { frame: FrameRef::This, slot: 0, class: Class::Time });
        self.graph.node(Node::LocalDay(at))
    }
}
