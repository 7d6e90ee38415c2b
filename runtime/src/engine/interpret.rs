//! A plan carried out node by node, without machine code.
//!
//! It does what `segue_compiler::codegen` writes code for, asks the same functions of the host, and leaves the same in the
//! header. A condition that cannot change the outcome any more is not asked.

mod condition;
mod value;

use super::host::Context;
use segue_compiler::{
    abi::Slot,
    plan::{Cell, CellId, CellKind, CellSource, Class, Handler, Node, NodeId, Plan, Role, Task, Touched},
    typed::SegmentId,
};

impl Context<'_> {
    /// Carries out a task; gives what [`Task`] says of it.
    pub(super) fn interpret(&mut self, task: Task) -> i64 {
        let plan = &self.machine.plan;
        let asked = |nodes: &[NodeId], place: u32| nodes.get(place as usize).copied();
        match task {
            Task::Event { event, due } => {
                let handler = event.and_then(|event| plan.handlers.get(event.0 as usize));
                self.handle(plan, handler.unwrap_or(&plan.other), due);
                self.header.deadline
            }
            Task::Evaluate => {
                self.judge(plan, &plan.order);
                self.header.deadline
            }
            Task::Condition(condition) => {
                asked(&plan.conditions, condition.0).map_or(0, |node| self.condition(node).into())
            }
            Task::Watch(watch) => asked(&plan.watched, watch.0).map_or(0, |node| self.condition(node).into()),
            Task::Value(value) => {
                if let Some(value) = plan.values.get(value.0 as usize) {
                    let Slot { tag, word } = self.node(value.node);
                    (self.header.tag, self.header.word) = (tag, word);
                }
                0
            }
        }
    }

    fn handle(&mut self, plan: &Plan, handler: &Handler, due: bool) {
        let mut fed: Vec<CellId> = Vec::new();
        for id in &handler.feeds {
            let Some(CellSource::Events { filter, columns, .. }) = plan.cell(*id).map(|cell| &cell.source)
            else {
                continue;
            };
            if self.condition(*filter) {
                fed.push(*id);
                self.feed_cell(plan, *id, columns);
            }
        }
        for roles in handler.roles.chunk_by(|one, other| one.sequence == other.sequence) {
            self.play(roles);
        }
        if due {
            self.judge(plan, &plan.order);
            return;
        }
        let is_fed = |id: &CellId| {
            let by_events = matches!(plan.cell(*id), Some(Cell { source: CellSource::Events { .. }, .. }));
            !by_events || fed.contains(id)
        };
        let is_touched = |it: &&Touched| it.fed_by.as_ref().is_none_or(|cells| cells.iter().any(is_fed));
        let touched: Vec<SegmentId> =
            handler.touched.iter().filter(is_touched).map(|it| it.segment).collect();
        self.judge(plan, &touched);
    }

    fn feed_cell(&mut self, plan: &Plan, id: CellId, columns: &[NodeId]) {
        let Some(cell) = plan.cell(id) else { return };
        let mut row = |classes: &mut dyn Iterator<Item = Class>| {
            for (column, class) in columns.iter().zip(classes) {
                let Slot { tag, word } = self.node(*column);
                let value = self.value(tag, word, class);
                self.columns.push(value);
            }
            self.push(id);
        };
        match &cell.kind {
            CellKind::Counter { word } => self.set_word(*word, self.word(*word).wrapping_add(1)),
            CellKind::Moment { word, first } => {
                let (before, at) = (self.word(*word), self.this.map_or(0, |event| event.at));
                self.set_word(*word, if *first { at.min(before) } else { at.max(before) });
            }
            CellKind::Total { class, .. } => row(&mut [*class].into_iter()),
            CellKind::Rows { columns, .. } => row(&mut columns.iter().copied()),
            CellKind::Days { class, .. } => row(&mut [Class::Date].into_iter().chain(*class)),
            CellKind::Periods { .. } => row(&mut [Class::Date].into_iter()),
        }
    }

    /// Tells which roles of one sequence the event plays.
    fn play(&mut self, roles: &[Role]) {
        let Some(Role { sequence, .. }) = roles.first() else { return };
        let played = roles.iter().filter(|role| self.condition(role.filter));
        let mask = played.fold(0_u64, |mask, role| mask | 1 << role.element);
        if mask != 0 {
            self.role(*sequence, mask);
        }
    }

    /// Evaluates levels in order, tells of segments that changed, and notes since when other conditions hold.
    fn judge(&mut self, plan: &Plan, levels: &[SegmentId]) {
        for level in levels {
            let Some(node) = plan.levels.get(level.0 as usize) else { continue };
            let holds = self.condition(*node);
            let place = plan.record.segments + level.0 / 64;
            let bits = self.word(place);
            if (bits >> (level.0 % 64) & 1 == 1) == holds {
                continue;
            }
            self.set_word(place, bits ^ 1 << (level.0 % 64));
            match plan.held(*level) {
                Some(held) => self.set_word(plan.record.held + held.0, self.header.now),
                None => self.edges.push((*level, holds)),
            }
        }
    }

    /// What a node comes to; a condition is 0 or 1.
    fn node(&mut self, id: NodeId) -> Slot {
        if self.machine.plan.node(id).is_condition() {
            Slot { tag: 1, word: self.condition(id).into() }
        } else {
            self.compute(id)
        }
    }

    fn is_of_row(&self, id: NodeId) -> bool {
        self.machine.of_row.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// The value of a query; with a condition on rows it is asked of each.
    fn query(&mut self, id: NodeId, filter: Option<NodeId>) -> Slot {
        let Some(filter) = filter else {
            self.query_all(id);
            self.query_end(id);
            return self.given();
        };
        let before = self.ahead.len();
        self.compute_ahead(filter);
        for row in 0..self.query_begin(id) {
            self.query_row(row);
            if self.condition(filter) {
                self.query_keep(row);
            }
        }
        self.ahead.truncate(before);
        self.query_end(id);
        self.given()
    }

    /// Computes the values below a row's condition that are the same for every row.
    fn compute_ahead(&mut self, id: NodeId) {
        let node = self.machine.plan.node(id);
        if self.is_of_row(id) {
            node.operands().into_iter().for_each(|operand| self.compute_ahead(operand));
        } else if !node.is_condition() && !matches!(node, Node::Word(_) | Node::Text(_)) {
            let value = self.compute(id);
            self.ahead.push((id, value));
        }
    }

    /// What a function of the host left in the header.
    fn given(&self) -> Slot {
        Slot { tag: self.header.tag, word: self.header.word }
    }
}
